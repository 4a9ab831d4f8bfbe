"""Brings results into the tracking store that could not be written while their sweep ran.

    python sweeps/upload.py                       # all that is kept in ./unrecorded
    python sweeps/upload.py unrecorded/l2-2026…   # one sweep's; its name or run id will do
    python sweeps/upload.py --tracking-uri http://127.0.0.1:5000

A sweep that is complete thereby is closed; one that is not says how it is completed. What has been
recorded is removed from the folder. It may be run again at any time.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sweeps.driver.exits import complain, exit_code_of
from sweeps.plan.command_line import read_options
from sweeps.plan.errors import Refused, SweepError
from sweeps.plan.exit_codes import BAD_INPUT, DONE
from sweeps.plan.provenance import one_line, without_credentials
from sweeps.record.messages import Event, Problem, Recorded
from sweeps.record.spool import Spool, kept
from sweeps.record.store.opening import StoreError, open_store, resolve_uri, settle, work_patiently
from trainables.commands.project_scripts import words_of_sweep
from trainables.commands.run_ids import may_be_meant
from trainables.manifest import Manifest
from trainables.record_format import Kept

if TYPE_CHECKING:
    from mlflow import MlflowClient


_PATIENCE = 20.0  # seconds without progress, then the store counts as away


@dataclass(frozen=True, kw_only=True)
class UploadOptions:
    """The command line."""

    folders: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Folders with the kept results of a sweep, or in ./unrecorded its name, its run id or the
    first digits of that; by default all there."""
    tracking_uri: str | None = None
    """MLflow store; else MLFLOW_TRACKING_URI, else the one that the sweep was recorded in."""


def main() -> int:
    """Uploads what the command line names; the exit code, the first that is not 0."""
    options = read_options(UploadOptions, __doc__)
    folders = list(map(_named, options.folders)) or kept()
    if wrong := [str(each) for each in folders if not each.is_dir()]:
        there = ", ".join(map(str, kept())) or "there are none"
        complain(f"needs a folder with kept results ({there}), got {', '.join(wrong)}")
        return BAD_INPUT
    if not folders:
        print(f"nothing is kept in {Path(Kept.FOLDER).absolute()}")
    codes = [exit_code_of(partial(upload, each, options.tracking_uri)) for each in folders]
    return next((code for code in codes if code != DONE), DONE)


def _named(word: Path) -> Path:
    """The folder that is meant: itself, or the one among those kept of the sweep of that name, or
    of the run id that begins so."""
    if word.is_dir() or not may_be_meant(str(word)):
        return word
    meant = [each for each in kept() if each.name == str(word) or _is_of(each, str(word))]
    return meant[0] if len(meant) == 1 else word


def _is_of(folder: Path, beginning: str) -> bool:
    with suppress(SweepError, OSError):  # what is damaged is refused when it is named
        return str(Spool(folder).read_promise()[0]["run_id"]).startswith(beginning)
    return False


def upload(folder: Path, tracking_uri: str | None) -> int:
    """Uploads what is kept in `folder` and says so; the exit code. Raises `SweepError`."""
    from sweeps.record.lock import AlreadyRunning

    try:
        spool = Spool(folder)
        facts, text = spool.read_promise()
        manifest = _promised(folder, text)
        for _ in spool.entries():  # damaged files are refused before the store is asked
            pass
        given = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or facts["tracking_uri"]
        uri = resolve_uri(given)
        client = open_store(uri)
        work_patiently()
        return _bring_in(spool, client, uri, facts["run_id"], manifest)
    except FileNotFoundError as error:
        raise Refused(f"{folder} holds no kept results of a sweep", BAD_INPUT) from error
    except AlreadyRunning as error:
        raise AlreadyRunning(f"the sweep of {folder} is running: {error}") from error
    except SweepError:
        raise
    except Exception as error:  # whatever the store's libraries raise
        raise StoreError(f"{folder} cannot be recorded: {one_line(error)}") from error


def _promised(folder: Path, text: str) -> Manifest:
    """What the sweep promised whose results are kept there."""
    from sweeps.record.store.recorded_sweep import CannotResume

    try:
        return Manifest.from_json(text)
    except ValueError as error:
        raise CannotResume(f"{folder / Kept.PROMISE} {error}") from error


def _bring_in(spool: Spool, client: MlflowClient, uri: str, run_id: str, manifest: Manifest) -> int:
    from sweeps.record.lifecycle import Recording
    from trainables import data

    problems: list[Problem] = []
    progress: float | None = None

    def hear(event: Event) -> None:
        nonlocal progress
        if isinstance(event, Problem):
            problems.append(event)
        elif isinstance(event, Recorded):
            progress = time.monotonic()

    def deadline() -> float:
        # Counted from the first write: before it, the lock of an owner on another machine may have
        # been watched for as long.
        nonlocal progress
        if progress is None:
            progress = time.monotonic()
        return progress + _PATIENCE

    dataset = data.load(manifest.dataset["name"])
    recording = Recording.resume(
        client,
        uri,
        run_id,
        manifest,
        dataset,
        os.getpid(),
        retry_failed=False,
        tell=hear,
        deadline=deadline,
        spool=spool,
    )
    status = "FINISHED" if not recording.record.writer.unrecorded() else "KILLED"
    closed = recording.close(status)
    settle(client, uri)
    if closed.problem or problems:
        why = closed.problem or problems[0].text
        raise StoreError(f"{manifest.run_name} cannot be recorded: {why}")
    count = len(manifest.trials)
    print(
        f"{manifest.run_name}: {count - len(closed.missing)} of {count} trials are recorded in "
        f"{without_credentials(uri)}"
    )
    if closed.missing:
        resume = f"{words_of_sweep(manifest.name, manifest.command)} --resume {run_id}"
        print(f"complete it with:  {resume}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
