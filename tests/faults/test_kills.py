"""Sweeps that are killed at any moment and resumed, again and again, end as if nothing had been."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Set
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from random import Random

import psutil
import pytest

from support.everything import Everything
from support.invariants import check_invariants
from support.servers import mlflow_server
from support.sweep_process import SweepProcess, started

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

FLAGS = ("--num-samples", "8", "--seeds", "2", "--epochs", "500", "--log-seeds")
# A resumed sweep may be packed in another way, for another number of workers.
PACKS = (("--pack", "1"), ("--pack", "3", "--max-concurrent", "1"), ("--max-concurrent", "1"))
# Kills of the script, with all processes or alone, are 20 in all.
KILLS, FEW_KILLS = 8, 4  # of each test
# In its first half second, while it imports, Python's own answer ends the process, for Ctrl-C with
# a traceback.
EARLY = frozenset({-signal.SIGTERM, -signal.SIGINT})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Everything, float]:
    """The sweep without a fault, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    began = time.monotonic()
    with started("sweeps/l2.py", *FLAGS, "--pack", "1", cwd=folder) as process:
        assert process.wait() == 0, process.stderr
        seconds = time.monotonic() - began
        found = check_invariants(folder, process=process)
    assert found is not None
    return found, seconds


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a tracking server: there runs are written call by call."""
    with mlflow_server() as running:
        yield running.uri


def wait_or_end(process: SweepProcess, seconds: float) -> bool:
    """Whether the script still runs after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.ended():
            return False
        time.sleep(0.02)
    return not process.ended()


def nothing_to_resume(process: SweepProcess, code: int) -> bool:
    """Whether the script ended because the one before it was killed before its promise stood."""
    named = "start one without" in process.stderr or "sweep.json" in process.stderr
    return code == 7 and named


def interrupt(process: SweepProcess, how: str, codes: Set[int]) -> bool:
    """Kills `all` processes, the `launcher` or the `recorder` alone, or sends that signal.

    The last two have to end the script in good order, with one of `codes`; or they came too late,
    when all was done. Whether they did not.
    """
    if how == "all":
        process.kill_all()
    elif how == "launcher":
        process.signal(signal.SIGKILL)
        process.wait()
    else:
        if how == "recorder":
            for each in process.processes():
                with suppress(psutil.NoSuchProcess):
                    if "sweeps.record.process" in " ".join(each.cmdline()):
                        each.kill()
        else:
            process.signal(signal.Signals[how])
        code = process.wait()
        if nothing_to_resume(process, code):
            return True
        assert code in codes | {0}, process.stderr
        assert "Traceback" not in process.stderr or code in EARLY
        assert process.living_after_the_end() == []
        return code != 0
    return True


def complete_in_spite(
    folder: Path, luck: Random, usual: Usual, kills: int, how: str, codes: Set[int], store: str
) -> int:
    """Starts a sweep and resumes it until it ends by itself; how often it was interrupted.

    At most `kills` times, each at a random moment of the time that it `usual`ly takes. `store`: its
    address, empty for the usual one.
    """
    interruptions = 0
    resume: tuple[str, ...] = ()
    variables = {"MLFLOW_TRACKING_URI": store} if store else {}
    with ExitStack() as stack:  # what a killed launcher leaves may still work when it is resumed
        while True:
            flags = (*(resume or FLAGS), *luck.choice(PACKS))
            began = time.monotonic()
            process = stack.enter_context(started("sweeps/l2.py", *flags, cwd=folder, **variables))
            moment = luck.uniform(0, usual.seconds(resume))
            if wait_or_end(process, moment if interruptions < kills else float("inf")):
                if not interrupt(process, how, codes):
                    return interruptions
                interruptions += 1
                resume = ("--resume",)
                continue
            code = process.wait()
            if code == 0:
                usual.took(resume, time.monotonic() - began)
                return interruptions
            assert nothing_to_resume(process, code), f"ended with {code}: {process.stderr}"
            resume = ()


class Usual:
    """The shortest times of sweeps, new ones and resumed ones, that nothing interrupted.

    A later moment would often come when all is done, after work that shows nothing.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = {False: seconds, True: seconds}

    def seconds(self, resume: tuple[str, ...]) -> float:
        return self._seconds[bool(resume)]

    def took(self, resume: tuple[str, ...], seconds: float) -> None:
        self._seconds[bool(resume)] = min(seconds, self._seconds[bool(resume)])


def disturb(
    folder: Path,
    undisturbed: tuple[Everything, float],
    seed: int,
    how: str,
    kills: int,
    codes: Set[int] = frozenset(),
    store: str = "",
) -> None:
    """As many sweeps one after the other as it takes to interrupt `kills` times; all are whole."""
    reference, seconds = undisturbed
    luck, usual = Random(seed), Usual(seconds)
    left = kills
    for number in count():
        if not left:
            return
        own = folder / str(number)
        own.mkdir()
        left -= complete_in_spite(own, luck, usual, left, how, codes, store)
        check_invariants(store or own, reference=reference)
        assert not (own / "unrecorded").exists()


@pytest.mark.parametrize(("seed", "how"), [(1, "all"), (2, "launcher")])
def test_killed_sweeps_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float], seed: int, how: str
) -> None:
    disturb(tmp_path, undisturbed, seed, how, KILLS)


def test_killed_sweeps_on_a_server_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float], server: str
) -> None:
    disturb(tmp_path, undisturbed, 3, "all", FEW_KILLS, store=server)


def test_sweeps_whose_recorder_is_killed_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float]
) -> None:
    disturb(tmp_path, undisturbed, 4, "recorder", FEW_KILLS, {4})


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_interrupted_sweeps_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float], name: str, code: int
) -> None:
    disturb(tmp_path, undisturbed, code, name, FEW_KILLS, {code} | EARLY)
