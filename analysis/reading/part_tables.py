"""A sweep's Parquet files, checked against its manifest.

Dimension letters: T trials, S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trainables.record_format import Column
from trainables.result import recorded_curves
from trainables.trial import Trial

_Places = NDArray[np.int64]
_Marks = NDArray[np.bool_]
_MODEL_AND_EPOCH = (
    (Column.TRIAL_KEY, pa.dictionary(pa.int32(), pa.string())),
    (Column.SEED, pa.int64()),
    (Column.EPOCH, pa.int64()),
)


def read_curves(folder: Path, trials: Sequence[Trial]) -> tuple[pd.DataFrame, dict[str, str]]:
    """All curves of `trials` that are whole, and what is wrong with the others, by trial key.

    The table has columns trial_key, config, seed, epoch (from 1) and one per metric, those of
    `CURVES` and, where rows were held out, `HELD_OUT_CURVES`, with folds `CV_CURVES`, ordered as
    `trials` and their seeds are and then by epoch: each trial is a block of S × E rows. Rows that
    several files repeat are taken once; with other numbers they raise `ValueError`.
    """
    if not (files := _files(folder)):
        columns = [Column.TRIAL_KEY, Column.CONFIG, Column.SEED, Column.EPOCH, *recorded_curves(())]
        return pd.DataFrame(columns=columns), {trial.key: "no curves" for trial in trials}
    # Keys as numbers into a list of texts, whichever way a file has them: millions of rows repeat
    # a few keys.
    form = pads.ParquetFileFormat(dictionary_columns=[Column.TRIAL_KEY])
    metrics = recorded_curves({name for file in files for name in pq.read_schema(file).names})
    schema = pa.schema([*_MODEL_AND_EPOCH, *((name, pa.float32()) for name in metrics)])
    rows = pads.dataset(files, schema=schema, format=form)
    _require_columns(rows, {*schema.names, Column.CONFIG})
    table = rows.to_table().unify_dictionaries()
    found = pc.index_in(
        table[Column.TRIAL_KEY], pa.array([trial.key for trial in trials], pa.string())
    )
    number = found.fill_null(-1).to_numpy()
    if (number < 0).any():
        table, number = table.filter(pa.array(number >= 0)), number[number >= 0]
    place, first = _places(table, number, trials)
    sound = place >= 0
    seen = np.bincount(place[sound], minlength=first[-1]) > 0
    full = np.logical_and.reduceat(seen, first[:-1])  # (T,)
    full &= np.bincount(number[~sound], minlength=len(trials)) == 0
    problems = {
        trial.key: _incompleteness(trial, seen[start:stop])
        for trial, start, stop, whole in zip(trials, first, first[1:], full, strict=False)
        if not whole
    }
    keep = np.flatnonzero(full[number])
    kept_place = place[keep]
    if np.array_equal(kept_place, np.arange(len(keep))):
        order = None if len(keep) == table.num_rows else keep
    else:
        by_place = np.argsort(kept_place, kind="stable")
        again = np.concatenate([[False], np.diff(kept_place[by_place]) == 0])
        _require_equal_repeats(table, keep[by_place], again, number, trials)
        order = keep[by_place[~again]]
    if order is not None:
        table, number = table.take(pa.array(order)), number[order]
    return _frame(table, number, trials), problems


def _files(folder: Path) -> list[str]:
    return [str(file) for file in sorted(folder.glob("*.parquet"))]


def _require_columns(rows: pads.Dataset, needed: set[str]) -> None:
    # Where one file lacks a column, a dataset fills it with nulls: a diverged model's numbers.
    for part in rows.get_fragments():
        if lacking := needed - set(part.physical_schema.names):
            raise ValueError(f"{Path(part.path).name} lacks the columns {sorted(lacking)}")


def _places(table: pa.Table, number: _Places, trials: Sequence[Trial]) -> tuple[_Places, _Places]:
    """Where each row belongs in the ordered table, -1 if nowhere; where each trial begins (T+1,).

    `number`: the place of each row's trial among `trials`, which all have the same seeds.
    """
    epochs = np.array([trial.hyperparameters.epochs for trial in trials])
    sizes = epochs * len(trials[0].seeds)
    first = np.concatenate([[0], np.cumsum(sizes)])
    seed = pd.Index(trials[0].seeds).get_indexer(table[Column.SEED].to_numpy())
    epoch = table[Column.EPOCH].to_numpy()
    promised = (seed >= 0) & (epoch >= 1) & (epoch <= epochs[number])
    place = first[number] + seed * epochs[number] + epoch - 1
    return np.where(promised, place, -1), first


def _incompleteness(trial: Trial, seen: _Marks) -> str:
    """What a trial lacks that has rows at the places `seen` (S·E,)."""
    if not seen.any():
        return "no curves"
    by_seed = seen.reshape(len(trial.seeds), -1)
    short = [str(seed) for seed, own in zip(trial.seeds, by_seed, strict=True) if not own.all()]
    if not short:
        return "curves with other epochs or seeds than promised"
    epochs = trial.hyperparameters.epochs
    return f"curves without all {epochs} epochs for seed {', '.join(short[:5])}"


def _require_equal_repeats(
    table: pa.Table, rows: _Places, again: _Marks, number: _Places, trials: Sequence[Trial]
) -> None:
    """`rows` of the table by place, where `again` marks those whose place the row before has."""
    later = np.flatnonzero(again)
    for name in recorded_curves(table.column_names):
        values = table[name].to_numpy()
        one, other = values[rows[later - 1]], values[rows[later]]
        differ = (one != other) & ~(np.isnan(one) & np.isnan(other))
        if differ.any():
            trial = trials[number[rows[later[differ][0]]]]
            raise ValueError(f"{trial.name} is recorded twice with different numbers")


def _frame(table: pa.Table, number: _Places, trials: Sequence[Trial]) -> pd.DataFrame:
    columns: dict[str, Any] = {
        Column.TRIAL_KEY: _categories(number, [trial.key for trial in trials]),
        Column.CONFIG: _categories(number, [trial.name for trial in trials]),
    }
    columns |= {name: table[name].to_numpy() for name in table.column_names[1:]}
    return pd.DataFrame(columns)


def _categories(number: _Places, texts: Sequence[str]) -> pd.Categorical[str]:
    """The text of each row's trial, where trials may share one."""
    each = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([each[text] for text in texts], dtype=np.int32)
    return pd.Categorical.from_codes(codes[number], categories=pd.Index(list(each), dtype=object))


def read_weights(folder: Path, trials: Sequence[Trial]) -> pa.Table:
    """One row per recorded model of the trials, in no promised order."""
    if not (files := _files(folder)):
        return pa.table({})
    schemas = [part.physical_schema for part in pads.dataset(files).get_fragments()]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    rows = pads.dataset(files, schema=schema)
    _require_columns(rows, {Column.TRIAL_KEY, Column.SEED})
    keys = pa.array([trial.key for trial in trials], pa.string())
    table = rows.to_table(filter=pc.field(Column.TRIAL_KEY).isin(keys))
    models = pd.DataFrame(
        {name: table[name].to_numpy() for name in (Column.TRIAL_KEY, Column.SEED)}
    )
    repeated = models.duplicated().to_numpy()
    return table.filter(pa.array(~repeated)) if repeated.any() else table
