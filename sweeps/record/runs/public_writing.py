"""Finished runs through MLflow's public API: works with every store, about 0.1 s a run.

A run cannot be given an id, and the answer to a call can be lost after the server has done it. So
every run is created open, filled, and closed last: what is closed is whole. A repeated call first
looks for what stands already, goes on with what is open, and creates only what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sweeps.record.runs.finished_run import FinishedRun, StandingRun
from sweeps.record.store.recorded_sweep import runs_below
from trainables.record_format import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_AT_ONCE = 1000  # metrics of one call: MLflow's limit


def write_runs(
    client: MlflowClient,
    experiment_id: str,
    parent_id: str,
    runs: Sequence[FinishedRun],
    repeated: bool = False,
    on_written: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Writes `runs` below `parent_id`; their run ids.

    `repeated`: an earlier call with the same runs failed, somewhere. `on_written` is told after
    each run how many of them stand.
    """
    standing: dict[tuple[str, str], StandingRun] = {}
    if repeated and runs:
        for run in standing_runs(client, experiment_id, runs[0].tags[Tag.SWEEP]):
            standing.setdefault((run.key, run.seed), run)
    run_ids = []
    for each in runs:
        run_ids.append(_write(client, experiment_id, parent_id, each, standing))
        on_written(len(run_ids))
    return run_ids


def _write(
    client: MlflowClient,
    experiment_id: str,
    parent_id: str,
    run: FinishedRun,
    standing: Mapping[tuple[str, str], StandingRun],
) -> str:
    from mlflow.entities import Metric, Param, RunTag

    known = standing.get(run.identity)
    if known is not None and known.whole:
        return known.run_id
    if known is not None:
        run_id = known.run_id
    else:
        tags = {**run.tags, Tag.PARENT: parent_id}
        created = client.create_run(experiment_id, run.start, tags, run.name)
        run_id = str(created.info.run_id)
    params = [Param(name, value) for name, value in run.params.items()]
    metrics = [Metric(point.name, point.value, run.time, point.step) for point in run.points]
    described = run.description(experiment_id, run_id).items()
    note = [RunTag(name, value) for name, value in described]
    client.log_batch(run_id, metrics=metrics[:_AT_ONCE], params=params, tags=note)
    for start in range(_AT_ONCE, len(metrics), _AT_ONCE):
        client.log_batch(run_id, metrics=metrics[start : start + _AT_ONCE])
    for child in run.children:
        _write(client, experiment_id, run_id, child, standing)
    client.set_terminated(run_id, run.status, end_time=run.time)
    return run_id


def standing_runs(client: MlflowClient, experiment_id: str, sweep: str) -> list[StandingRun]:
    """The active runs below the sweep of that run name, oldest first."""
    return [
        StandingRun(run.info.run_id, run.info.status, *_identity(run), run.data.tags[Tag.PARENT])
        for run in runs_below(client, experiment_id, sweep)
    ]


def _identity(run: Run) -> tuple[str, str]:
    return run.data.tags[Tag.TRIAL_KEY], run.data.tags.get(Tag.SEED, "")
