"""Finished runs straight into an embedded store's tables: one transaction for many runs.

MLflow's public API takes about 0.1 s for a run with its curves, most of it in making objects that
are thrown away; this takes about a hundredth of that. The tables are not a public interface, so
`usable` says whether they are those that this was written for (MLflow 3.17); elsewhere
`public_writing` does the same, and a test compares the two through MLflow's own reading API.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sweeps.record.runs.finished_run import FinishedRun, StandingRun
from sweeps.record.store.mlflow_private import store_of
from trainables.record_format import Tag

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

    store = store_of(client)
    if not mlflow.__version__.startswith(_VERSIONS) or not isinstance(store, SqlAlchemyStore):
        return False
    if store.db_type != "sqlite":
        return False
    return all(
        {column.name for column in _table(name).columns} == set(columns)
        for name, columns in _COLUMNS.items()
    )


def write_runs(
    client: MlflowClient,
    experiment_id: str,
    parent_id: str,
    runs: Sequence[FinishedRun],
    repeated: bool = False,  # noqa: ARG001  # `public_writing` has to know
    on_written: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Writes `runs` below `parent_id`; their run ids.

    Should anything fail, none is written, so it makes no difference if the call is `repeated`.
    `on_written` is told at the end how many stand.
    """
    location = client.get_experiment(experiment_id).artifact_location.rstrip("/")
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _COLUMNS}
    run_ids = [uuid.uuid4().hex for _ in runs]
    family = [(run_id, parent_id, run) for run_id, run in zip(run_ids, runs, strict=True)]
    for run_id, _, run in tuple(family):
        family += [(uuid.uuid4().hex, run_id, child) for child in run.children]
    for run_id, above, run in family:
        artifacts = f"{location}/{run_id}/artifacts"
        given = (run_id, run.name, "UNKNOWN", "", "", "unknown", run.status, run.start, run.time)
        rows["runs"].append((*given, None, "", "active", artifacts, int(experiment_id)))
        tags = {**run.tags, **run.description(experiment_id, run_id)}
        tags |= {Tag.PARENT: above, Tag.RUN_NAME: run.name}
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
    with store_of(client).engine.begin() as connection:
        for name, values in rows.items():
            if values:
                columns = ", ".join(f'"{column}"' for column in _COLUMNS[name])
                places = ", ".join("?" * len(_COLUMNS[name]))
                connection.exec_driver_sql(
                    f"INSERT INTO {name} ({columns}) VALUES ({places})", values
                )
    on_written(len(runs))
    return run_ids


def standing_runs(client: MlflowClient, experiment_id: str, sweep: str) -> list[StandingRun]:
    """The active runs below the sweep of that run name, oldest first."""
    query = """
        SELECT runs.run_uuid, runs.status, own.value, COALESCE(seed.value, ''), above.value
        FROM tags AS mine
        JOIN runs ON runs.run_uuid = mine.run_uuid
        JOIN tags AS own ON own.run_uuid = mine.run_uuid AND own.key = ?
        JOIN tags AS above ON above.run_uuid = mine.run_uuid AND above.key = ?
        LEFT JOIN tags AS seed ON seed.run_uuid = mine.run_uuid AND seed.key = ?
        WHERE mine.key = ? AND mine.value = ?
        AND runs.lifecycle_stage = 'active' AND runs.experiment_id = ?
        ORDER BY runs.start_time, runs.run_uuid
    """
    tags = (Tag.TRIAL_KEY, Tag.PARENT, Tag.SEED, Tag.SWEEP)
    with store_of(client).engine.begin() as connection:
        rows = connection.exec_driver_sql(query, (*tags, sweep, int(experiment_id)))
        return [StandingRun(*row) for row in rows]


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
