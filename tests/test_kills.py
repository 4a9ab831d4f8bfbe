"""Sweeps that are killed at any moment and resumed, again and again, end as if nothing had been."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from everything import Everything
from invariants import check_invariants
from servers import mlflow_server
from sweep_process import SweepProcess, started

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

FLAGS = ("--num-samples", "8", "--seeds", "2", "--epochs", "500", "--log-seeds")
PACKS = (("--pack", "1"), ("--pack", "3"), ())  # a resumed sweep may be packed in another way
KILLS = 6  # of each sweep
MOST_ATTEMPTS = 40


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


def interrupt_until_done(
    folder: Path,
    luck: Random,
    longest: float,
    kill: str,
    codes: set[int],
    **variables: str,
) -> int:
    """Starts the sweep, interrupts it and resumes it until it ends by itself; the interruptions.

    `longest`: seconds until the latest interruption. `kill`: `all` processes, the `launcher` alone,
    or the name of a signal, which has to end the script with one of `codes`.
    """
    interruptions = 0
    resume: tuple[str, ...] = ()
    with ExitStack() as stack:  # what a killed launcher leaves may still work when it is resumed
        for _ in range(MOST_ATTEMPTS):
            flags = (*(resume or FLAGS), *luck.choice(PACKS))
            process = stack.enter_context(started("sweeps/l2.py", *flags, cwd=folder, **variables))
            patience = luck.uniform(0, longest) if interruptions < KILLS else float("inf")
            if not wait_or_end(process, patience):
                code = process.wait()
                if code == 0:
                    return interruptions
                # Killed before its promise stood: there is nothing to resume.
                nothing = "start one without" in process.stderr or "sweep.json" in process.stderr
                assert (code, nothing) == (7, True), f"ended with {code}: {process.stderr}"
                resume = ()
                continue
            interruptions += 1
            if kill == "all":
                process.kill_all()
            elif kill == "launcher":
                process.signal(signal.SIGKILL)
                process.wait()
            else:
                process.signal(signal.Signals[kill])
                assert process.wait() in codes, process.stderr
                assert "Traceback" not in process.stderr
                assert process.living_after_the_end() == []
            resume = ("--resume",)
    raise AssertionError(f"not complete after {MOST_ATTEMPTS} attempts")


@pytest.mark.parametrize("kill", ["all", "launcher"])
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_sweeps_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float], kill: str, seed: int
) -> None:
    reference, seconds = undisturbed
    killed = interrupt_until_done(tmp_path, Random(seed), seconds, kill, set())
    assert killed == KILLS
    check_invariants(tmp_path, reference=reference)
    assert not list(tmp_path.glob("unrecorded"))


def test_killed_sweeps_on_a_server_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float], server: str
) -> None:
    reference, seconds = undisturbed
    luck = Random(3)
    killed = interrupt_until_done(
        tmp_path, luck, 1.5 * seconds, "all", set(), MLFLOW_TRACKING_URI=server
    )
    assert killed == KILLS
    check_invariants(server, reference=reference)
    assert not list(tmp_path.glob("unrecorded"))


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_interrupted_sweeps_are_completed_by_resuming_them(
    tmp_path: Path, undisturbed: tuple[Everything, float], name: str, code: int
) -> None:
    reference, seconds = undisturbed
    # Before Python has installed any handler, the system's own answer ends the process.
    early = {-signal.Signals[name]}
    stopped = interrupt_until_done(tmp_path, Random(code), seconds, name, {code} | early)
    assert stopped == KILLS
    check_invariants(tmp_path, reference=reference)
