"""What became of a sweep's best where nothing had chosen them, in sentences: on seeds that had no
part in it, and on rows that no seed trains on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mlflow import MlflowClient

from analysis.plotting.wording import accuracy_text, all_in_percent, beside, with_interval
from analysis.reading.errors import Stop
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import OF_SHARES, ROUNDING, SHARE, cut, estimate
from trainables.record_format import Curve
from trainables.result import interval
from trainables.trial import Trial


def confirmed_reading(client: MlflowClient, record: SweepRecord) -> str:
    """What the sweep that confirms this one has found; empty without one."""
    if not record.confirmed_by:
        return ""
    try:
        again = load_sweep(client, None, record.confirmed_by, allow_partial=True)
    except Stop as stop:
        return f"Its best were tried on fresh seeds, but that record cannot be read: {stop}."
    return on_fresh_seeds(again)


def on_fresh_seeds(again: SweepRecord) -> str:
    """The gain of each configuration that had been chosen, with intervals for all at once."""
    baseline = again.baseline
    seeds = again.manifest.trials[0].seeds
    where = f"On {len(seeds)} fresh seeds, {seeds[0]} to {seeds[-1]} (run {again.run_id[:8]})"
    chosen = [trial for trial in again.configurations if trial != baseline]
    if baseline is None or not chosen:
        return f"{where}, nothing can be compared."
    gains = _gains(again, chosen, baseline, Curve.TEST_ACCURACY)
    held_out = held_out_reading(again, chosen)
    return f"{where}, minus {baseline.name}, {gains}.{held_out and f' {held_out}'}"


def held_out_reading(record: SweepRecord, chosen: Sequence[Trial]) -> str:
    """The chosen and the baseline on the rows that no model was trained on; empty without any.

    Intervals of differences hold for all configurations of the sweep at once, since the models are
    those that were chosen by.
    """
    if not record.manifest.held_out_rows:
        return ""
    baseline = record.baseline
    others = [trial for trial in dict.fromkeys(chosen) if trial != baseline]
    named = ([(f"the baseline {baseline.name}", baseline)] if baseline else []) + [
        (trial.name, trial) for trial in others
    ]
    accuracies = [
        f"{name} has {accuracy_text(estimate(record.final(one, Curve.HELD_OUT_ACCURACY), SHARE))}"
        for name, one in named
    ]
    minus = ""
    if baseline and others:
        gains = _gains(record, others, baseline, Curve.HELD_OUT_ACCURACY)
        minus = f"; minus the baseline, {gains}"
    return (
        f"On the {record.manifest.held_out_rows} rows that no model of this sweep was trained on "
        f"{', '.join(accuracies)}{minus}. Intervals are over seeds: of other rows they say nothing."
    )


def _gains(record: SweepRecord, chosen: Sequence[Trial], baseline: Trial, curve: str) -> str:
    comparisons = max(1, len(record.configurations) - 1)
    several = f"intervals for all {comparisons} at once" if comparisons > 1 else "interval"
    gains = [_gain(record, trial, baseline, comparisons, curve) for trial in chosen]
    return f"95 % t {several}: {'; '.join(gains)}"


def _gain(again: SweepRecord, trial: Trial, baseline: Trial, comparisons: int, curve: str) -> str:
    each = again.final(trial, curve) - again.final(baseline, curve)
    if not np.isfinite(each).all():
        return f"{trial.name} has models that diverged"
    mean = float(each.mean())
    if len(each) == 1 or np.ptp(each) < ROUNDING:
        return f"{trial.name} {beside(all_in_percent((mean, None, None)), '+.2', ' points')} always"
    at_once = interval(each, comparisons)
    low, high = cut(at_once.low, OF_SHARES), cut(at_once.high, OF_SHARES)
    text = with_interval(all_in_percent((mean, low, high)), "+.2", " points")
    lucky = low is None or high is None or low <= 0 <= high
    return f"{trial.name} {text}, {'cannot be told from it' if lucky else 'more than luck'}"
