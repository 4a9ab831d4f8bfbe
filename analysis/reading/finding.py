"""Which run is meant: the parent run of a sweep, by its id or the newest of a name."""

from __future__ import annotations

import shlex

from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Run, ViewType
from mlflow.exceptions import MlflowException

from analysis.reading.connection import default_uri, every, without_password
from analysis.reading.errors import BAD_INPUT, INCOMPLETE, NoFinishedSweep, Stop
from trainables.project_scripts import words, words_of_sweep
from trainables.record_format import Kind, Tag, sweeps_called, whose


def find_sweep(client: MlflowClient, name: str, allow_partial: bool = False) -> Run:
    """The newest finished sweep called `name`; with `allow_partial`, else the newest unfinished.

    Raises `NoFinishedSweep`, which says what there is instead and what to do.
    """
    experiments = list(every(lambda token: client.search_experiments(page_token=token)))
    ids = [experiment.experiment_id for experiment in experiments]
    sweeps = sweeps_called(name)

    def newest(where: str, view: int = ViewType.ACTIVE_ONLY) -> Run | None:
        by_time = ["attributes.start_time DESC"]
        found = client.search_runs(ids, where, view, max_results=1, order_by=by_time)
        return found[0] if found else None

    if run := newest(f"{sweeps} and attributes.status = 'FINISHED'"):
        return run
    where = without_password(client.tracking_uri)
    if run := newest(sweeps):
        if allow_partial:
            return run
        raise NoFinishedSweep(
            INCOMPLETE,
            f"no finished sweep '{name}' in {where}; the newest, {run.info.run_name}, is "
            f"{run.info.status}: {remedy(client, run)}, or give --sweep {run.info.run_id} "
            "--allow-partial",
        )
    if run := newest(sweeps, ViewType.DELETED_ONLY):
        raise NoFinishedSweep(
            BAD_INPUT,
            f"no sweep '{name}' in {where}; the newest, {run.info.run_name}, is deleted: "
            f"{restore(run)}",
        )
    raise NoFinishedSweep(
        BAD_INPUT, f"no sweep '{name}' in {where}; record one: {words('sweeps', name)}"
    )


def sweep_of(client: MlflowClient, run_id: str, name: str | None = None) -> Run:
    """The parent run of that id; `Stop` unless it is that of a sweep, called `name` if given."""
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        where = without_password(client.tracking_uri)
        raise Stop(BAD_INPUT, f"sweep {run_id}: no such run in {where}") from error
    kind, found = run.data.tags.get(Tag.KIND), run.data.tags.get(Tag.NAME)
    if kind != Kind.SWEEP:
        raise Stop(
            BAD_INPUT,
            f"needs the id of a sweep's parent run, but {run_id} is {whose(run.data.tags)}",
        )
    if name is not None and found != name:
        raise Stop(BAD_INPUT, f"{run_id} is a sweep '{found}', this analysis needs '{name}'")
    return run


def is_deleted(run: Run) -> bool:
    """Whether somebody has deleted the run, which MLflow keeps until `mlflow gc`."""
    deleted: bool = run.info.lifecycle_stage == LifecycleStage.DELETED
    return deleted


def restore(run: Run) -> str:
    """The command that brings a deleted run back."""
    return f"restore it with mlflow runs restore --run-id {run.info.run_id}"


def remedy(client: MlflowClient, run: Run, flags: str = "") -> str:
    """What completes the sweep of that parent run."""
    store = without_password(client.tracking_uri)
    if store != default_uri():
        flags += f" --tracking-uri {shlex.quote(store)}"
    tags, run_id = run.data.tags, run.info.run_id
    script = words_of_sweep(tags.get(Tag.NAME, ""), tags.get(Tag.COMMAND, ""))
    resume = f"{script} --resume {run_id}{flags}"
    if run.info.status == "RUNNING":
        return f"wait for it, or, if its process is gone, resume it with {resume}"
    return f"complete it with {resume}"
