"""The child runs of a sweep against its manifest: which count, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from analysis.reading.connection import every
from trainables.commands.run_ids import is_deleted
from trainables.manifest import Manifest
from trainables.record_format import Kind, Tag, tagged

_PAGE = 1000  # the most runs that MLflow gives at once
_NAMED = 8  # runs or trials named in one line before "and … more"


@dataclass(frozen=True)
class FinishedTrials:
    """The runs below a sweep's own.

    `finished`: by trial key, the run that counts. `problems`: by trial key, why there is none.
    `warnings`: lines on what is odd but harms no number.
    """

    finished: Mapping[str, Run]
    problems: Mapping[str, str]
    warnings: tuple[str, ...] = field(default=())


def trial_runs(client: MlflowClient, parent: Run, manifest: Manifest) -> FinishedTrials:
    """What the store holds of every promised trial; deleted runs are asked for too."""
    active: dict[str, list[Run]] = {}
    deleted: set[str] = set()
    where = tagged({Tag.KIND: Kind.TRIAL, Tag.PARENT: parent.info.run_id})
    experiment = [parent.info.experiment_id]
    for run in every(
        lambda token: client.search_runs(
            experiment, where, ViewType.ALL, max_results=_PAGE, page_token=token
        )
    ):
        key = run.data.tags.get(Tag.TRIAL_KEY, "")
        # A deleted sweep's runs are deleted with it, and are its runs all the same.
        if is_deleted(run) and not is_deleted(parent):
            deleted.add(key)
        else:
            active.setdefault(key, []).append(run)
    finished, problems, warnings = {}, {}, []
    for trial in manifest.trials:
        runs = active.pop(trial.key, [])
        done = [run for run in runs if run.info.status == "FINISHED"]
        if done:
            finished[trial.key] = done[0]
        else:
            problems[trial.key] = _problem(runs, trial.key in deleted)
        if len(done) > 1:
            warnings.append(
                f"{trial.name} has {len(done)} finished runs, expected 1; its rows are counted once"
            )
    if strangers := [run.info.run_name for runs in active.values() for run in runs]:
        belong = "run belongs" if len(strangers) == 1 else "runs belong"
        warnings.append(f"{len(strangers)} {belong} to no promised trial: {some(strangers)}")
    return FinishedTrials(finished, problems, tuple(warnings))


def _problem(runs: Sequence[Run], deleted: bool) -> str:
    if not runs:
        return "deleted" if deleted else "not recorded"
    newest = max(runs, key=lambda run: run.info.start_time)
    status, error = newest.info.status.lower(), newest.data.tags.get(Tag.ERROR)
    return f"{status}: {error}" if error else status


def some(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
