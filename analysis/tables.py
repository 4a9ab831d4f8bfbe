"""A sweep's Parquet files, checked against its manifest.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.manifest import Manifest
from trainables.hyperparameters import Trial
from trainables.result import CURVES


def read_curves(folder: Path, manifest: Manifest) -> tuple[pd.DataFrame, dict[str, str]]:
    """All curves that are whole, and what is wrong with those that are not, by trial key.

    The table has columns trial_key, config, seed, epoch (from 1) and one per metric, ordered as
    trials and seeds are in the manifest and then by epoch: each trial is a block of S × E rows.
    Rows that several files repeat are taken once; with other numbers they raise `ValueError`.
    """
    trials = {trial.key: trial for trial in manifest.trials}
    whole: dict[str, pd.DataFrame] = {}
    problems: dict[str, str] = {}
    for file in sorted(folder.glob("*.parquet")):
        frame = pq.read_table(file).to_pandas()
        if lacking := {"trial_key", "config", "seed", "epoch", *CURVES} - set(frame.columns):
            raise ValueError(f"{file.name} lacks the columns {sorted(lacking)}")
        for key, rows in frame.groupby("trial_key", sort=False, observed=True):
            if key not in trials:
                continue
            trial = trials[str(key)]
            block = _ordered(rows.drop_duplicates(), trial)
            if block is None:
                problems.setdefault(trial.key, _incompleteness(rows, trial))
            elif trial.key not in whole:
                whole[trial.key] = block
            elif not block.equals(whole[trial.key]):
                raise ValueError(f"{trial.name} is recorded twice with different numbers")
    problems = {key: text for key, text in problems.items() if key not in whole}
    for key in trials:
        if key not in whole:
            problems.setdefault(key, "no curves")
    blocks = [whole[key] for key in trials if key in whole]
    empty = pd.DataFrame(columns=["trial_key", "config", "seed", "epoch", *CURVES])
    return (pd.concat(blocks, ignore_index=True) if blocks else empty), problems


def _ordered(rows: pd.DataFrame, trial: Trial) -> pd.DataFrame | None:
    """The rows by seed and epoch, or None unless each seed has each epoch exactly once."""
    epochs = trial.hyperparameters.epochs
    position = {seed: number for number, seed in enumerate(trial.seeds)}
    places = (rows["seed"].map(position) * epochs + rows["epoch"] - 1).to_numpy()
    order = np.argsort(places)
    if not np.array_equal(places[order], np.arange(len(trial.seeds) * epochs)):
        return None
    return rows.iloc[order].reset_index(drop=True)


def _incompleteness(rows: pd.DataFrame, trial: Trial) -> str:
    counts = rows.drop_duplicates().groupby("seed").size()
    epochs = trial.hyperparameters.epochs
    short = [str(seed) for seed in trial.seeds if counts.get(seed, 0) != epochs]
    if not short:
        return "curves with other epochs or seeds than promised"
    return f"curves without all {epochs} epochs for seed {', '.join(short[:5])}"


def read_weights(folder: Path, keys: Sequence[str]) -> pa.Table:
    """One row per model of the trials `keys`; what several files repeat may occur twice."""
    tables = []
    for file in sorted(folder.glob("*.parquet")):
        table = pq.read_table(file)
        if "trial_key" not in table.column_names:
            raise ValueError(f"{file.name} lacks the column trial_key")
        tables.append(table.filter(pc.is_in(table["trial_key"], pa.array(keys, pa.string()))))
    return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
