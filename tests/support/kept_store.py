"""The store that an old version wrote: see record/kept/README.md."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from support.everything import all_runs

_ARCHIVE = Path(__file__).parents[1] / "record" / "kept" / "store.tar.xz"
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


@dataclass(frozen=True)
class Store:
    """An unpacked store, read once; its sweeps by name."""

    folder: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder}/mlflow.db"

    @cached_property
    def client(self) -> MlflowClient:
        return MlflowClient(self.uri)

    @cached_property
    def all(self) -> list[Run]:
        return all_runs(self.client)

    @property
    def sweeps(self) -> dict[str, Run]:
        found = (run for run in self.all if run.data.tags["kind"] == "sweep")
        return {run.data.tags["sweep"]: run for run in found}

    def runs(self, sweep: str, kind: str = "trial") -> list[Run]:
        wanted = {"sweep": sweep, "kind": kind}
        return [run for run in self.all if wanted.items() <= run.data.tags.items()]

    def artifacts(self, sweep: str) -> Path:
        return Path(self.sweeps[sweep].info.artifact_uri.removeprefix("file://"))

    def promised(self, sweep: str) -> list[dict[str, Any]]:
        """The trials of the sweep's `sweep.json`."""
        trials: list[dict[str, Any]] = self.manifest(sweep)["trials"]
        return trials

    def manifest(self, sweep: str) -> dict[str, Any]:
        text = (self.artifacts(sweep) / "sweep.json").read_text()
        manifest: dict[str, Any] = json.loads(text)
        return manifest


def unpack(folder: Path) -> Store:
    """The store in that folder, which now holds `mlflow.db`, `mlartifacts/`, `unrecorded/`."""
    with tarfile.open(_ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        for table, column in _PLACES:
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                (_MADE_AT, f"{folder.absolute().as_uri()}/"),
            )
    return Store(folder)
