"""Every recipe of docs/extending.md works, followed by the letter in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.scripts import HANG, ROOT, environment

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
_BLOCK = re.compile(r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def _copy(folder: Path) -> None:
    """The project's folders of code and tests, without what running them has left there."""
    for name in ("trainables", "sweeps", "analysis", "tests"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "kept")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)


def _apply(change: str, file: Path) -> None:
    """Puts the new lines of a block with `+` and `-` in the place of the old ones."""
    lines = change.splitlines()
    assert all(line[:1] in (" ", "+", "-", "") for line in lines), change
    old, new = (
        "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", sign, ""))
        for sign in ("-", "+")
    )
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} has {text.count(old)} times:\n{old}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def _run(command: str, folder: Path) -> None:
    # The folder before the installed project, and `python` is this one, activated or not.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment() | {"PYTHONPATH": str(folder), "PATH": path},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_there_is_a_recipe_for_each_thing() -> None:
    things = ("hyperparameter", "sweep", "dataset", "figure", "claim", "search")
    assert list(RECIPES) == [f"A {thing}" for thing in things]


def test_a_hyperparameter_takes_its_declaration_two_trainers_and_a_script() -> None:
    files = {file for _, file, _ in _BLOCK.findall(RECIPES["A hyperparameter"]) if file}
    assert {file for file in files if not file.startswith("tests/")} == {
        "trainables/hyperparameters.py",
        "trainables/train_one.py",
        "trainables/train_pack.py",
        "sweeps/score_penalty.py",
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "A hyperparameter" else pytest.mark.slow)
        for name in RECIPES
    ],
)
def test_a_recipe_works_in_a_copy_of_the_project(name: str, tmp_path: Path) -> None:
    _copy(tmp_path)
    blocks = _BLOCK.findall(RECIPES[name])
    assert blocks[-1][0] == "sh"  # what shows that it works
    for kind, file, content in blocks:
        if kind == "diff":
            _apply(content, tmp_path / file)
        elif kind == "python":
            assert not (tmp_path / file).exists()
            (tmp_path / file).write_text(content, encoding="utf-8")
        else:
            for command in content.splitlines():
                _run(command, tmp_path)
