"""Trial results as tables for people: every curve point and every parameter, one row each.

These go into Parquet, which MLflow's UI cannot show. Beside each such file lies a thin CSV that it
can: means over seeds of the curves, and the models' final numbers in place of their weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trainables.record_format import Artifact, Column
from trainables.result import Array, Trained, TrialResult, recorded_curves
from trainables.trial import Trial

_HOW = "trials"  # key of metadata: seconds and device by trial key
MEANS_TRIALS = 1000  # in a sweep of more, the curves' CSV files would be many and each tell little


def write_part(
    folder: Path,
    name: str,
    results: Sequence[TrialResult],
    finals: Sequence[Mapping[str, Array]],
    means: pa.Table | None,
) -> None:
    """Writes `curves/` and `weights/`, in each the Parquet file `name` and its CSV.

    `means`: those of `mean_curves`, or None to go without, as sweeps of more than `MEANS_TRIALS`
    trials do; a smaller sweep's, all parts together, take about 1 MB.
    """
    for kind, table in (
        (Artifact.CURVES, curves_table(results)),
        (Artifact.WEIGHTS, weights_table(results)),
    ):
        (folder / kind).mkdir()
        pq.write_table(table, folder / kind / f"{name}{Artifact.TABLE}", compression="zstd")
    if means is not None:
        write_csv(means, folder / Artifact.CURVES / f"{name}{Artifact.PREVIEW}")
    write_csv(
        finals_table(results, finals), folder / Artifact.WEIGHTS / f"{name}{Artifact.PREVIEW}"
    )


def curves_table(results: Sequence[TrialResult]) -> pa.Table:
    """One row per trial, seed and epoch (from 1), a float32 column per curve."""
    tables = []
    for result in results:
        seeds, epochs = next(iter(result.trained.curves.values())).shape
        columns = {
            Column.TRIAL_KEY: _constant(result.trial.key, seeds * epochs),
            Column.CONFIG: _constant(result.trial.name, seeds * epochs),
            Column.SEED: np.repeat(np.array(result.trial.seeds, dtype=np.int64), epochs),
            Column.EPOCH: np.tile(np.arange(1, epochs + 1, dtype=np.int32), seeds),
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
                Column.TRIAL_KEY: result.trial.key,
                Column.CONFIG: result.trial.name,
                Column.SEED: seed,
            }
            for name, values in result.trained.parameters.items():
                row[name] = values[index].ravel()
                row[name + Column.SHAPE] = list(values.shape[1:])
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
        mine = curves.filter(pc.equal(curves[Column.TRIAL_KEY], trial.key))
        rows = weights.filter(pc.equal(weights[Column.TRIAL_KEY], trial.key)).to_pylist()
        if not rows:
            continue
        shape = (len(trial.seeds), trial.hyperparameters.epochs)
        names = [name.removesuffix(Column.SHAPE) for name in rows[0] if name.endswith(Column.SHAPE)]
        parameters = {
            name: np.array(
                [np.reshape(row[name], row[name + Column.SHAPE]) for row in rows], dtype=np.float32
            )
            for name in names
        }
        by_metric = {
            name: mine[name].to_numpy().reshape(shape)
            for name in recorded_curves(mine.column_names)
        }
        trained = Trained(by_metric, parameters)
        results.append(TrialResult(trial, trained, *how[trial.key]))
    return results


def mean_curves(results: Sequence[TrialResult], epochs: NDArray[Any]) -> pa.Table:
    """One row per trial and epoch (from 1), of `epochs` counted from 0: means over seeds.

    Empty from where a seed diverged on.
    """
    columns: dict[str, Any] = {
        Column.CONFIG: np.repeat([result.trial.name for result in results], len(epochs)),
        Column.EPOCH: np.tile(epochs + 1, len(results)),
    }
    for name in results[0].trained.curves:
        means = [result.trained.curves[name][:, epochs].mean(axis=0) for result in results]
        columns[name] = pa.array(np.concatenate(means), from_pandas=True)
    return pa.table(columns)


def finals_table(results: Sequence[TrialResult], finals: Sequence[Mapping[str, Array]]) -> pa.Table:
    """One row per model with its final numbers, (S,) each by trial; empty where it diverged."""
    columns: dict[str, Any] = {
        Column.CONFIG: [result.trial.name for result in results for _ in result.trial.seeds],
        Column.SEED: [seed for result in results for seed in result.trial.seeds],
    }
    for name in finals[0]:
        values = np.concatenate([each[name] for each in finals])
        columns[name] = pa.array(values.astype(np.float32), from_pandas=True)
    return pa.table(columns)


def write_csv(table: pa.Table, path: Path) -> None:
    """Writes a CSV file for people, who may open it in a spreadsheet.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay
    numbers. Parquet holds every text as it is.
    """
    columns = [_no_formula(column) for column in table.itercolumns()]
    names = _no_formula(pa.array(table.column_names)).to_pylist()
    pyarrow.csv.write_csv(pa.table(columns, names=names), path)


def _no_formula(texts: pa.Array) -> pa.Array:
    if not pa.types.is_string(texts.type):
        return texts
    return pc.replace_substring_regex(texts, pattern=r"^([=+\-@\t\r])", replacement=r"'\1")


def _constant(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), [text])
