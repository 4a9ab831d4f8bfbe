"""Trial results as tables for people: every curve point and every parameter, one row each."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainables.hyperparameters import Trial
from trainables.result import CURVES, Trained, TrialResult

_HOW = "trials"  # key of metadata: seconds and device by trial key


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
    """One row per model: each parameter flattened, and its shape.

    How long each trial took and on what stands in the schema's metadata: frames of equal models are
    equal.
    """
    rows = []
    for result in results:
        for index, seed in enumerate(result.trial.seeds):
            row: dict[str, object] = {
                "trial_key": result.trial.key,
                "config": result.trial.name,
                "seed": seed,
            }
            for name, values in result.trained.parameters.items():
                row[name] = values[index].ravel()
                row[f"{name}.shape"] = list(values.shape[1:])
            rows.append(row)
    how = {result.trial.key: [result.seconds, result.device] for result in results}
    table = pa.table({name: pa.array([row[name] for row in rows]) for name in rows[0]})
    return table.replace_schema_metadata({_HOW: json.dumps(how)})


def results_from_tables(
    curves: pa.Table, weights: pa.Table, trials: Sequence[Trial]
) -> list[TrialResult]:
    """Those of `trials` that the two tables hold, as they were trained, exact to the bit."""
    how = json.loads(weights.schema.metadata[_HOW.encode()])
    results = []
    for trial in trials:
        mine = curves.filter(pc.equal(curves["trial_key"], trial.key))
        rows = weights.filter(pc.equal(weights["trial_key"], trial.key)).to_pylist()
        if not rows:
            continue
        shape = (len(trial.seeds), trial.hyperparameters.epochs)
        names = [name.removesuffix(".shape") for name in rows[0] if name.endswith(".shape")]
        parameters = {
            name: np.array(
                [np.reshape(row[name], row[f"{name}.shape"]) for row in rows], dtype=np.float32
            )
            for name in names
        }
        by_metric = {name: mine[name].to_numpy().reshape(shape) for name in CURVES}
        trained = Trained(by_metric, parameters)
        results.append(TrialResult(trial, trained, *how[trial.key]))
    return results


def _constant(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), [text])
