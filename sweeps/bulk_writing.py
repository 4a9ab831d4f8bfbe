"""Finished runs straight into an embedded store's tables: one transaction for many runs.

MLflow's public API takes about 0.1 s for a run with its curves, most of it in making objects that
are thrown away; this takes about a hundredth of that. The tables are not a public interface, so
`usable` says whether they are those that this was written for (MLflow 3.17); elsewhere
`public_writing` does the same, and a test compares the two through MLflow's own reading API.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweeps.finished_run import FinishedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

_VERSIONS = ("3.17.",)
_COLUMNS = {
    "runs": {
        "run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status",
        "start_time", "end_time", "deleted_time", "source_version", "lifecycle_stage",
        "artifact_uri", "experiment_id",
    },
    "tags": {"key", "value", "run_uuid"},
    "params": {"key", "value", "run_uuid"},
    "metrics": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
    "latest_metrics": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
}  # fmt: skip


def usable(client: MlflowClient) -> bool:
    """Whether the client writes to an embedded SQLite store with the tables known here."""
    import mlflow
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = client._tracking_client.store
    if not mlflow.__version__.startswith(_VERSIONS) or not isinstance(store, SqlAlchemyStore):
        return False
    if store.db_type != "sqlite":
        return False
    return all({c.name for c in _table(name).columns} == _COLUMNS[name] for name in _COLUMNS)


def write_runs(client: MlflowClient, experiment_id: str, runs: Sequence[FinishedRun]) -> list[str]:
    """Writes `runs`, all of them or, should anything fail, none; their run ids."""
    location = client.get_experiment(experiment_id).artifact_location.rstrip("/")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _COLUMNS}
    run_ids = []
    for run in runs:
        run_id = uuid.uuid4().hex
        run_ids.append(run_id)
        rows["runs"].append(
            {
                "run_uuid": run_id,
                "name": run.name,
                "source_type": "UNKNOWN",
                "source_name": "",
                "entry_point_name": "",
                "user_id": "unknown",
                "status": run.status,
                "start_time": run.time,
                "end_time": run.time,
                "deleted_time": None,
                "source_version": "",
                "lifecycle_stage": "active",
                "artifact_uri": f"{location}/{run_id}/artifacts",
                "experiment_id": int(experiment_id),
            }
        )
        tags = {**run.tags, "mlflow.runName": run.name}
        rows["tags"] += [{"run_uuid": run_id, "key": k, "value": v} for k, v in tags.items()]
        rows["params"] += [
            {"run_uuid": run_id, "key": k, "value": v} for k, v in run.params.items()
        ]
        latest: dict[str, dict[str, Any]] = {}
        for name, value, step in run.points:
            row = {
                "run_uuid": run_id,
                "key": name,
                "value": value,
                "timestamp": run.time,
                "step": step,
                "is_nan": False,
            }
            rows["metrics"].append(row)
            if name not in latest or step >= latest[name]["step"]:
                latest[name] = row
        rows["latest_metrics"] += latest.values()
    with client._tracking_client.store.engine.begin() as connection:
        for name, values in rows.items():
            if values:
                connection.execute(_table(name).insert(), values)
    return run_ids


def _table(name: str) -> Any:
    from mlflow.store.tracking.dbmodels import models

    by_name: dict[str, Any] = {
        "runs": models.SqlRun,
        "tags": models.SqlTag,
        "params": models.SqlParam,
        "metrics": models.SqlMetric,
        "latest_metrics": models.SqlLatestMetric,
    }
    return by_name[name].__table__
