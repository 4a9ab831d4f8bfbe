"""What a benchmarked command left in its folder's `mlflow.db`, read without MLflow."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_TABLES = ("runs", "metrics", "latest_metrics", "params", "tags")

Accuracies = dict[tuple[float, int], float]  # by l2 and seed


def row_counts(folder: Path) -> dict[str, int]:
    """Rows of each table that a run leaves rows in."""
    return {name: _rows(folder, f"SELECT count(*) FROM {name}")[0][0] for name in _TABLES}


def training_seconds(folder: Path) -> float:
    """Seconds that the workers spent training, added up, as the sweep recorded them."""
    query = "SELECT total(value) FROM latest_metrics WHERE key = 'time/train_seconds'"
    return float(_rows(folder, query)[0][0])


def sweep_accuracies(folder: Path, l2_by_key: dict[str, float]) -> Accuracies:
    """Test accuracies after the last epoch that a sweep of this project left as Parquet.

    `l2_by_key`: the λ of each trial by its key.
    """
    columns = ["trial_key", "seed", "epoch", "test/accuracy"]
    paths = sorted(folder.glob("mlartifacts/**/curves/*.parquet"))
    table = pa.concat_tables([pq.read_table(path, columns=columns) for path in paths])
    rows = table.to_pylist()
    last = max(row["epoch"] for row in rows)
    return {
        (l2_by_key[row["trial_key"]], row["seed"]): row["test/accuracy"]
        for row in rows
        if row["epoch"] == last
    }


def rival_accuracies(folder: Path) -> Accuracies:
    """The same of a rival: runs with params `l2` and `seed` and a metric `test_accuracy`."""
    query = """
        SELECT l2.value, seed.value, metric.value FROM latest_metrics AS metric
        JOIN params AS l2 ON l2.run_uuid = metric.run_uuid AND l2.key = 'l2'
        JOIN params AS seed ON seed.run_uuid = metric.run_uuid AND seed.key = 'seed'
        WHERE metric.key = 'test_accuracy'
    """
    return {(float(l2), int(seed)): value for l2, seed, value in _rows(folder, query)}


def _rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return connection.execute(query).fetchall()
