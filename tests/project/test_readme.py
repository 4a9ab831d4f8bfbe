"""What the README and the pages of docs/ say is true: commands, flags, links, trees, tables."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.page_hosts import documented
from support.record import Record
from support.scripts import ROOT, environment
from support.warm_scripts import run_warm

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = [*PAGES, ROOT / "CONTRIBUTING.md", *(ROOT / "benchmarks").glob("*.md")]
OF_OTHERS = {"--no-wait", "--tyro-write-completion"}  # of `ray job submit`, and of all with tyro


def _text(pages: list[Path]) -> str:
    return "\n".join(page.read_text() for page in pages)


def _blocks(text: str) -> list[str]:
    return re.findall(r"(?:^    .+\n)+", text, flags=re.MULTILINE)


def _commands(text: str) -> list[str]:
    """The project's commands in its blocks of code and within its sentences."""
    lines = [*"".join(_blocks(text)).splitlines(), *re.findall(r"`([^`\n]+)`", text)]
    ours = r"\s*(python (sweeps|analysis|benchmarks)/[a-z_0-9]+\.py|pip install|mlflow ui)"
    return [line.strip() for line in lines if re.match(ours, line)]


def _links(page: Path) -> set[str]:
    return set(re.findall(r"\]\(([^)]+)\)", page.read_text()))


def _help(script: str) -> str:
    return subprocess.run(
        [sys.executable, str(ROOT / script), "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_two_commands_stand_as_promised() -> None:
    commands = _commands(README.read_text())
    assert "pip install -e . && python sweeps/l2.py --num-samples 50" in commands
    assert "pip install -e '.[test]' && pytest" in commands
    assert "python analysis/l2.py" in commands
    assert "mlflow ui" in commands


def _is_there(page: Path, link: str) -> bool:
    """Whether a link from the page leads to a file, and to a heading of it if it names one."""
    name, _, heading = link.partition("#")
    file = page.parent / name if name else page
    if not file.is_file() or not heading:
        return file.is_file()
    titles = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE)
    return heading in {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles
    }


def test_the_readme_is_read_at_one_sitting() -> None:
    assert len(README.read_text().splitlines()) <= 150


@pytest.mark.parametrize(
    ("page", "link"),
    [(page, link) for page in PAGES for link in sorted(_links(page))],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_every_link_leads_somewhere(page: Path, link: str) -> None:
    assert not link.startswith("http"), "external links cannot be checked here"
    assert _is_there(page, link)


def test_the_readme_leads_to_every_page() -> None:
    # Its visitors' way in; that the site's navigation has them all, mkdocs checks.
    reached = {(ROOT / link).resolve() for link in _links(README)}
    assert {page for page in PAGES if page.name != "index.md"} - {README} <= reached


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "house.md"], ids=lambda page: page.name)
def test_every_file_of_the_tree_exists(page: Path) -> None:
    tree = next(block for block in _blocks(page.read_text()) if "trainables/  " in block)
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"(?:python |`)((?:[a-z]+/)?[a-z_]+/[a-z_0-9]+\.(?:py|md|png))", text))
    linked = {link for link in _links(document) if not link.startswith("http")}
    assert named | linked
    made = set(re.findall(r'^```python title="(.+?)"$', text, flags=re.MULTILINE))  # by a recipe
    for path in named - made:
        assert (ROOT / path).is_file(), path
    for path in linked:
        assert _is_there(document, path), path


COMMANDS = _commands(_text(PAGES))
SWEEPS = sorted({command for command in COMMANDS if command.startswith("python sweeps/")})
OF_A_RECORD = re.compile("--resume|--from|RUN_ID")


def _slow_with_a_record(command: str) -> object:
    marks = [pytest.mark.slow] if OF_A_RECORD.search(command) else []
    return pytest.param(command, marks=marks)


@pytest.mark.parametrize("command", list(map(_slow_with_a_record, SWEEPS)))
def test_every_sweep_command_is_accepted(command: str, l2_record: Record, tmp_path: Path) -> None:
    script, *flags = shlex.split(re.split("#|&&", command)[0])[1:]
    folder = l2_record.folder if OF_A_RECORD.search(command) else tmp_path
    trial = l2_record.trials[0].info.run_id
    if script == "sweeps/reproduce.py":  # without a run it only has to know itself
        folder, flags = l2_record.folder, [trial] if "RUN_ID" in flags else ["--help"]
    else:
        flags = [l2_record.parent.info.run_id if flag == "RUN_ID" else flag for flag in flags]
        if script != "sweeps/upload.py" and "--dry-run" not in flags:
            flags.append("--dry-run")
    done = run_warm(script, *flags, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_every_flag_in_the_documents_exists() -> None:
    sweeps = [f"sweeps/{name}.py" for name in ("l2", "seeds", "lesson", "remove")]
    others = ("analysis/l2.py", "analysis/playground.py", "analysis/claims.py")
    measuring = ("benchmarks/scale.py", "benchmarks/sweep.py")
    known = "".join(map(_help, (*sweeps, *others, *measuring)))
    ours = re.sub("^ +(ray|mkdocs|.*mlflow ui) .*", "", _text(PAGES), flags=re.MULTILINE)
    flags = set(re.findall(r"--[a-z][a-z-]+", ours)) - {"--help"} - OF_OTHERS
    assert len(flags) > 20
    for flag in flags:
        assert flag in known, flag


def test_the_cluster_s_commands_are_those_that_three_hosts_run() -> None:
    """`tests/cluster/test_three_hosts.py` runs every command of docs/cluster.md."""
    run = documented()
    commands = re.findall("^ {4,}((?:ray|ssh) .*)$", _text(PAGES), flags=re.MULTILINE)
    assert len(commands) > 5
    assert not set(commands) - set(run)


def test_a_table_of_the_readme_stands_in_docs_too() -> None:
    """Numbers that stand in two places stay the same in both."""
    rows = re.findall(r"^\| `?(?:python|joblib|stock) .*$", README.read_text(), re.MULTILINE)
    assert len(rows) > 8
    assert not set(rows) - set(_text(PAGES[1:]).splitlines())


def test_the_exit_codes_are_those_of_the_code() -> None:
    from sweeps.plan import exit_codes

    table = (ROOT / "docs" / "failures.md").read_text()
    listed = {
        int(n) for n in re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", table, re.M)))
    }
    defined = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert listed == defined
