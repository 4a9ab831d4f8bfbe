"""The recorder's process: opens the store, then turns what the launcher sends into MLflow runs."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, NamedTuple

from sweeps.plan.command import SourceSweep
from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import STORE
from sweeps.record.inbox import Inbox
from sweeps.record.messages import (
    Begin,
    Begun,
    Event,
    Found,
    Look,
    LookForConfirmation,
    Open,
    Read,
    Ready,
)
from sweeps.record.spool import Entry
from trainables.lasting_imports import lasting_imports
from trainables.record_format import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from sweeps.record.lifecycle import Recording


def main() -> None:
    """The process: its one argument is the number of the open file that leads to the launcher."""
    serve(Connection(int(sys.argv[1])))


def serve(connection: Connection) -> None:
    """Records one sweep after the other, as the launcher at the other end of `connection` orders.

    Ends when the launcher has gone, or after anything that went wrong.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # should a library unblock them
    inbox = Inbox(connection)
    outbox = _Outbox(connection)
    with lasting_imports():
        from sweeps.record.store.opening import import_mlflow, settle, work_patiently

        import_mlflow()
        store = _open_next(inbox, outbox)
    while store is not None:
        work_patiently()
        begun = _begin(inbox, outbox, store)
        if begun is None:
            return
        recording, store = begun
        while isinstance(order := inbox.orders.get(), Entry):
            recording.write(order)
        closed = recording.close("KILLED" if inbox.killed else "FINISHED")
        settle(store.client, store.uri)
        outbox.tell(closed)
        # After a launcher that has gone there is nobody to wait for.
        store = None if closed.problem or order is None else _open_next(inbox, outbox)
    gc.freeze()  # nothing to tidy: the process ends


class _Store(NamedTuple):
    """An open store; `experiment_id` is empty as long as there are only questions."""

    client: MlflowClient
    uri: str
    experiment_id: str


def _open_next(inbox: Inbox, outbox: _Outbox) -> _Store | None:
    """The store of the next sweep, or None when there will be none, or its problem is told."""
    while (order := inbox.orders.get()) is not None:
        if isinstance(order, Open):
            return _open(order, outbox)
        # Else a `Finish` that crossed the end of the sweep before.
    return None


def _open(order: Open, outbox: _Outbox) -> _Store | None:
    """The store, or None with its problem told."""
    from sweeps.record.store.opening import StoreError, open_experiment, open_store

    experiment_id = ""
    try:
        client = open_store(order.uri)
        if order.experiment is not None:
            experiment_id = open_experiment(client, order.experiment, order.uri)
    except StoreError as error:
        outbox.tell(Ready(str(error)))
        return None
    outbox.tell(Ready())
    return _Store(client, order.uri, experiment_id)


def _begin(inbox: Inbox, outbox: _Outbox, store: _Store) -> tuple[Recording, _Store] | None:
    """The record once it stands, and its store, after any number of questions; None without one."""
    from sweeps.plan.provenance import one_line
    from sweeps.record.lifecycle import Recording
    from sweeps.record.pages.best_model import rehearse
    from sweeps.record.source_sweep import read_source

    while True:
        order = inbox.orders.get()
        try:
            if isinstance(order, Look):
                outbox.tell(_look(store.client, order))
                continue
            if isinstance(order, LookForConfirmation):
                outbox.tell(_look_for_confirmation(store.client, order))
                continue
            if isinstance(order, Read):
                outbox.tell(read_source(store.client, order.run_id))
                continue
            if isinstance(order, Open):
                opened = _open(order, outbox)
                if opened is None:
                    return None
                store = opened
                continue
            if not isinstance(order, Begin):
                return None
            inbox.patience = order.patience
            ways = (outbox.tell, inbox.deadline)
            client, uri = store.client, store.uri
            promise = (order.manifest, order.dataset, order.launcher)
            if order.resume_run_id is None:
                recording = Recording.begin(client, uri, store.experiment_id, *promise, *ways)
            else:
                recording = Recording.resume(
                    client, uri, order.resume_run_id, *promise, order.retry_failed, *ways
                )
        except SweepError as error:
            problem, code = str(error), error.exit_code
        except Exception as error:  # whatever the store's libraries raise
            problem, code = one_line(error), STORE
        else:
            inbox.spool = recording.spool
            record = recording.record
            outbox.tell(
                Begun(
                    record.run_id,
                    record.experiment_id,
                    dict(record.writer.summaries),
                    dict(record.writer.failures),
                )
            )
            # The best model is written last, when everyone waits; its imports have time now.
            threading.Thread(target=_quietly(rehearse), daemon=True).start()
            return recording, store
        outbox.tell(_no(order, problem, code))
        return None


def _no(order: object, problem: str, code: int) -> Event:
    """The answer to an order that cannot be obeyed."""
    if isinstance(order, Look | LookForConfirmation):
        return Found(problem=problem, code=code)
    if isinstance(order, Read):
        return SourceSweep(problem=problem, code=code)
    return Begun(problem=problem, code=code)


def _look(client: MlflowClient, order: Look) -> Found:
    from sweeps.record.store.recorded_sweep import find_sweep

    run, others = find_sweep(client, *order)
    return _found(client, run, order.retry_failed)._replace(others=others)


def _look_for_confirmation(client: MlflowClient, order: LookForConfirmation) -> Found:
    from sweeps.record.store.recorded_sweep import find_confirmation

    run = find_confirmation(client, order.run_id)
    return Found() if run is None else _found(client, run, order.retry_failed)


def _found(client: MlflowClient, run: Run, retry_failed: bool) -> Found:
    """What is recorded of the sweep. Raises `AlreadyRunning` when a process works on it."""
    from sweeps.record.lock import AlreadyRunning, Owner
    from sweeps.record.store.recorded_sweep import read_manifest, runs_below, whole_trials

    owner = Owner.from_tag(run.data.tags.get(Tag.LOCK, ""))
    if owner is not None and owner.state == "alive":
        raise AlreadyRunning(f"{run.info.run_name}, run {run.info.run_id}, is running: {owner}")
    manifest = read_manifest(client, run)
    whole = whole_trials(runs_below(client, run.info.experiment_id, manifest.run_name))
    failed = frozenset(key for key, each in whole.items() if each.info.status == "FAILED")
    left = {trial.key for trial in manifest.trials} - set(whole)
    complete = run.info.status == "FINISHED" and not left and not (retry_failed and failed)
    if complete and owner is not None and owner.state == "dead":
        client.delete_tag(run.info.run_id, Tag.LOCK)  # it died between its last two calls
    return Found(run.info.run_id, manifest, frozenset(whole), failed, complete)


class _Outbox:
    """Events on their way to the launcher, from any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    def tell(self, event: Event) -> None:
        # The launcher may be gone; the record is still worth finishing.
        with self._turn, suppress(OSError):
            self._connection.send(event)


def _quietly(function: Callable[[], None]) -> Callable[[], None]:
    """`function` without its errors: what fails in a rehearsal fails again in earnest."""

    def call() -> None:
        with suppress(Exception):
            function()

    return call
