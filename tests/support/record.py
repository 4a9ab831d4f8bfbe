"""What a sweep has recorded, read through MLflow's own client."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run


@dataclass(frozen=True)
class Record:
    """What the newest sweep in a folder's store left behind."""

    folder: Path
    parent: Run
    trials: list[Run]
    seeds: list[Run]
    manifest: dict[str, Any]

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.folder}/mlflow.db")

    def artifact(self, name: str) -> Path:
        return Path(self.parent.info.artifact_uri.removeprefix("file://")) / name

    def table(self, kind: str) -> pd.DataFrame:
        """`curves` or `weights` of every model, in one order whatever the packing was."""
        parts = [pd.read_parquet(path) for path in sorted(self.artifact(kind).glob("*.parquet"))]
        keys = ["config", "seed", "epoch"] if kind == "curves" else ["config", "seed"]
        table = pd.concat(parts, ignore_index=True)
        return table.astype({"config": str, "trial_key": str}).sort_values(keys, ignore_index=True)


def read_record(folder: Path) -> Record:
    """Reads the store in `folder` through MLflow's own client."""
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = list(client.search_runs(experiments, max_results=5000))
    parent = next(run for run in runs if run.data.tags["kind"] == "sweep")  # newest first
    mine = [run for run in runs if run.data.tags["sweep"] == parent.info.run_name]
    manifest_path = Path(parent.info.artifact_uri.removeprefix("file://")) / "sweep.json"
    return Record(
        folder,
        parent,
        [run for run in mine if run.data.tags["kind"] == "trial"],
        [run for run in mine if run.data.tags["kind"] == "seed"],
        json.loads(manifest_path.read_text()),
    )


def copy_record(folder: Path, copy: Path) -> None:
    """Copies a store that nobody writes to, with its artifacts, which it knows by their place."""
    shutil.copytree(folder, copy)
    places = (
        ("runs", "artifact_uri"),
        ("experiments", "artifact_location"),
        ("logged_models", "artifact_location"),
    )
    with closing(sqlite3.connect(copy / "mlflow.db")) as database:
        for table, column in places:
            change = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
            database.execute(change, (f"{folder}/", f"{copy}/"))
        database.commit()
