"""Plain `pytest` leaves slow tests out and says so; who asks for them gets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.scripts import ROOT

HOOKS = "from support.left_out import *\n"
TESTS = """
import pytest

def test_quick():
    pass

@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
def test_slow(number):
    pass
"""
SAID = "2 slow tests were left out; run them too with: pytest --all"


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], 1),
        (["-n", "2"], 1),
        (["-k", "slow or quick"], 1),
        (["."], 1),
        (["--all"], 3),
        (["--all", "-n", "2"], 3),
        (["-m", "slow"], 2),
        (["-m", "not slow"], 1),
        (["test_some.py"], 3),
        (["test_some.py::test_slow"], 2),
        (["test_some.py::test_slow[2]"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_slow_tests_run_where_they_are_asked_for(
    tmp_path: Path, arguments: list[str], passed: int
) -> None:
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_some.py").write_text(TESTS)
    settings = f"[pytest]\npythonpath = {ROOT / 'tests'}\nmarkers = slow: takes long\n"
    (tmp_path / "pytest.ini").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{passed} passed" in done.stdout
    asked = {"--all", "-m"} & set(arguments) or any("test_some" in each for each in arguments)
    assert (SAID in done.stdout) == (not asked)
