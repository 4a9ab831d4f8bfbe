"""The scripts by their names: what there is, what runs them, and how a shell completes them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.scripts import HANG, ROOT, environment, run_script
from support.warm_scripts import run_warm
from trainables.commands.project_scripts import scripts, version, words, words_of_sweep

FOLDERS = ("sweeps", "analysis")
SCRIPTS = [f"{folder}/{name}.py" for folder in FOLDERS for name in scripts(folder)]


def _slow(script: str) -> object:
    return pytest.param(script, marks=pytest.mark.slow)


def _module(folder: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", folder, *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_list_has_every_script_with_what_it_says_of_itself(folder: str, tmp_path: Path) -> None:
    files = [path for path in (ROOT / folder).glob("*.py") if "__main__" in path.read_text()]
    done = _module(folder, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    text = " ".join(done.stdout.split())
    names = {path.stem for path in files} - {"__main__"}
    assert names == set(scripts(folder))
    for name, script in scripts(folder).items():
        assert f" {name} {script.about}" in text
        assert script.about.endswith((".", "?"))
    assert (" sweeps: " in text) == (folder == "sweeps")


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "sweeps"),
        (f"{ROOT}/sweeps/lesson.py", "--dry-run"),
        (f"{ROOT}/sweeps/remove.py", "--help"),
        (f"{ROOT}/analysis/claims.py", "--help"),
    ],
    ids=lambda command: Path(command[-2]).name,
)
def test_a_reader_who_leaves_early_is_no_error(command: tuple[str, ...], tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()  # as `| head` does, before the first line
    assert process.stderr is not None
    assert (process.stderr.read(), process.wait(HANG)) == ("", 0)
    process.stderr.close()


@pytest.mark.slow
def test_a_sweep_is_run_by_its_name_as_by_its_file(tmp_path: Path) -> None:
    flags = ("--num-samples", "4", "--dry-run")
    by_file = run_script("sweeps/batch_size.py", *flags, cwd=tmp_path)
    for name in ("batch_size", "batch-size", "batch_size.py"):
        by_name = _module("sweeps", name, *flags, cwd=tmp_path)
        assert (by_name.returncode, by_name.stdout) == (0, by_file.stdout)
    assert "usage: python -m sweeps l2 " in _module("sweeps", "l2", "--help", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("folder", "name", "hint"),
    [
        ("sweeps", "dropuot", "did you mean dropout?"),
        ("sweeps", "l3", "did you mean l"),
        ("sweeps", "xyz", "`python -m sweeps` lists what there is"),
        ("analysis", "robust", "did you mean robustness?"),
    ],
)
def test_a_name_that_there_is_not_is_refused_with_the_nearest(
    folder: str, name: str, hint: str, tmp_path: Path
) -> None:
    done = _module(folder, name, "--dry-run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: there is no {name} in {folder}: ")
    assert hint in line


@pytest.mark.parametrize("script", [SCRIPTS[0], *map(_slow, SCRIPTS[1:])])
def test_every_script_tells_its_version(script: str, tmp_path: Path) -> None:
    done = run_warm(script, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{version()}\n", "")
    assert re.fullmatch(
        r"regularization-sweeps [\w.]+ \(trainer \d+, record format \d+\)\n", done.stdout
    )


def test_the_words_for_a_script_work_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (ROOT, ROOT / "docs", tmp_path):
        monkeypatch.chdir(folder)
        program, file = words("analysis", "l2").split(" ", 1)
        assert program == "python"
        assert Path(file).samefile(ROOT / "analysis" / "l2.py")
    monkeypatch.chdir(ROOT)
    assert words("sweeps", "l2") == "python sweeps/l2.py"


def test_a_users_own_sweep_is_resumed_by_the_script_that_ran_it() -> None:
    assert words_of_sweep("strong", "python 'my own/strong.py' --seeds 3") == (
        "python 'my own/strong.py'"
    )
    assert words_of_sweep("l2", "python /else/where/l2.py --seeds 3").endswith("sweeps/l2.py")
    assert "/else" not in words_of_sweep("l2", "python /else/where/l2.py --seeds 3")
    assert words_of_sweep("strong", "sweeps.run(strong, seeds=3)") == "python YOUR_SCRIPT.py"


COMPLETE = """
source completion.sh
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_tyro_$1
echo "${COMPREPLY[*]}"
"""


@pytest.mark.parametrize(
    ("folder", "asked"),
    [
        (
            "sweeps",
            {
                ("le",): ["lesson"],
                ("l2", "--num"): ["--num-samples"],
                ("batch_size", "--dataset", "win"): ["wine"],
                ("lesson", "--on"): ["--only"],
            },
        ),
        pytest.param("analysis", {("cl",): ["claims"]}, marks=pytest.mark.slow),  # loads pandas
    ],
)
def test_bash_completes_names_flags_and_choices(
    folder: str, asked: dict[tuple[str, ...], list[str]], tmp_path: Path
) -> None:
    code = (
        f"import sys; sys.argv = ['{folder}', '--tyro-write-completion', 'bash', 'completion.sh']\n"
        f"from {folder}.__main__ import command; command()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), check=True)
    for typed, offered in asked.items():
        done = subprocess.run(
            ["bash", "-c", COMPLETE, "bash", folder, *typed],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == offered, done.stderr


@pytest.mark.slow
def test_an_installed_wheel_has_the_commands(tmp_path: Path) -> None:
    source, wheels, installed = tmp_path / "source", tmp_path / "wheels", tmp_path / "venv"
    skip = shutil.ignore_patterns("__pycache__")
    for folder in ("trainables", *FOLDERS):
        shutil.copytree(ROOT / folder, source / folder, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _done([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(source)], tmp_path)
    shutil.rmtree(source)
    _done([sys.executable, "-m", "venv", "--without-pip", str(installed)], tmp_path)
    (wheel,) = wheels.iterdir()
    python = installed / "bin" / "python"
    _done([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], tmp_path)
    # All but the project itself is that of this process.
    (own,) = installed.glob("lib/*/site-packages")
    packages = [path for path in sys.path if Path(path).name == "site-packages"]
    (own / "present.pth").write_text("\n".join(packages))
    empty = tmp_path / "empty"
    empty.mkdir()
    plan = _done([str(installed / "bin" / "sweeps"), "l2", "--dry-run"], empty)
    assert "7 configurations × 10 seeds = 70 models" in plan
    assert "batch_size" in _done([str(installed / "bin" / "sweeps")], empty)
    helped = _done([str(installed / "bin" / "analysis"), "l2", "--help"], empty)
    assert "usage: analysis l2 " in helped
    assert list(empty.iterdir()) == []
    place = _done([str(python), "-c", "import sweeps; print(sweeps.__file__)"], empty)
    assert Path(place.strip()).is_relative_to(installed)


def _done(command: list[str], cwd: Path) -> str:
    """What the command prints; it must succeed."""
    outside = {**environment(), "PYTHONPATH": ""}
    done = subprocess.run(
        command, cwd=cwd, env=outside, capture_output=True, text=True, timeout=HANG, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
