"""Sweeps with folds, and the sweeps that judged their choice on fresh seeds, in a store."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run

from analysis.reading.connection import every, store_errors, without_password
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.finding import newest_of
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.project_scripts import words
from trainables.hyperparameters import Hyperparameters
from trainables.record_format import Kind, Parameter, Tag, tagged
from trainables.trial import Trial


def load_with_folds(
    client: MlflowClient, run_id: str | None = None, allow_partial: bool = False
) -> SweepRecord:
    """The sweep that `run_id` means, or the newest finished one of any name that has folds."""
    others: tuple[str, ...] = ()
    if run_id is None:
        with store_errors(client.tracking_uri):
            # An older sweep has no such parameter, and is not found.
            found = _finished(client, f"params.`{Parameter.OPTION}folds` != '0'")
        if not found:
            raise Stop(
                BAD_INPUT,
                f"no finished sweep with folds in {without_password(client.tracking_uri)}; record "
                f"one, such as {words('sweeps', 'l2')} --folds 5",
            )
        newest, others = newest_of(found)
        run_id = newest.info.run_id
    return replace(load_sweep(client, None, run_id, allow_partial), others=others)


class Judged(NamedTuple):
    """A configuration in a sweep of fresh seeds."""

    record: SweepRecord
    trial: Trial


def on_fresh_seeds(
    client: MlflowClient, source: SweepRecord, configuration: Hyperparameters
) -> Judged | None:
    """That configuration of `source`, as the newest sweep judged it that was started for this.

    Only a finished sweep `seeds` with option `from_run` counts, on the same data, none of whose
    seeds the source had. None when there is none.
    """
    with store_errors(client.tracking_uri):
        from_it = f"params.`{Parameter.OPTION}from_run` = '{source.run_id}'"
        runs = _finished(client, f"{tagged({Tag.NAME: 'seeds'})} AND {from_it}")
    known = set(source.manifest.trials[0].seeds)
    for run in runs:
        record = load_sweep(client, None, run.info.run_id, allow_partial=True)
        seeds = set(record.manifest.trials[0].seeds)
        same_data = record.manifest.dataset["digest"] == source.manifest.dataset["digest"]
        if seeds & known or not same_data:
            continue
        for trial in record.configurations:
            if trial.hyperparameters == configuration:
                return Judged(record, trial)
    return None


def _finished(client: MlflowClient, where: str) -> list[Run]:
    """The finished sweeps of that filter, newest first."""
    experiments = every(lambda token: client.search_experiments(page_token=token))
    return list(
        client.search_runs(
            [experiment.experiment_id for experiment in experiments],
            f"{tagged({Tag.KIND: Kind.SWEEP})} AND attributes.status = 'FINISHED' AND {where}",
            order_by=["attributes.start_time DESC"],
        )
    )
