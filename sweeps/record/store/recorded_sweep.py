"""What a store holds of a sweep that was started before: its run, its promise, its trials."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import CANNOT_RESUME
from sweeps.plan.provenance import without_credentials
from sweeps.record.store.recorded_run import recorded_run
from trainables.commands.project_scripts import words_of_sweep
from trainables.commands.run_ids import NoSuchRun, SeveralRuns
from trainables.manifest import Manifest, checked_manifest
from trainables.record_format import (
    Artifact,
    Final,
    Kind,
    Metric,
    Tag,
    sweeps_called,
    tagged,
    whose,
)
from trainables.result import Interval

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 1000  # runs: MLflow's limit
_SUFFIXES = (Final.STD, Final.CI_LOW, Final.CI_HIGH)


class CannotResume(SweepError):
    """The sweep cannot go on from its record; the message says why and what to do."""

    exit_code = CANNOT_RESUME


def find_sweep(
    client: MlflowClient, name: str, run_id: str | None, retry_failed: bool, experiment: str | None
) -> tuple[Run, list[str]]:
    """The run that `run_id` means, or the newest sweep called `name` that is not finished.

    And the names of the others that are not, the newest first, where it was chosen as the newest.
    `run_id`: see `recorded_run`. When all are finished, the newest of them. With `retry_failed`,
    one with failed trials is not finished. `experiment`: the only one to look in. Raises
    `CannotResume`.
    """
    if run_id is not None:
        return _by_id(client, name, run_id), []
    if experiment is None:
        found = list(client.search_experiments())
    else:
        named = client.get_experiment_by_name(experiment)
        found = [named] if named else []
    ids = [each.experiment_id for each in found]
    runs = _newest_first(client, ids, sweeps_called(name))
    # Those that confirm another go on with that one.
    runs = [run for run in runs if Tag.CONFIRMS not in run.data.tags]
    if not runs:
        raise CannotResume(f"no sweep {name} is recorded there: start one without --resume")
    unfinished = [
        run
        for run in runs
        if run.info.status != "FINISHED" or (retry_failed and Tag.FAILED_TRIALS in run.data.tags)
    ]
    others = [run.data.tags[Tag.SWEEP] for run in unfinished[1:]]
    return (unfinished or runs)[0], others


def find_confirmation(client: MlflowClient, run_id: str) -> Run | None:
    """The newest sweep that tries the best of that run's on fresh seeds; None without one."""
    ids = [each.experiment_id for each in client.search_experiments()]
    runs = _newest_first(client, ids, tagged({Tag.KIND: Kind.SWEEP, Tag.CONFIRMS: run_id}))
    return runs[0] if runs else None


def _newest_first(client: MlflowClient, ids: list[str], where: str) -> list[Run]:
    newest = ["attributes.start_time DESC"]
    return list(client.search_runs(ids, where, max_results=_PAGE, order_by=newest)) if ids else []


def _by_id(client: MlflowClient, name: str, run_id: str) -> Run:
    try:
        run = recorded_run(client, run_id, Kind.SWEEP)
    except (NoSuchRun, SeveralRuns) as error:
        raise CannotResume(f"--resume needs a sweep's run id, {error}") from error
    tags = run.data.tags
    if tags.get(Tag.KIND) != Kind.SWEEP:
        raise CannotResume(f"--resume needs the run id of a sweep, {run_id} is {whose(tags)}")
    if tags.get(Tag.NAME) != name:
        other = tags.get(Tag.NAME, "")
        script = words_of_sweep(other, tags.get(Tag.COMMAND, ""))
        raise CannotResume(f"run {run_id} is a sweep {other}: use {script}")
    if run.info.lifecycle_stage != "active":
        raise CannotResume(f"run {run_id} is deleted: restore it in MLflow first")
    return run


def read_manifest(client: MlflowClient, run: Run) -> Manifest:
    """What the sweep promised.

    Raises `CannotResume` unless every byte is as it was written, by a program not newer than this.
    """
    from mlflow.exceptions import MlflowException

    what = f"{Artifact.MANIFEST} of {run.info.run_name}"
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        try:
            file = client.download_artifacts(run.info.run_id, Artifact.MANIFEST, folder)
            content = Path(file).read_bytes()
        except (OSError, MlflowException) as error:
            text = without_credentials(" ".join(str(error).split()))[:200]
            raise CannotResume(f"{what} cannot be read ({text}): start a new sweep") from error
    try:
        return checked_manifest(content, run.data.tags)
    except ValueError as error:
        raise CannotResume(f"{what} {error}") from error


def runs_below(client: MlflowClient, experiment_id: str, sweep: str) -> list[Run]:
    """All active trial and seed runs of the sweep of that run name, oldest first."""
    found: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            f"{tagged({Tag.SWEEP: sweep})} AND tags.{Tag.KIND} != '{Kind.SWEEP}'",
            max_results=_PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        found += page
        token = page.token
        if not token:
            return found


def whole_trials(runs: Sequence[Run]) -> dict[str, Run]:
    """The trial runs that were written to their end, by trial key; the first of several."""
    found: dict[str, Run] = {}
    for run in runs:
        if run.data.tags[Tag.KIND] == Kind.TRIAL and run.info.status in ("FINISHED", "FAILED"):
            found.setdefault(run.data.tags[Tag.TRIAL_KEY], run)
    return found


def summary_of(metrics: Mapping[str, float], curves: Sequence[str]) -> dict[str, Interval]:
    """The final numbers of a trial's run as they were summed up; of `curves` NaN if diverged."""
    finals = {
        name.removeprefix(Metric.FINAL): value
        for name, value in metrics.items()
        if name.startswith(Metric.FINAL)
    }
    for name in (Metric.SEEDS, Metric.DIVERGED_SEEDS):
        finals.pop(name.removeprefix(Metric.FINAL), None)
    spread = {f"{name}{suffix}" for name in finals for suffix in _SUFFIXES} & set(finals)
    names = {*(Final.of(name) for name in curves), *(set(finals) - spread)}
    return {
        name: Interval(
            finals.get(name, np.nan), *(finals.get(f"{name}{suffix}") for suffix in _SUFFIXES)
        )
        for name in names
    }
