"""The README's commands, flags, links and tree are true."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.record import Record
from support.scripts import ROOT, environment, run_script

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"(?:^    .+\n)+", README, flags=re.MULTILINE)
COMMANDS = [
    line.strip()
    for line in [*"".join(BLOCKS).splitlines(), *re.findall(r"`([^`\n]+)`", README)]
    if re.match(r"\s*(python (sweeps|analysis|benchmarks)/\w+\.py|pip install|mlflow ui)", line)
]


def test_the_two_commands_stand_as_promised() -> None:
    assert "pip install -e . && python sweeps/l2.py --num-samples 50" in COMMANDS
    assert "pip install -e '.[test]' && pytest" in COMMANDS
    assert "python analysis/l2.py" in COMMANDS
    assert "mlflow ui" in COMMANDS


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert not link.startswith("http"), "external links cannot be checked here"
    assert (ROOT / link).is_file()


def test_every_file_of_the_tree_exists() -> None:
    tree = next(block for block in BLOCKS if "trainables/  " in block)
    folder = ""
    named = 0
    for line in tree.splitlines():
        name = line.split()[0]
        if name.endswith("/"):
            folder = name
            assert (ROOT / folder).is_dir()
        elif name.endswith(".py"):
            assert (ROOT / folder / name).is_file(), f"{folder}{name}"
            named += 1
    assert named > 8


DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"(?:python |`)((?:[a-z]+/)?[a-z_]+/[a-z_0-9]+\.(?:py|md|png))", text))
    linked = {link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")}
    assert named | linked
    for path in named:
        assert (ROOT / path).is_file(), path
    for path in linked:
        assert (document.parent / path).is_file(), path


@pytest.mark.parametrize("command", sorted({c for c in COMMANDS if c.startswith("python sweeps/")}))
def test_every_sweep_command_is_accepted(command: str, l2_record: Record, tmp_path: Path) -> None:
    script, *flags = shlex.split(re.split("#|&&", command)[0])[1:]
    folder = l2_record.folder if "--resume" in flags else tmp_path
    trial = l2_record.trials[0].info.run_id
    if script == "sweeps/reproduce.py":  # without a run it only has to know itself
        folder, flags = l2_record.folder, [trial] if "RUN_ID" in flags else ["--help"]
    elif "--from" in flags:
        folder = l2_record.folder
        flags = [l2_record.parent.info.run_id if flag == "RUN_ID" else flag for flag in flags]
        flags.append("--dry-run")
    elif script != "sweeps/upload.py":
        flags.append("--dry-run")
    done = run_script(script, *flags, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_every_flag_in_the_readme_exists() -> None:
    known = "".join(
        subprocess.run(
            [sys.executable, str(ROOT / script), "--help"],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for script in ("sweeps/l2.py", "sweeps/seeds.py", "analysis/l2.py")
    )
    ours = re.sub("^    ray .*", "", README, flags=re.MULTILINE)
    for flag in set(re.findall(r"--[a-z][a-z-]+", ours)) - {"--help"}:
        assert flag in known, flag


def test_the_cluster_s_commands_are_those_that_three_hosts_run() -> None:
    """`tests/cluster/test_three_hosts.py` runs every command of that page."""
    page = (ROOT / "docs" / "cluster.md").read_text().splitlines()
    commands = re.findall("^    ((?:ray|ssh) .*)$", README, flags=re.MULTILINE)
    assert len(commands) > 5
    assert not set(commands) - {line.strip() for line in page}


def test_the_exit_codes_are_those_of_the_code() -> None:
    from sweeps.plan import exit_codes

    listed = {
        int(n) for n in re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", README, re.M)))
    }
    defined = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert listed == defined
