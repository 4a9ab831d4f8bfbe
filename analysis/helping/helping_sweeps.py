"""The sweeps that try regularizers one at a time, one for each data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlflow import MlflowClient

from analysis.reading.connection import store_errors, without_password
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.finding import promised_by_finished
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.project_scripts import words
from trainables.hyperparameters import default
from trainables.manifest import Manifest, NewerFormat
from trainables.record_format import Artifact
from trainables.trial import Trial

REGULARIZERS = ("dropout", "l1", "l2", "noise")
_NAME = "seeds"  # of the sweeps
STOPS = "stops-{}"  # the part of `sweeps/lesson.py` that records folds of a data set
LEAST_SEEDS = 4  # two to choose on and two to judge on


class Stopping(NamedTuple):
    """A data set's networks without regularization in a sweep that has folds of them."""

    record: SweepRecord
    trial: Trial


def fits(manifest: Manifest) -> bool:
    """Whether it promises all of `REGULARIZERS`, each alone, beside a baseline without any."""
    if {axis.field for axis in manifest.axes} != set(REGULARIZERS):
        return False
    trials = manifest.configurations
    if len(trials[0].seeds) < LEAST_SEEDS:
        return False
    used = [
        [name for name in REGULARIZERS if getattr(trial.hyperparameters, name) != default(name)]
        for trial in trials
    ]
    alone = {names[0] for names in used if len(names) == 1}
    baseline = used[trials.index(manifest.baseline_trial)]
    return max(map(len, used)) == 1 and alone == set(REGULARIZERS) and baseline == []


def load_helping(client: MlflowClient, allow_partial: bool = False) -> Mapping[str, SweepRecord]:
    """By data set, the newest finished sweep that fits. Raises `Stop` when there is none."""
    with store_errors(client.tracking_uri):
        run_ids, newer = _newest(client)
    if not run_ids:
        raise Stop(
            BAD_INPUT,
            f"{without_password(client.tracking_uri)} has no finished sweep of dropout, L1, L2 and "
            f"noise one at a time with at least {LEAST_SEEDS} seeds; record them: "
            f"{words('sweeps', 'lesson')} --where-it-helps{newer}",
        )
    records = [load_sweep(client, None, run_id, allow_partial) for run_id in run_ids.values()]
    return dict(zip(run_ids, records, strict=True))


def load_stopping(
    client: MlflowClient, records: Mapping[str, SweepRecord], allow_partial: bool = False
) -> Mapping[str, Stopping]:
    """By data set, the baselines of `records` trained with folds: in the newest finished sweep that
    has them, or in that record itself. A data set without one is left out.
    """
    found = {
        name: Stopping(record, record.baseline)
        for name, record in records.items()
        if record.has_folds and record.baseline
    }
    with store_errors(client.tracking_uri):
        promised = [
            (run.info.run_id, manifest)
            for run, manifest in promised_by_finished(client, {_NAME})
            if isinstance(manifest, Manifest) and manifest.folds
        ]
    for name, record in records.items():
        for run_id, manifest in promised:
            if name in found or not any(_same(record, manifest, one) for one in manifest.trials):
                continue
            with_folds = load_sweep(client, None, run_id, allow_partial)
            for trial in with_folds.configurations:
                if _same(record, manifest, trial):
                    found[name] = Stopping(with_folds, trial)
    return {name: found[name] for name in records if name in found}


def _same(record: SweepRecord, manifest: Manifest, trial: Trial) -> bool:
    """Whether these are the models of the record's baseline, whatever folds they have besides."""
    mine = record.baseline
    return (
        mine is not None
        and manifest.dataset["digest"] == record.manifest.dataset["digest"]
        and manifest.trainer_version == record.manifest.trainer_version
        and manifest.summary_epochs == record.manifest.summary_epochs
        and (trial.hyperparameters, trial.seeds, trial.vary, trial.exchanged)
        == (mine.hyperparameters, mine.seeds, mine.vary, mine.exchanged)
    )


def _newest(client: MlflowClient) -> tuple[dict[str, str], str]:
    """Run ids by data set, in the order in which they were recorded; and what cannot be read."""
    found: dict[str, str] = {}
    newer = ""
    for run, manifest in promised_by_finished(client, {_NAME}):
        if isinstance(manifest, NewerFormat):
            newer = f"; {Artifact.MANIFEST} of {run.info.run_name} {manifest}"
        elif fits(manifest):
            found.setdefault(manifest.dataset["name"], run.info.run_id)
    return dict(reversed(found.items())), newer
