"""A record as tables for other people: a row per trial, per model, and per model and epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.comparison import compare
from analysis.record import SweepRecord
from analysis.stats import Difference
from trainables.hyperparameters import Trial
from trainables.result import CURVES, Trained, TrialResult


def trial_table(record: SweepRecord) -> pd.DataFrame:
    """One row per trial: its configuration, its final numbers with their intervals, its run.

    Final numbers are those that MLflow holds; the difference to the baseline is taken seed by seed
    from the curves.
    """
    recorded = record.trials.set_index("trial_key")
    finals = [name for name in recorded.columns if name.startswith("final/")]
    differences = {row.trial.key: row.difference for row in compare(record)}
    rows = []
    for trial in record.usable:
        own = recorded.loc[trial.key]
        row = _configuration(record, trial) | {"run_id": record.run_of(trial)}
        row |= {name.removeprefix("final/"): own[name] for name in finals}
        rows.append(row | _difference(differences[trial.key]))
    return pd.DataFrame(rows)


def _configuration(record: SweepRecord, trial: Trial) -> dict[str, object]:
    values = trial.hyperparameters.as_dict()
    values["hidden"] = " ".join(map(str, values["hidden"]))
    is_baseline = trial == record.baseline
    return {"trial_key": trial.key, "config": trial.name, "baseline": is_baseline, **values}


def _difference(found: Difference | None) -> dict[str, float | None]:
    mean, low, high = (found.mean, found.low, found.high) if found else (None, None, None)
    name = "test_accuracy_minus_baseline"
    return {name: mean, f"{name}_ci_low": low, f"{name}_ci_high": high}


def seed_table(record: SweepRecord) -> pd.DataFrame:
    """One row per model: its trial's configuration, its seed, its final numbers."""
    return pd.DataFrame(list(_models(record)))


def _models(record: SweepRecord) -> Iterator[dict[str, object]]:
    parameters = [
        name.removesuffix(".shape")
        for name in record.weights.column_names
        if name.endswith(".shape")
    ]
    for trial in record.usable:
        trained = Trained(
            {metric: record.curve(trial, metric) for metric in CURVES},
            {name: record.parameter(trial, name) for name in parameters},
        )
        finals = TrialResult(trial, trained, 0.0, "").finals(record.manifest.summary_epochs)
        for index, seed in enumerate(trial.seeds):
            row = _configuration(record, trial) | {"seed": seed}
            row["diverged"] = bool(trained.diverged[index])
            yield row | {name: float(values[index]) for name, values in finals.items()}


def weight_table(record: SweepRecord) -> pa.Table:
    """One row per model of the usable trials, ordered as they and their seeds are."""
    weights = record.weights
    keys = pa.array([trial.key for trial in record.usable], pa.string())
    number = pc.index_in(weights["trial_key"], keys).fill_null(-1).to_numpy()
    order = np.lexsort((weights["seed"].to_numpy(), number))
    return weights.take(pa.array(order[number[order] >= 0]))
