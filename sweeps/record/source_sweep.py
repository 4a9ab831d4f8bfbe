"""Reading a finished sweep that another one is planned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.plan.command import SourceSweep
from sweeps.plan.errors import SweepError
from sweeps.record.runs.trial_runs import TrialRuns
from sweeps.record.store.recorded_run import recorded_run
from sweeps.record.store.recorded_sweep import read_manifest, runs_below, summary_of, whole_trials
from trainables.commands.project_scripts import words_of_sweep
from trainables.commands.run_ids import NoSuchRun, SeveralRuns
from trainables.record_format import Kind, Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


class NotASource(SweepError):
    """The run is none of a finished sweep; the message says which would be, or what to do."""


def read_source(client: MlflowClient, run_id: str) -> SourceSweep:
    """The sweep that `run_id` means, see `recorded_run`, and the final numbers of its trials.

    Raises `NotASource`, or `CannotResume` when its manifest is damaged.
    """
    run = _sweep(client, run_id)
    manifest = read_manifest(client, run)
    whole = whole_trials(runs_below(client, run.info.experiment_id, manifest.run_name))
    curves = TrialRuns(manifest).curves
    summaries = {
        key: summary_of(each.data.metrics, curves)
        for key, each in whole.items()
        if each.info.status == "FINISHED"
    }
    return SourceSweep(run.info.run_id, manifest, summaries)


def _sweep(client: MlflowClient, run_id: str) -> Run:
    try:
        run = recorded_run(client, run_id, Kind.SWEEP)
    except (NoSuchRun, SeveralRuns) as error:
        raise NotASource(f"--from needs a sweep's run id, {error}") from error
    tags = run.data.tags
    kind, sweep = tags.get(Tag.KIND), tags.get(Tag.SWEEP)
    if kind != Kind.SWEEP:
        if kind in (Kind.TRIAL, Kind.SEED) and sweep:
            above = client.get_run(tags[Tag.PARENT])
            parent = above if kind == Kind.TRIAL else client.get_run(above.data.tags[Tag.PARENT])
            raise NotASource(
                f"--from needs a sweep's run id, {run_id} is a {kind} of {sweep}: give that "
                f"sweep's, {parent.info.run_id}"
            )
        raise NotASource(f"--from needs a sweep's run id, {run_id} is not a run of a sweep")
    if run.info.lifecycle_stage != "active":
        raise NotASource(f"sweep {sweep} (run {run_id}) is deleted: restore it in MLflow first")
    if run.info.status != "FINISHED":
        again = words_of_sweep(tags[Tag.NAME], tags.get(Tag.COMMAND, ""))
        raise NotASource(
            f"--from needs a finished sweep, {sweep} (run {run_id}) is {run.info.status}: complete "
            f"it with {again} --resume {run_id}"
        )
    return run
