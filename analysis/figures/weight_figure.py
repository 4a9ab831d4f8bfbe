"""Sparse or distributed: first-layer weights by size, at a penalty that acts.

Dimension letters: S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.figures.captions import trial_label
from analysis.figures.comparison import swept
from analysis.plotting.panels import LinePanel, Plot, Point, Series
from analysis.plotting.wording import in_percent, number
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, POSITIVE, SHARE, Estimate, estimate
from trainables.record_format import Curve
from trainables.result import NEAR_ZERO
from trainables.setting import models_of, settings
from trainables.trial import Trial

_ACTS = 0.1  # of the weights come near zero, more than without: then L1 acts
_SPARSE = ("l1",)  # penalties of which that is expected


class Shown(NamedTuple):
    """What is shown of a penalty: the sweep, its baseline if there, the trial, and why this one."""

    record: SweepRecord
    trials: tuple[Trial, ...]
    why: str


def of_penalties(found: Mapping[str, SweepRecord | None]) -> dict[str, list[SweepRecord]]:
    """The sweeps to look for each penalty in, of those by name; L1 acts from stronger λ on."""
    names = {"l1": ("l1", "strong-l1"), "l2": ("l2",)}
    there = {field: [found.get(name) for name in mine] for field, mine in names.items()}
    return {field: [one for one in mine if one] for field, mine in there.items()}


def weights(records: Mapping[str, Sequence[SweepRecord]]) -> Plot:
    """First-layer weights by size, without and with each penalty; `records`: its sweeps by field.

    L1 is shown at the least λ that acts, wherever that was recorded; L2 at the greatest.
    """
    found = {field: shown(field, mine) for field, mine in records.items()}
    panels = [_panel(field, records[field], one) for field, one in found.items()]
    there = {field: one for field, one in found.items() if one}
    return Plot(
        name="concepts_weights",
        title="Sparse or distributed: the size of the first layer's weights",
        subtitle="Weights of each model sorted by size; mean over n models at each rank, "
        f"band: {METHOD} (none with one model). Near zero: below {NEAR_ZERO:g} of the layer's "
        "largest",
        panels=tuple(panels),
        notes=_notes(there),
        run_ids=tuple(one.record.run_id for one in there.values()),
    )


def shown(field: str, records: Sequence[SweepRecord]) -> Shown | None:
    """What is shown of that penalty; None where no model of it is left."""
    steps = []
    for record in records:
        alive = [trial for trial in record.configurations if _lasting(record, trial).any()]
        steps += [(swept(record, trial)[0], record, trial) for trial in alive]
    steps.sort(key=lambda step: step[0])  # a sort that keeps the order of equal ones
    if not steps:
        return None
    _, record, trial = steps[-1]
    why = "the greatest λ recorded"
    if field in _SPARSE:
        acting = [step for step in steps if _rise(*step[1:]) >= _ACTS]
        least = f"{100 * _ACTS:g} points more of the weights near zero than without"
        why = f"the greatest λ recorded, since none up to it brings {least}"
        if acting:
            _, record, trial = acting[0]
            why = f"the least λ recorded that brings {least}"
    base = [one for one in (record.baseline,) if one and _lasting(record, one).any()]
    return Shown(record, tuple(dict.fromkeys([*base, trial])), why)


def _rise(record: SweepRecord, trial: Trial) -> float:
    """Share of first-layer weights near zero beyond that of the baseline."""
    if record.baseline is None:
        return 0.0
    mine, base = (sparsity_and_norm(record, one)[0].mean for one in (trial, record.baseline))
    return 0.0 if mine is None or base is None else mine - base


def sparsity_and_norm(record: SweepRecord, trial: Trial) -> tuple[Estimate, Estimate]:
    """Of the first layer over the models that did not diverge: share near zero, and norm."""
    weight = np.abs(record.parameter(trial, "0.weight")).reshape(len(trial.seeds), -1)
    lasting = _lasting(record, trial)
    largest = weight.max(axis=1, keepdims=True)
    near = np.where(lasting, (weight < NEAR_ZERO * largest).mean(axis=1), np.nan)
    norm = np.where(lasting, np.sqrt((weight**2).sum(axis=1)), np.nan)
    return estimate(near, SHARE), estimate(norm, POSITIVE)


def _notes(found: Mapping[str, Shown]) -> tuple[str, ...]:
    models = {field: models_of(one.record.manifest) for field, one in found.items()}
    shared, own = settings(models)
    lines = [shared] if shared else []
    for field, one in found.items():
        setting = f"{', '.join(own[field].values())}; " if own[field] else ""
        run = f"sweep {one.record.manifest.run_name}, MLflow run {one.record.run_id}"
        lines.append(f"{field}: {setting}{run}; the penalty shown is {one.why}")
    return tuple(lines)


def _panel(field: str, records: Sequence[SweepRecord], found: Shown | None) -> LinePanel:
    missing = f"no finished sweep '{field}' in the store"
    if records and found is None:
        missing = f"all models of '{field}' to compare diverged"
    series = [_series(field, found.record, trial) for trial in found.trials] if found else []
    return LinePanel(
        title=f"{field.upper()} penalty",
        x_label="rank of the weight, largest first",
        y_label="size |w|",
        series=tuple(series),
        style="curve",
        y_scale="symlog",
        missing="" if series else missing,
    )


def _series(field: str, record: SweepRecord, trial: Trial) -> Series:
    models = np.abs(record.parameter(trial, "0.weight")).reshape(len(trial.seeds), -1)
    by_rank = -np.sort(-models[_lasting(record, trial)], axis=1)
    points = [
        Point(rank, found.mean, found.low, found.high, found.n, found.diverged, run_id)
        for rank, column in enumerate(by_rank.T, start=1)
        for found, run_id in [(estimate(column, POSITIVE), record.run_of(trial))]
        if found.mean is not None
    ]
    near = number(in_percent(sparsity_and_norm(record, trial)[0].mean), ".1", " %")
    label = f"{field} = {trial_label(record, trial)}, n = {points[0].n}: {near} near zero"
    return Series(label, tuple(points))


def _lasting(record: SweepRecord, trial: Trial) -> NDArray[np.bool_]:
    """(S,): which models of the trial did not diverge."""
    return np.asarray(np.isfinite(record.curve(trial, Curve.TEST_LOSS)).all(axis=1))
