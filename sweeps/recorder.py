"""The one writer: a process of its own that turns trial results into MLflow runs.

It keeps MLflow out of the launcher and of the workers, and it outlives them: should the launcher be
killed, the recorder sees its pipe end, closes the sweep's runs as KILLED and goes.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import NamedTuple

from sweeps.manifest import Manifest
from trainables.hyperparameters import Trial
from trainables.result import Interval


class Request(NamedTuple):
    """Open the store."""

    uri: str
    experiment: str
    log_seeds: bool


class Begin(NamedTuple):
    """Create the sweep's run."""

    manifest: Manifest


class Results(NamedTuple):
    """Trials that were trained, as `trainables.result.to_bytes` gives them."""

    content: bytes


class Failed(NamedTuple):
    """Trials that could not be trained, and why in one line."""

    trials: Sequence[Trial]
    error: str


class Finish(NamedTuple):
    """No more trials: close the sweep's run with `status`."""

    status: str


class Ready(NamedTuple):
    """The store is open, or `problem` says why not."""

    problem: str = ""


class Begun(NamedTuple):
    """The sweep's run stands."""

    run_id: str
    experiment_id: str


class Recorded(NamedTuple):
    """A trial's run stands."""

    key: str
    summary: Mapping[str, Interval]


class Problem(NamedTuple):
    """Writing failed; the results are in the file `kept`."""

    text: str
    kept: str


class Closed(NamedTuple):
    """The sweep's run is closed. `missing`: names of promised trials without a run."""

    missing: Sequence[str]
    failures: Mapping[str, str]
    views: Mapping[str, str]


Event = Ready | Begun | Recorded | Problem | Closed


class RecorderDied(Exception):
    """The recorder's process ended before its work did."""


class Recorder:
    """The launcher's end: sends orders without waiting, receives events."""

    def __init__(self, uri: str, experiment: str, log_seeds: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        request = Request(uri, experiment, log_seeds)
        self._process = context.Process(target=serve, args=(theirs, request), name="recorder")
        # Signals to stop are the launcher's to answer; the recorder must live to close the runs.
        # Blocked from before its first instruction, since a mask is inherited and a handler is not.
        quiet = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, quiet)
        self._process.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def send(self, order: Begin | Results | Failed | Finish) -> None:
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


def serve(connection: Connection, request: Request) -> None:
    """The recorder's process."""
    from sweeps.mlflow_store import StoreError, open_experiment, open_store

    orders: SimpleQueue[Begin | Results | Failed | Finish | None] = SimpleQueue()
    threading.Thread(target=_read, args=(connection, orders), daemon=True).start()
    try:
        client = open_store(request.uri)
        experiment_id = open_experiment(client, request.experiment, request.uri)
    except StoreError as error:
        _tell(connection, Ready(str(error)))
        return
    _tell(connection, Ready())
    order = orders.get()
    if not isinstance(order, Begin):
        return
    from sweeps.sweep_record import SweepRecord

    record = SweepRecord(client, experiment_id, order.manifest, request)
    _tell(connection, Begun(record.run_id, experiment_id))
    while True:
        order = orders.get()
        if isinstance(order, Results):
            for event in record.results(order.content):
                _tell(connection, event)
        elif isinstance(order, Failed):
            record.failed(order.trials, order.error)
        else:
            status = order.status if isinstance(order, Finish) else "KILLED"
            _tell(connection, record.close(status))
            return


def _read(connection: Connection, orders: SimpleQueue[object]) -> None:
    """Empties the pipe at once, so that the launcher never waits for MLflow; None ends it."""
    try:
        while True:
            orders.put(connection.recv())
    except (EOFError, OSError):
        orders.put(None)


def _tell(connection: Connection, event: Event) -> None:
    try:
        connection.send(event)
    except OSError:
        pass  # the launcher is gone; the record is still worth finishing
