"""Trial results as tables for people: every curve point and every parameter, one row each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from trainables.result import TrialResult


def curves_table(results: Sequence[TrialResult]) -> pa.Table:
    """One row per trial, seed and epoch (from 1), a float32 column per curve."""
    tables = []
    for result in results:
        seeds, epochs = next(iter(result.trained.curves.values())).shape
        columns = {
            "trial_key": _constant(result.trial.key, seeds * epochs),
            "config": _constant(result.trial.name, seeds * epochs),
            "seed": np.repeat(np.array(result.trial.seeds, dtype=np.int64), epochs),
            "epoch": np.tile(np.arange(1, epochs + 1, dtype=np.int32), seeds),
        }
        columns |= {name: curve.ravel() for name, curve in result.trained.curves.items()}
        tables.append(pa.table(columns))
    return pa.concat_tables(tables).unify_dictionaries()


def weights_table(results: Sequence[TrialResult]) -> pa.Table:
    """One row per model: each parameter flattened, and its shape."""
    rows = []
    for result in results:
        for index, seed in enumerate(result.trial.seeds):
            row = {"trial_key": result.trial.key, "config": result.trial.name, "seed": seed}
            for name, values in result.trained.parameters.items():
                row[name] = values[index].ravel()
                row[f"{name}.shape"] = list(values.shape[1:])
            rows.append(row)
    return pa.table({name: pa.array([row[name] for row in rows]) for name in rows[0]})


def _constant(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), [text])
