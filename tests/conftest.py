"""What tests share: which of them run, a browser, and sweeps that were run once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Browser, sync_playwright

from support.left_out import *  # noqa: F403 - hooks, which pytest looks for here
from support.made_once import made_once
from support.record import Record, copy_record, read_record
from support.scripts import HANG, PACED, run_script

if TYPE_CHECKING:
    from support.everything import Everything

# A test run that is told to end takes its servers and sweeps with it, as after Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser in which records are looked at; each of its contexts is a fresh profile."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs chromium: apt-get update && apt-get install chromium")
        pytest.skip("no chromium here; on Debian: apt-get update && apt-get install chromium")
    quiet = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync")
    still = ("disable-background-networking", "disable-component-update")
    with sync_playwright() as playwright:
        flags = [f"--{name}" for name in (*quiet, *still)]
        browser = playwright.chromium.launch(executable_path=path, args=flags, timeout=HANG * 1000)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def l2_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A small finished sweep: 6 values of λ, 3 seeds, 40 epochs, a run per seed too.

    Each of pytest-xdist's processes has a copy of its own.
    """

    def make(folder: Path) -> None:
        flags = ("--num-samples", "6", "--seeds", "3", "--epochs", "40", "--log-seeds")
        done = run_script("sweeps/l2.py", *flags, cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / "stdout.txt").write_text(done.stdout)

    folder = tmp_path_factory.mktemp("l2") / "copy"
    copy_record(made_once(tmp_path_factory, "l2", make), folder)
    return read_record(folder)


@pytest.fixture(scope="session")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """All of a sweep with the flags `PACED` that no fault has met."""
    from support.everything import everything  # these import this module
    from support.invariants import check_invariants
    from support.sweep_process import started

    def make(folder: Path) -> None:
        with started("sweeps/l2.py", *PACED, cwd=folder) as process:
            assert process.wait() == 0, process.stderr
            check_invariants(folder, process=process)

    folder = made_once(tmp_path_factory, "paced", make)
    return everything(MlflowClient(f"sqlite:///{folder}/mlflow.db"))


@pytest.fixture(scope="session")
def lesson_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tracking URI of a store with a made-up sweep for every claim of the lesson."""
    from support.lesson_fixture import write_lesson  # it imports the analysis
    from support.record_fixture import new_store

    uri = new_store(tmp_path_factory.mktemp("lesson"))
    write_lesson(uri)
    return uri
