"""Made-up records of the lesson's sweeps, as small as a report's charts and pages allow."""

from __future__ import annotations

from dataclasses import replace

from analysis.reading.sweep_record import SweepRecord
from support.lesson_fixture import PLAUSIBLE, in_memory, made_up
from support.record_fixture import Recorded

SEEDS, EPOCHS = 4, 60


def sweep_of(role: str, seeds: int = SEEDS) -> list[Recorded]:
    """The trials of the sweep in that role, with plausible numbers."""
    return made_up(role, PLAUSIBLE[role], seeds, EPOCHS)


def record_of(role: str, seeds: int = SEEDS) -> SweepRecord:
    """The same as a record."""
    return in_memory(role, sweep_of(role, seeds))


def with_axes(record: SweepRecord, **changes: object) -> SweepRecord:
    """The record with something changed on all of its axes."""
    axes = tuple(replace(axis, **changes) for axis in record.manifest.axes)  # type: ignore[arg-type]
    return replace(record, manifest=replace(record.manifest, axes=axes))
