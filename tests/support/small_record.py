"""A small made-up sweep of λ, and reading it as the analysis scripts do."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.reading.connection import open_store
from analysis.reading.errors import Stop
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from support.record_fixture import Recorded, write_sweep

POINTS = [{"l2": 0.0}, {"l2": 0.01}, {"l2": 0.02}, {"l2": 0.1}]
NAMES = ["l2=0.000000", "l2=0.010000", "l2=0.020000", "l2=0.100000"]


def write(uri: str, sweep: list[Recorded], **more: object) -> str:
    artifacts = Path(uri.removeprefix("sqlite:///")).parent / "artifacts"
    return write_sweep(uri, artifacts, "l2", ["l2"], sweep, **more)  # type: ignore[arg-type]


def load(uri: str, run_id: str | None = None, allow_partial: bool = False) -> SweepRecord:
    return load_sweep(open_store(uri), "l2", run_id, allow_partial)


def refusal(uri: str, run_id: str | None = None) -> Stop:
    with pytest.raises(Stop) as caught:
        load(uri, run_id)
    assert "\n" not in str(caught.value)
    return caught.value
