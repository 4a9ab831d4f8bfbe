"""Which run is meant: the parent run of a sweep, by its id or name, or the newest of a kind."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, cast

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from analysis.reading.connection import every, store_flag, without_password
from analysis.reading.errors import BAD_INPUT, INCOMPLETE, NoFinishedSweep, Stop
from trainables.commands.project_scripts import words, words_of_sweep
from trainables.commands.run_ids import NoSuchRun, SeveralRuns, is_whole, meant
from trainables.manifest import Manifest, NewerFormat
from trainables.record_format import Artifact, Kind, Tag, sweeps_called, tagged, whose

_PAGE = 1000  # the most runs that MLflow gives at once


class Newest(NamedTuple):
    """The newest sweep of a kind; `others`: names of those that could have been taken instead."""

    run: Run
    others: tuple[str, ...] = ()


def find_sweep(client: MlflowClient, name: str, allow_partial: bool = False) -> Newest:
    """The newest finished sweep called `name`; with `allow_partial`, else the newest unfinished.

    Raises `NoFinishedSweep`, which says what there is instead and what to do.
    """
    sweeps = sweeps_called(name)
    if found := _on_their_own(client, f"{sweeps} and attributes.status = 'FINISHED'"):
        return newest_of(found)
    where = without_password(client.tracking_uri)
    if found := _on_their_own(client, sweeps):
        run = found[0]
        if allow_partial:
            return newest_of(found)
        raise NoFinishedSweep(
            INCOMPLETE,
            f"no finished sweep '{name}' in {where}; the newest, {run.info.run_name}, is "
            f"{run.info.status}: {remedy(client, run)}, or give --sweep {run.info.run_id} "
            "--allow-partial",
        )
    if found := _on_their_own(client, sweeps, ViewType.DELETED_ONLY):
        run = found[0]
        raise NoFinishedSweep(
            BAD_INPUT,
            f"no sweep '{name}' in {where}; the newest, {run.info.run_name}, is deleted: "
            f"{restore(run)}",
        )
    raise NoFinishedSweep(
        BAD_INPUT, f"no sweep '{name}' in {where}; record one: {words('sweeps', name)}"
    )


def newest_of(found: list[Run]) -> Newest:
    """The first of the runs, which are sweeps with the newest first, and what else there is."""
    return Newest(found[0], tuple(run.data.tags[Tag.SWEEP] for run in found[1:]))


def sweep_of(client: MlflowClient, sweep: str, name: str | None = None) -> Run:
    """The parent run of a sweep, by its id, the beginning of that, or the sweep's name.

    Raises `Stop` unless that means one run, which is a sweep's, called `name` if given.
    """
    try:
        run = _run(client, sweep)
    except (NoSuchRun, SeveralRuns) as error:
        raise Stop(BAD_INPUT, f"needs a sweep, but {error}") from error
    kind, found = run.data.tags.get(Tag.KIND), run.data.tags.get(Tag.NAME)
    if kind != Kind.SWEEP:
        raise Stop(
            BAD_INPUT,
            f"needs the id of a sweep's parent run, but {sweep} is {whose(run.data.tags)}",
        )
    if name is not None and found != name:
        raise Stop(BAD_INPUT, f"{sweep} is a sweep '{found}', this analysis needs '{name}'")
    return run


def _run(client: MlflowClient, text: str) -> Run:
    if is_whole(text):
        try:
            return client.get_run(text)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise

    def search(where: str) -> list[Run]:
        return _newest_first(client, where, ViewType.ALL)

    return cast(Run, meant(text, {Kind.SWEEP}, search, without_password(client.tracking_uri)))


def _newest_first(client: MlflowClient, where: str, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    experiments = every(lambda token: client.search_experiments(page_token=token))
    ids = [experiment.experiment_id for experiment in experiments]
    by_time = ["attributes.start_time DESC"]
    return list(every(lambda token: client.search_runs(ids, where, view, _PAGE, by_time, token)))


def _on_their_own(client: MlflowClient, where: str, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    """Sweeps that are no part of another, which they would confirm; the newest first."""
    found = _newest_first(client, where, view)
    return [run for run in found if Tag.CONFIRMS not in run.data.tags]


def promised_by_finished(
    client: MlflowClient, names: Collection[str]
) -> Iterator[tuple[Run, Manifest | NewerFormat]]:
    """Finished sweeps of these names, each with what it promised, the newest first.

    A promise in a newer format comes as the error that says so. Sweeps of a version of this project
    whose promises nobody reads any more, and those that confirm another, are left out.
    """
    finished = f"{tagged({Tag.KIND: Kind.SWEEP})} and attributes.status = 'FINISHED'"
    with tempfile.TemporaryDirectory() as folder:
        for run in _on_their_own(client, finished):
            if run.data.tags.get(Tag.NAME) not in names:
                continue
            own = Path(folder, run.info.run_id)
            own.mkdir()
            file = client.download_artifacts(run.info.run_id, Artifact.MANIFEST, str(own))
            try:
                yield run, Manifest.from_json(Path(file).read_bytes())
            except NewerFormat as newer:
                yield run, newer
            except ValueError:
                continue


def restore(run: Run) -> str:
    """The command that brings a deleted run back."""
    return f"restore it with mlflow runs restore --run-id {run.info.run_id}"


def remedy(client: MlflowClient, run: Run, flags: str = "") -> str:
    """What completes the sweep of that parent run."""
    flags += store_flag(client.tracking_uri)
    tags, run_id = run.data.tags, run.info.run_id
    script = words_of_sweep(tags.get(Tag.NAME, ""), tags.get(Tag.COMMAND, ""))
    resume = f"{script} --resume {run_id}{flags}"
    if run.info.status == "RUNNING":
        return f"wait for it, or, if its process is gone, resume it with {resume}"
    return f"complete it with {resume}"
