"""Trials trained for real, once, for benchmarks that need results and not the time they take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import parse
from trainables import data
from trainables.pack_run import PackRun
from trainables.result import to_bytes


def train(trials: int, flags: Sequence[str], path: Path) -> Path:
    """Trains so many trials of `sweeps/l2.py` with those flags; writes their results to `path`."""
    torch.set_num_threads(1)
    options = parse(SWEEP, "", ["--num-samples", str(trials), *flags])
    run = PackRun(DeclaredSweep(SWEEP, options).plan().trials, data.load(options.dataset))
    results = []
    while not run.done:
        results += run.advance()
    path.write_bytes(to_bytes(results))
    return path
