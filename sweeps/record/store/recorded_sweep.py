"""What a store holds of a sweep that was started before: its run, its promise, its trials."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sweeps.plan.provenance import without_credentials
from sweeps.record.store.patience import http_status
from trainables.manifest import Manifest, checked_manifest
from trainables.result import Interval

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

MANIFEST_SHA256 = "manifest.sha256"  # tag of the sweep's run
FINAL = "final/"
_PAGE = 1000  # runs: MLflow's limit
_SUFFIXES = ("std", "ci_low", "ci_high")


class CannotResume(Exception):
    """The sweep cannot go on from its record; the message says why and what to do."""


def find_sweep(
    client: MlflowClient, name: str, run_id: str | None, retry_failed: bool, experiment: str | None
) -> Run:
    """The run `run_id`, or the newest sweep called `name` that is not finished.

    When all are finished, the newest of them. With `retry_failed`, one with failed trials is not
    finished. `experiment`: the only one to look in. Raises `CannotResume`.
    """
    if run_id is not None:
        return _by_id(client, name, run_id)
    if experiment is None:
        found = list(client.search_experiments())
    else:
        named = client.get_experiment_by_name(experiment)
        found = [named] if named else []
    ids = [each.experiment_id for each in found]
    sweeps = f"tags.kind = 'sweep' AND tags.`sweep.name` = '{name}'"
    newest = ["attributes.start_time DESC"]
    runs = list(client.search_runs(ids, sweeps, max_results=_PAGE, order_by=newest)) if ids else []
    for run in runs:
        failed = retry_failed and "failed_trials" in run.data.tags
        if run.info.status != "FINISHED" or failed:
            return run
    if not runs:
        raise CannotResume(f"no sweep {name} is recorded there: start one without --resume")
    return runs[0]


def _by_id(client: MlflowClient, name: str, run_id: str) -> Run:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if http_status(error) >= 500:
            raise
        raise CannotResume(f"no run {run_id} is recorded there: give a sweep's run id") from error
    tags = run.data.tags
    if tags.get("kind") != "sweep":
        parent = tags.get("sweep")
        of = f"a {tags['kind']} of sweep {parent}" if "kind" in tags and parent else "no sweep's"
        raise CannotResume(f"--resume needs the run id of a sweep, {run_id} is {of}")
    if tags.get("sweep.name") != name:
        other = tags.get("sweep.name")
        raise CannotResume(f"run {run_id} is a sweep {other}: use python sweeps/{other}.py")
    if run.info.lifecycle_stage != "active":
        raise CannotResume(f"run {run_id} is deleted: restore it in MLflow first")
    return run


def read_manifest(client: MlflowClient, run: Run) -> Manifest:
    """What the sweep promised.

    Raises `CannotResume` unless every byte is as it was written, by a program not newer than this.
    """
    from mlflow.exceptions import MlflowException

    what = f"sweep.json of {run.info.run_name}"
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        try:
            content = download(client, run.info.run_id, "sweep.json", Path(folder)).read_bytes()
        except (OSError, MlflowException) as error:
            text = without_credentials(" ".join(str(error).split()))[:200]
            raise CannotResume(f"{what} cannot be read ({text}): start a new sweep") from error
    try:
        return checked_manifest(content, run.data.tags)
    except ValueError as error:
        raise CannotResume(f"{what} {error}") from error


def download(client: MlflowClient, run_id: str, path: str, folder: Path) -> Path:
    """An artifact as a file in `folder`."""
    from mlflow.artifacts import download_artifacts

    return Path(
        download_artifacts(
            run_id=run_id,
            artifact_path=path,
            dst_path=str(folder),
            tracking_uri=client.tracking_uri,
        )
    )


def runs_below(client: MlflowClient, experiment_id: str, sweep: str) -> list[Run]:
    """All active trial and seed runs of the sweep of that run name, oldest first."""
    found: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            f"tags.sweep = '{sweep}' AND tags.kind != 'sweep'",
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
        if run.data.tags["kind"] == "trial" and run.info.status in ("FINISHED", "FAILED"):
            found.setdefault(run.data.tags["trial.key"], run)
    return found


def summary_of(metrics: Mapping[str, float], curves: Sequence[str]) -> dict[str, Interval]:
    """The final numbers of a trial's run as they were summed up; of `curves` NaN if diverged."""
    finals = {
        name.removeprefix(FINAL): value for name, value in metrics.items() if name.startswith(FINAL)
    }
    for name in ("seeds", "diverged_seeds"):
        finals.pop(name, None)
    spread = {f"{name}_{suffix}" for name in finals for suffix in _SUFFIXES} & set(finals)
    names = {*(name.replace("/", "_") for name in curves), *(set(finals) - spread)}
    return {
        name: Interval(
            finals.get(name, np.nan), *(finals.get(f"{name}_{suffix}") for suffix in _SUFFIXES)
        )
        for name in names
    }
