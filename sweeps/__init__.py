"""What to run, and where: a script per sweep, and the same from Python.

    from sweeps import run
    from sweeps.l2 import SWEEP

    result = run(SWEEP, num_samples=50, seeds=10)

What is in `__all__` is public; the rest may change. Importing this loads nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeps.driver.door import run
    from sweeps.driver.result import SweepResult, load_sweep
    from sweeps.plan.errors import Interrupted, SweepError
    from sweeps.plan.sweep import Axis, Sweep

__all__ = [
    "Axis",
    "Interrupted",
    "Sweep",
    "SweepError",
    "SweepResult",
    "load_sweep",
    "run",
]

_HOMES = {
    "run": "sweeps.driver.door",
    "load_sweep": "sweeps.driver.result",
    "SweepResult": "sweeps.driver.result",
    "SweepError": "sweeps.plan.errors",
    "Interrupted": "sweeps.plan.errors",
    "Sweep": "sweeps.plan.sweep",
    "Axis": "sweeps.plan.sweep",
}


def __getattr__(name: str) -> object:
    # When it is asked for: a script of this folder shows its --help without any of it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
