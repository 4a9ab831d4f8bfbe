"""What every benchmark needs: timing, what was measured where, a table, raw results as JSON."""

from __future__ import annotations

import json
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from sweeps.plan import provenance

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
_MORE_PACKAGES = ("jax", "jaxlib", "joblib", "psutil")  # beside those that provenance names

T = TypeVar("T")


def time_runs(
    function: Callable[[], T], runs: int, settle: Callable[[], None] = lambda: None
) -> tuple[list[float], T]:
    """The seconds of each of `runs` calls, and what the last one returned.

    `settle` waits until all work has really been done; it is called before and after each call.
    """
    if runs < 1:
        raise ValueError(f"runs must be at least 1, got {runs}")
    seconds = []
    for _ in range(runs):
        settle()
        began = time.perf_counter()
        outcome = function()
        settle()
        seconds.append(time.perf_counter() - began)
    return seconds, outcome


def spread(seconds: Sequence[float]) -> dict[str, float | int]:
    """`median`, `min` and `max` of the runs' seconds, and `n`, the number of runs."""
    return {
        "median": statistics.median(seconds),
        "min": min(seconds),
        "max": max(seconds),
        "n": len(seconds),
    }


def shown(seconds: Sequence[float], digits: int = 2) -> str:
    """`median (min to max)`, or the one value when there is but one."""
    found = spread(seconds)
    if found["n"] == 1:
        return f"{found['median']:.{digits}f}"
    return f"{found['median']:.{digits}f} ({found['min']:.{digits}f} to {found['max']:.{digits}f})"


def pin_to_one_core() -> None:
    """Keeps this process, and those that it starts from now on, on one core.

    Where the system cannot do that, only the number of threads is limited.
    """
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def save(name: str, folder: Path, command: Sequence[str], content: Mapping[str, Any]) -> Path:
    """Writes `content` with what made it to `<folder>/<name>.json`; the path.

    `command`: the script and its arguments.
    """
    head, dirty = provenance.commit(without="benchmarks/results")
    machine = provenance.machine()
    found = {
        "benchmark": name,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "command": shlex.join(["python", f"benchmarks/{Path(command[0]).name}", *command[1:]]),
        "commit": head,
        "dirty": dirty,
        "machine": {key: machine[key] for key in ("cpu", "cores", "system")},
        "versions": _versions(),
        **content,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def _versions() -> dict[str, str]:
    """Versions of Python and of the packages that are there."""
    found = provenance.versions()
    for name in _MORE_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {name: number for name, number in found.items() if number != "absent"}


def print_table(title: str, rows: Sequence[Mapping[str, str]], note: str = "") -> None:
    """Prints `rows`, whose keys are the columns; all but the first column to the right."""
    table = Table(title=title, caption=note or None, title_justify="left", caption_justify="left")
    for number, name in enumerate(rows[0]):
        table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    # Wide enough for every column when the output goes to a file.
    console = Console() if sys.stdout.isatty() else Console(width=150)
    console.print(table)
