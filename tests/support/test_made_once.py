"""Processes that want the same folder at once find it made, by one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.made_once import made_once
from support.scripts import ROOT

TESTS = """
import time

import pytest

from support.made_once import made_once

def make(folder):
    with (folder / "made").open("a") as file:
        file.write("once")
    time.sleep(0.2)

@pytest.mark.parametrize("number", range(8))
def test_it_is_there(tmp_path_factory, number):
    assert (made_once(tmp_path_factory, "any", make) / "made").read_text() == "once"
"""


def test_one_of_several_processes_makes_it(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'tests'}\n")
    flags = ("-n", "3", "--dist", "load", "--basetemp", str(tmp_path / "run"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout
    assert len(list((tmp_path / "run").rglob("made"))) == 1


def test_what_could_not_be_made_is_made_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise InterruptedError

    name = "of-this-test"
    with pytest.raises(InterruptedError):
        made_once(tmp_path_factory, name, fail)
    folder = made_once(tmp_path_factory, name, lambda folder: (folder / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]
