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
_METRIC = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")
_COLUMNS = {
    "runs": (
        "run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status",
        "start_time", "end_time", "deleted_time", "source_version", "lifecycle_stage",
        "artifact_uri", "experiment_id",
    ),
    "tags": ("run_uuid", "key", "value"),
    "params": ("run_uuid", "key", "value"),
    "metrics": _METRIC,
    "latest_metrics": _METRIC,
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
    return all(
        {column.name for column in _table(name).columns} == set(columns)
        for name, columns in _COLUMNS.items()
    )


def write_runs(client: MlflowClient, experiment_id: str, runs: Sequence[FinishedRun]) -> list[str]:
    """Writes `runs`, all of them or, should anything fail, none; their run ids."""
    location = client.get_experiment(experiment_id).artifact_location.rstrip("/")
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _COLUMNS}
    run_ids = []
    for run in runs:
        run_id = uuid.uuid4().hex
        run_ids.append(run_id)
        artifacts = f"{location}/{run_id}/artifacts"
        given = (run_id, run.name, "UNKNOWN", "", "", "unknown", run.status, run.time, run.time)
        rows["runs"].append((*given, None, "", "active", artifacts, int(experiment_id)))
        tags = {**run.tags, "mlflow.runName": run.name}
        rows["tags"] += [(run_id, key, value) for key, value in tags.items()]
        rows["params"] += [(run_id, key, value) for key, value in run.params.items()]
        metrics = [(run_id, name, value, run.time, step, False) for name, value, step in run.points]
        rows["metrics"] += metrics
        latest: dict[str, tuple[object, ...]] = {}
        for row, point in zip(metrics, run.points, strict=True):
            if point.name not in latest or point.step >= latest[point.name][4]:  # type: ignore[operator]
                latest[point.name] = row
        rows["latest_metrics"] += latest.values()
    # Plain SQL: SQLAlchemy's own inserts take several times as long to put their values together.
    with client._tracking_client.store.engine.begin() as connection:
        for name, values in rows.items():
            if values:
                columns = ", ".join(f'"{column}"' for column in _COLUMNS[name])
                places = ", ".join("?" * len(_COLUMNS[name]))
                connection.exec_driver_sql(
                    f"INSERT INTO {name} ({columns}) VALUES ({places})", values
                )
    return run_ids


def recorded_trials(client: MlflowClient, experiment_id: str, parent_id: str) -> set[str]:
    """Keys of the trials that have a run below that of the sweep."""
    query = """
        SELECT trial.value FROM tags AS parent
        JOIN tags AS kind ON kind.run_uuid = parent.run_uuid AND kind.key = 'kind'
        JOIN tags AS trial ON trial.run_uuid = parent.run_uuid AND trial.key = 'trial.key'
        JOIN runs ON runs.run_uuid = parent.run_uuid
        WHERE parent.key = 'mlflow.parentRunId' AND parent.value = ? AND kind.value = 'trial'
        AND runs.lifecycle_stage = 'active' AND runs.experiment_id = ?
    """
    with client._tracking_client.store.engine.begin() as connection:
        return {
            key for (key,) in connection.exec_driver_sql(query, (parent_id, int(experiment_id)))
        }


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
