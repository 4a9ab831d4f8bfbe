"""Taking a sweep out of a store that otherwise stays as it is: what belongs to it, and its end.

Whatever is interrupted here is finished when it is done again: the sweep's own run, by which it is
found, is marked deleted first of all, so that nobody reads or resumes a half of it, and goes last.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sweeps.plan.errors import SweepError
from sweeps.record.lock import AlreadyRunning, Owner, SweepLock
from sweeps.record.pages.experiment_page import forget
from sweeps.record.spool import Spool
from sweeps.record.store.mlflow_private import can_erase, deleted_models, erase_model, erase_run
from sweeps.record.store.opening import database_file, settle
from sweeps.record.store.recorded_run import recorded_run
from trainables.commands.run_ids import NoSuchRun, SeveralRuns, is_deleted
from trainables.record_format import Kind, Tag, tagged, whose

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

_PAGE = 1000  # runs: MLflow's limit
_MODELS = "models"  # MLflow's folder of them, in an experiment's


class NotASweep(SweepError):
    """No sweep is meant; the message says what there is."""


@dataclass(frozen=True)
class Holdings:
    """All that is of one sweep.

    `below`: run ids of trials and seeds, those first that are below others. `folders`: on this
    machine, of artifacts. `elsewhere`: addresses of artifacts that are not. `kept`: folders with
    results that wait for the store. `references`: what else refers to the sweep, in words, and the
    name of the sweep that does, if it is one.
    """

    run: Run
    below: tuple[str, ...]
    models: tuple[str, ...]
    folders: tuple[Path, ...]
    elsewhere: tuple[str, ...]
    kept: tuple[Path, ...]
    references: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The sweep's name."""
        return str(self.run.data.tags.get(Tag.SWEEP, self.run.info.run_name))

    @property
    def marked(self) -> bool:
        """Whether the sweep is marked deleted, so that MLflow no longer lists it."""
        return is_deleted(self.run)

    def files(self) -> list[Path]:
        """Every file of it on this machine."""
        return [
            Path(folder, name)
            for top in (*self.folders, *self.kept)
            for folder, _, names in os.walk(top)
            for name in names
        ]


def find(client: MlflowClient, uri: str, text: str) -> Holdings:
    """What there is of the sweep that `text` means, a deleted one too.

    Raises `NotASweep`, and `AlreadyRunning` when a process of this machine works on it.
    """
    try:
        run = recorded_run(client, text, Kind.SWEEP)
    except (NoSuchRun, SeveralRuns) as error:
        raise NotASweep(f"needs a sweep's run id, {error}") from error
    tags = run.data.tags
    if tags.get(Tag.KIND) != Kind.SWEEP or Tag.SWEEP not in tags:
        raise NotASweep(f"needs a sweep's run id, {text} is {whose(tags)}")
    owner = Owner.from_tag(tags.get(Tag.LOCK, ""))
    if owner is not None and owner.state in ("alive", "closing") and not is_deleted(run):
        raise AlreadyRunning(f"{tags[Tag.SWEEP]}, run {run.info.run_id}, is running: {owner}")
    below = _below(client, run)
    models = _models(client, run)
    places = {each.info.run_id: each.info.artifact_uri for each in (*below, run)} | models
    homes = [_home(each, place) for each, place in places.items()]
    found = [home for home in homes if isinstance(home, Path) and home.is_dir()]
    strays = _stray_models(client, run, set(found))
    return Holdings(
        run=run,
        below=tuple(each.info.run_id for each in below),
        models=tuple(models),
        folders=tuple(dict.fromkeys([*found, *strays])),
        elsewhere=tuple(home for home in homes if isinstance(home, str)),
        kept=tuple(Spool.of(uri, tags[Tag.SWEEP]).folders),
        references=tuple(_references(client, run)),
    )


def confirmations(client: MlflowClient, run: Run) -> list[str]:
    """Run ids of the sweeps that try the best of that one on fresh seeds: they are part of it."""
    from mlflow.entities import ViewType

    ids = [each.experiment_id for each in client.search_experiments()]
    theirs = tagged({Tag.KIND: Kind.SWEEP, Tag.CONFIRMS: run.info.run_id})
    found = client.search_runs(ids, theirs, run_view_type=ViewType.ALL, max_results=_PAGE)
    return [each.info.run_id for each in found]


def can_remove(client: MlflowClient, holdings: Sequence[Holdings]) -> bool:
    """Whether all of it is within reach from here; else it can only be marked deleted."""
    return can_erase(client) and not any(each.elsewhere for each in holdings)


def mark(client: MlflowClient, holdings: Holdings) -> None:
    """Marks the sweep, its runs and its models deleted. Raises `AlreadyRunning`.

    What waits in `unrecorded` goes: it could not be recorded any more.
    """
    run = holdings.run
    _mark_sweep(client, holdings)
    for run_id in holdings.below:
        client.delete_run(run_id)
    for model in _active_models(client, run):
        client.delete_logged_model(model.model_id)
    _clear(holdings.kept)


def remove(client: MlflowClient, holdings: Holdings) -> None:
    """Takes the sweep out for good. Raises `AlreadyRunning`, and `OSError` if a file stays."""
    run = holdings.run
    _mark_sweep(client, holdings)
    _clear((*holdings.kept, *holdings.folders))
    for model_id in holdings.models:
        erase_model(client, model_id)
    for run_id in holdings.below:
        erase_run(client, run_id)
    experiment = client.get_experiment(run.info.experiment_id)
    if experiment.lifecycle_stage == "active":  # else nobody sees its views, nor can write them
        forget(client, experiment, holdings.name)
    erase_run(client, run.info.run_id)
    _tidy(experiment.artifact_location)


def compact(client: MlflowClient, uri: str) -> str:
    """Gives the room in an embedded store's file back; what came of it, in a line.

    The client is of no use afterwards.
    """
    file = database_file(uri)
    if file is None:
        return ""
    settle(client, uri)
    before = file.stat().st_size
    try:
        with closing(sqlite3.connect(file, timeout=20)) as database:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        return f"{file} was not compacted ({error}): sweeps to come use the room in it"
    return f"{file}: {size(before)} before, {size(file.stat().st_size)} now"


def size(count: int) -> str:
    """So many bytes, in words."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def _mark_sweep(client: MlflowClient, holdings: Holdings) -> None:
    """Marks the sweep's own run deleted, once nobody works on it, from another machine either."""
    if holdings.marked:
        return
    run_id = holdings.run.info.run_id
    try:
        SweepLock(client, run_id, Owner.here(os.getpid())).take()
    except AlreadyRunning as error:
        raise AlreadyRunning(f"{holdings.name}, run {run_id}, is running: {error}") from error
    client.delete_run(run_id)


def _below(client: MlflowClient, run: Run) -> list[Run]:
    """The runs of its trials and seeds, deleted ones too, seeds first."""
    from mlflow.entities import ViewType

    experiment, name = [run.info.experiment_id], run.data.tags[Tag.SWEEP]
    found: list[Run] = []
    for kind in (Kind.SEED, Kind.TRIAL):
        where, token = tagged({Tag.SWEEP: name, Tag.KIND: kind}), None
        while True:
            page = client.search_runs(experiment, where, ViewType.ALL, _PAGE, None, token)
            found += page
            token = page.token
            if not token:
                break
    return found


def _models(client: MlflowClient, run: Run) -> dict[str, str]:
    """Where the sweep's logged models are, by id; of those marked deleted, as far as can be
    seen."""
    found = _active_models(client, run)
    if can_erase(client):
        mine = run.info.run_id
        found += [model for model in deleted_models(client) if model.source_run_id == mine]
    return {model.model_id: model.artifact_location for model in found}


def _active_models(client: MlflowClient, run: Run) -> list[LoggedModel]:
    of_it = f"source_run_id = '{run.info.run_id}'"
    return list(client.search_logged_models([run.info.experiment_id], of_it))


def _path(uri: str) -> Path | None:
    """The path on this machine that the address means, if it means one."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    here = parts.scheme in ("", "file") and not parts.netloc and path.is_absolute()
    return path if here else None


def _home(owner: str, uri: str) -> Path | str:
    """The folder that the run or model of that id has to itself for its artifacts, which are at
    `uri`; that again, if it is none on this machine."""
    path = _path(uri)
    if path is None or path.parts[-2:] != (owner, "artifacts"):
        return uri
    return path.parent


def _stray_models(client: MlflowClient, run: Run, known: set[Path]) -> Iterator[Path]:
    """Folders of models that say they are of this run, and that no row knows any more."""
    place = _path(client.get_experiment(run.info.experiment_id).artifact_location)
    if place is None:
        return
    for description in place.glob(f"{_MODELS}/*/artifacts/MLmodel"):
        folder = description.parents[1]
        said = f"run_id: {run.info.run_id}"
        if folder not in known and said in description.read_text(encoding="utf-8").splitlines():
            yield folder


def _references(client: MlflowClient, run: Run) -> Iterator[tuple[str, str]]:
    run_id, name = run.info.run_id, run.data.tags[Tag.SWEEP]
    ids = [each.experiment_id for each in client.search_experiments()]
    sources = f"{tagged({Tag.KIND: Kind.SWEEP})} AND tags.`{Tag.SOURCE}` = '{run_id}'"
    for each in client.search_runs(ids, sources):
        other = each.data.tags[Tag.SWEEP]
        yield f"{other} took its configurations from {name} (--from) and names it", other
    for version in client.search_model_versions(f"run_id = '{run_id}'"):
        yield f"version {version.version} of the registered model {version.name} is of {name}", ""


def _clear(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        with suppress(OSError):  # fails while others have theirs there
            folder.parent.rmdir()


def _tidy(location: str) -> None:
    """Removes an experiment's folders that are empty now; MLflow makes them when it needs them."""
    place = _path(location)
    if place is not None:
        for folder in (place / _MODELS, place):
            with suppress(OSError):
                folder.rmdir()
