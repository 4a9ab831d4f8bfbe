"""The one writer: a process of its own that turns trial results into MLflow runs.

It keeps MLflow out of the launcher and of the workers, and it outlives them: should the launcher be
killed, the recorder sees its pipe end, closes the sweep's runs as KILLED and goes.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from queue import SimpleQueue

from sweeps.recorder_messages import (
    Begin,
    Begun,
    Event,
    Failed,
    Finish,
    Open,
    Order,
    Ready,
    Results,
)
from trainables.lasting_imports import lasting_imports

_STOPPING_SECONDS = 10.0  # that a stopped sweep may still spend on writing what was trained


class RecorderDied(Exception):
    """The recorder's process ended before its work did."""


class Recorder:
    """The launcher's end: sends orders without waiting, receives events."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), name="recorder")
        # Signals to stop are the launcher's to answer; the recorder must live to close the runs.
        # Blocked from before its first instruction, since a mask is inherited and a handler is not.
        # The tracker first: starting it, as the first process does, would unblock them again.
        resource_tracker.ensure_running()
        quiet = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, quiet)
        self._process.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def send(self, order: Order) -> None:
        """Hands an order over; the recorder reads at once and works later."""
        try:
            self._connection.send(order)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise RecorderDied(self._epitaph()) from error

    def events(self, wait: float = 0) -> Iterator[Event]:
        """Events that have arrived, or arrive within `wait` seconds of the one before."""
        try:
            while self._connection.poll(wait):
                yield self._connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise RecorderDied(self._epitaph()) from error

    def expect(self, kind: type[Event]) -> Event:
        """Waits for the next event of `kind`; a problem before it ends the recorder's use."""
        while True:
            for event in self.events(wait=3600):
                if isinstance(event, kind):
                    return event

    def join(self) -> None:
        """Waits for the process to end."""
        self._connection.close()
        self._process.join(60)

    def _epitaph(self) -> str:
        self._process.join(5)
        return f"the recording process ended early (exit code {self._process.exitcode})"


def serve(connection: Connection) -> None:
    """The recorder's process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # should a library unblock them
    inbox = _Inbox(connection)
    with lasting_imports():
        from sweeps.best_model import rehearse
        from sweeps.mlflow_store import (
            StoreError,
            import_mlflow,
            open_experiment,
            open_store,
            settle,
        )
        from sweeps.sweep_record import SweepRecord, one_line

        import_mlflow()
        request = inbox.orders.get()
        if not isinstance(request, Open):
            return
        try:
            client = open_store(request.uri)
            experiment_id = open_experiment(client, request.experiment, request.uri)
        except StoreError as error:
            _tell(connection, Ready(str(error)))
            return
    _tell(connection, Ready())
    order = inbox.orders.get()
    if not isinstance(order, Begin):
        return
    try:
        record = SweepRecord(client, experiment_id, order, request)
    except Exception as error:  # whatever the store's libraries raise
        _tell(connection, Begun("", experiment_id, one_line(error)))
        return
    _tell(connection, Begun(record.run_id, experiment_id))
    # The best model is written last, when everyone waits; now there is time to get ready for it.
    threading.Thread(target=_quietly(rehearse), daemon=True).start()
    while True:
        order = inbox.orders.get()
        if isinstance(order, Results):
            events = record.keep(order.content) if inbox.late() else record.write(order.content)
            for event in events:
                _tell(connection, event)
        elif isinstance(order, Failed):
            for event in record.write_failures(order.trials, order.error):
                _tell(connection, event)
        else:
            closed = record.close("KILLED" if inbox.killed else "FINISHED")
            settle(request.uri)
            _tell(connection, closed)
            gc.freeze()  # nothing to tidy: the process ends
            return


def _quietly(function: Callable[[], None]) -> Callable[[], None]:
    """`function` without its errors: what fails in a rehearsal fails again in earnest."""

    def call() -> None:
        with suppress(Exception):
            function()

    return call


class _Inbox:
    """Empties the pipe at once, so that the launcher never waits for MLflow."""

    def __init__(self, connection: Connection) -> None:
        self.orders: SimpleQueue[Order | None] = SimpleQueue()  # None: the launcher is gone
        self.killed = False
        self._deadline = float("inf")
        threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def late(self) -> bool:
        """Whether a stop was asked for so long ago that results go to files unwritten."""
        return time.monotonic() > self._deadline

    def _read(self, connection: Connection) -> None:
        order: Order | None = None
        while True:
            try:
                order = connection.recv()
            except (EOFError, OSError):
                order = None
            if order is None or (isinstance(order, Finish) and order.status == "KILLED"):
                self.killed = True
                self._deadline = min(self._deadline, time.monotonic() + _STOPPING_SECONDS)
            self.orders.put(order)
            if order is None:
                return


def _tell(connection: Connection, event: Event) -> None:
    with suppress(OSError):  # the launcher is gone; the record is still worth finishing
        connection.send(event)
