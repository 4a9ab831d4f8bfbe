"""Commands as users give them: a new process in a new folder, timed from its start to its exit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from measure import ROOT

RIVALS = Path(__file__).parent / "rivals"


def sweep_command(num_samples: int, seeds: int, epochs: int) -> list[str]:
    """`python sweeps/l2.py` over that many configurations and seeds, and nothing after that."""
    flags = {"--num-samples": num_samples, "--seeds": seeds, "--epochs": epochs, "--confirm": 0}
    words = [word for flag, value in flags.items() for word in (flag, str(value))]
    return [sys.executable, str(ROOT / "sweeps/l2.py"), *words]


def start(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """Starts `command` in `folder`, its output into files there, for one who has set nothing."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "RAY_", "TUNE_"))
    }
    with (folder / "stdout.txt").open("w") as out, (folder / "stderr.txt").open("w") as err:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=err, text=True
        )


def check(process: subprocess.Popen[str], folder: Path) -> None:
    """Raises `RuntimeError` when the process, which has ended, failed."""
    if process.returncode:
        last = (folder / "stderr.txt").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}:\n{last}")


def seconds_of(command: Sequence[str], folder: Path) -> float:
    """Seconds from the start of `command` in `folder` to its exit. Raises when it fails."""
    began = time.perf_counter()
    process = start(command, folder)
    process.wait()
    seconds = time.perf_counter() - began
    check(process, folder)
    return seconds
