"""A record as tables for other people: a row per trial, per model, and per model and epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.figures.comparison import compare
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import Difference, estimate
from trainables.record_format import Column, Final
from trainables.result import Array, Trained, TrialResult, recorded_curves
from trainables.trial import Trial


def trial_table(record: SweepRecord) -> pd.DataFrame:
    """One row per trial: its configuration, its run, final numbers with their intervals.

    A trial with one source of randomness exchanged has no difference to the baseline.

    Means, as on the figures, are over the models that did not diverge.
    """
    differences = {row.trial.key: row.difference for row in compare(record)}
    rows = []
    for trial in record.usable:
        finals, diverged = finals_by_seed(record, trial)
        row = _configuration(record, trial) | {Column.RUN_ID: record.run_of(trial)}
        row |= {"seeds": len(trial.seeds), "diverged_seeds": int(diverged.sum())}
        for name, values in finals.items():
            row |= _with_interval(name, values)
        rows.append(row | _difference(differences.get(trial.key)))
    return pd.DataFrame(rows)


def seed_table(record: SweepRecord) -> pd.DataFrame:
    """One row per model: its trial's configuration, its seed, its final numbers."""
    rows = []
    for trial in record.usable:
        finals, diverged = finals_by_seed(record, trial)
        for index, seed in enumerate(trial.seeds):
            row = _configuration(record, trial) | {
                Column.SEED: seed,
                "diverged": bool(diverged[index]),
            }
            rows.append(row | {name: float(values[index]) for name, values in finals.items()})
    return pd.DataFrame(rows)


def finals_by_seed(record: SweepRecord, trial: Trial) -> tuple[dict[str, Array], NDArray[np.bool_]]:
    """The final numbers of each seed, (S,) by name, NaN for one that diverged; who did, (S,)."""
    shapes = [name for name in record.weights.column_names if name.endswith(Column.SHAPE)]
    parameters = [name.removesuffix(Column.SHAPE) for name in shapes]
    trained = Trained(
        {metric: record.curve(trial, metric) for metric in recorded_curves(record.curves.columns)},
        {name: record.parameter(trial, name) for name in parameters},
    )
    lost = trained.diverged
    finals = TrialResult(trial, trained, 0.0, "").finals(record.manifest.summary_epochs)
    return {name: np.where(lost, np.nan, values) for name, values in finals.items()}, lost


def _configuration(record: SweepRecord, trial: Trial) -> dict[str, object]:
    values = trial.hyperparameters.as_row()
    is_baseline = trial == record.baseline
    found = {
        Column.TRIAL_KEY: trial.key,
        Column.CONFIG: trial.name,
        "baseline": is_baseline,
        **values,
    }
    if len(record.configurations) < len(record.usable):
        found["exchanged"] = trial.exchanged
    return found


def _with_interval(name: str, values: Array) -> dict[str, float | None]:
    found = estimate(values)
    spread = float(np.nanstd(values, ddof=1)) if found.n > 1 else None
    columns = {name: found.mean, f"{name}{Final.STD}": spread}
    return columns | {f"{name}{Final.CI_LOW}": found.low, f"{name}{Final.CI_HIGH}": found.high}


def _difference(found: Difference | None) -> dict[str, float | None]:
    mean, low, high = (found.mean, found.low, found.high) if found else (None, None, None)
    name = "test_accuracy_minus_baseline"
    return {name: mean, f"{name}{Final.CI_LOW}": low, f"{name}{Final.CI_HIGH}": high}


def weight_table(record: SweepRecord) -> pa.Table:
    """One row per model of the usable trials, ordered as they and their seeds are."""
    weights = record.weights
    keys = pa.array([trial.key for trial in record.usable], pa.string())
    number = pc.index_in(weights[Column.TRIAL_KEY], keys).fill_null(-1).to_numpy()
    order = np.lexsort((weights[Column.SEED].to_numpy(), number))
    return weights.take(pa.array(order[number[order] >= 0]))
