"""What became of a sweep's best on seeds that had no part in choosing them, in a sentence."""

from __future__ import annotations

import numpy as np
from mlflow import MlflowClient

from analysis.plotting.wording import all_in_percent, beside, with_interval
from analysis.reading.errors import Stop
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import OF_SHARES, ROUNDING, cut
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
    gains = [_gain(again, trial, baseline, len(chosen)) for trial in chosen]
    several = f"intervals for all {len(chosen)} at once" if len(chosen) > 1 else "interval"
    return f"{where}, minus {baseline.name}, 95 % t {several}: {'; '.join(gains)}."


def _gain(again: SweepRecord, trial: Trial, baseline: Trial, comparisons: int) -> str:
    each = again.final(trial, Curve.TEST_ACCURACY) - again.final(baseline, Curve.TEST_ACCURACY)
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
