"""Unpacks the store that an old version wrote: see kept/README.md."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

_ARCHIVE = Path(__file__).parent / "kept" / "store.tar.xz"
_MADE_AT = "file:///srv/regularization-sweeps/"
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
)

# What its sweeps are called, and what each stands for.
LESSON = "dropout-20261130-085654-088e"
FOLDS = "l2-20261130-085713-45f1"
PLAIN = "l2-20261130-085735-24f3"
LOG_SEEDS = "batch_size-20261130-085754-7d7e"
DIVERGED = "elastic_net-20261130-085809-67bc"
BY_SOURCE = "seeds-20261130-085827-5bbc"
KILLED = "l2-20261130-085855-f8aa"
KEPT = "l1-20261130-085911-5a69"
FINISHED = (LESSON, FOLDS, PLAIN, LOG_SEEDS, DIVERGED, BY_SOURCE)


def unpack(folder: Path) -> Path:
    """The same folder, which now holds `mlflow.db`, `mlartifacts/` and `unrecorded/`."""
    with tarfile.open(_ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        for table, column in _PLACES:
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                (_MADE_AT, f"{folder.absolute().as_uri()}/"),
            )
    return folder
