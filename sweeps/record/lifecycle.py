"""A sweep's record from its beginning to its end, in spite of a store that comes and goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sweeps.plan.provenance import one_line, without_credentials
from sweeps.record import parent_run, running_sweeps
from sweeps.record.lock import AlreadyRunning, Owner, SweepLock
from sweeps.record.messages import Closed, Event, Lost, Problem, Waiting, Writing
from sweeps.record.results import ResultsRecord
from sweeps.record.spool import Entry, Spool
from sweeps.record.store.opening import TIMEOUT
from sweeps.record.store.patience import Patience
from trainables.data import Dataset
from trainables.manifest import Manifest

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BEGIN_SECONDS = 10.0  # that a store may be away while the sweep's run is created
_LAST_TIMEOUT = "5"  # seconds of a call when time is up: Ctrl-C has to end soon


class Recording:
    """The record, its lock and its spool, kept together.

    `tell` is called with events, from two threads. `deadline` gives the time (monotonic) until
    which a store that does not answer is waited for.
    """

    def __init__(
        self,
        record: ResultsRecord,
        lock: SweepLock,
        spool: Spool,
        tell: Callable[[Event], None],
        deadline: Callable[[], float],
    ) -> None:
        self.record, self.spool = record, spool
        record.writer.on_written = lambda trials: tell(Writing(trials))
        self._lock, self._tell, self._deadline = lock, tell, deadline
        self._patience = Patience(self._time_left, self._wait)
        self._waiting = False
        self._given_up = ""
        self._twin = False

    @classmethod
    def begin(
        cls,
        client: MlflowClient,
        uri: str,
        experiment_id: str,
        manifest: Manifest,
        dataset: Dataset,
        launcher: int,
        tell: Callable[[Event], None],
        deadline: Callable[[], float],
    ) -> Recording:
        """Creates the sweep's run. Raises `AlreadyRunning`, or what the store raises."""
        running_sweeps.close_abandoned(client, experiment_id, manifest.name)
        owner = Owner.here(launcher)
        until = time.monotonic() + _BEGIN_SECONDS
        parent = Patience(lambda: until, lambda _: None).call(
            lambda _: parent_run.create(client, experiment_id, manifest, owner)
        )
        record = ResultsRecord(client, parent, manifest, dataset)
        try:
            running_sweeps.refuse_twin(client, parent)
        except AlreadyRunning:
            record.withdraw()
            raise
        lock = SweepLock(client, record.run_id, owner)
        spool = Spool.of(uri, manifest.run_name)
        recording = cls(record, lock, spool, tell, deadline)
        recording._start(uri, manifest)
        # One that started at the same moment may not have stood there yet.
        lock.keep(lambda: recording._refuse_twin(client))
        return recording

    @classmethod
    def resume(
        cls,
        client: MlflowClient,
        uri: str,
        run_id: str,
        manifest: Manifest,
        dataset: Dataset,
        launcher: int,
        retry_failed: bool,
        tell: Callable[[Event], None],
        deadline: Callable[[], float],
        spool: Spool | None = None,
    ) -> Recording:
        """Takes up the sweep's run, and what was trained but not recorded.

        `spool`: where that is, if not at its usual place. Raises `AlreadyRunning`, `CannotResume`,
        `Damaged`, or what the store raises.
        """
        lock = SweepLock(client, run_id, Owner.here(launcher))
        lock.take()
        lock.keep()  # before reading all that is recorded, which may take longer than a beat
        try:
            record = ResultsRecord(client, client.get_run(run_id), manifest, dataset)
            record.recover(retry_failed)
            client.update_run(run_id, status="RUNNING")
            spool = spool or Spool.of(uri, manifest.run_name)
            recording = cls(record, lock, spool, tell, deadline)
            recording._start(uri, manifest)
            for entry in spool.entries():
                if entry.kind == "results" or not retry_failed:
                    recording.write(entry)
                else:
                    spool.remove(entry)
        except BaseException:
            with suppress(Exception):  # the first error is the one to tell
                lock.release()
            raise
        return recording

    def _start(self, uri: str, manifest: Manifest) -> None:
        self._lock.on_lost = self._lost
        facts = {"run_id": self.record.run_id, "tracking_uri": without_credentials(uri)}
        self.spool.promise(facts, manifest.to_json())

    def write(self, entry: Entry) -> None:
        """Writes an entry to the store, or leaves it on disk and says why."""
        if not self._given_up and time.monotonic() > self._time_left():
            self._given_up = "the sweep was stopped"
        if not self._given_up:
            try:
                recorded = self._patience.call(lambda again: self.record.write(entry, again))
            except Exception as error:  # whatever the store's libraries raise
                self._given_up = one_line(error)
            else:
                self._answers_again()
                self.spool.remove(entry)
                for event in recorded:
                    self._tell(event)
                return
        self._tell(Problem(self._given_up, str(entry.path or "")))

    def close(self, status: str) -> Closed:
        """Ends the sweep's run with `status`, or says why it could not be."""
        if self._lock.lost:
            self._lock.stop()
            if self._twin:  # the other one trains the same
                self.record.withdraw()
                for entry in self.spool.entries():
                    self.spool.remove(entry)
                self.spool.clear()
            return Closed([], {}, {}, self._lock.lost)
        if self._given_up or time.monotonic() > self._time_left():
            os.environ[TIMEOUT] = _LAST_TIMEOUT
        # A run that a server makes after nobody waits for it is surplus, and found only once it
        # stands.
        while time.monotonic() < min(self.record.writer.obeyed_until, self._time_left()):
            time.sleep(0.05)
        try:
            closed = self._patience.call(lambda again: self.record.close(status, self._lock, again))
        except Exception as error:  # whatever the store's libraries raise
            self._lock.stop()
            return Closed([], self.record.writer.failures, {}, one_line(error))
        self._answers_again()
        self.spool.clear()
        return closed

    def _time_left(self) -> float:
        return 0.0 if self._lock.lost else self._deadline()

    def _wait(self, error: BaseException) -> None:
        if not self._waiting:
            self._tell(Waiting(one_line(error)))
        self._waiting = True

    def _answers_again(self) -> None:
        if self._waiting:
            self._tell(Waiting(""))
        self._waiting = False

    def _refuse_twin(self, client: MlflowClient) -> None:
        try:
            running_sweeps.refuse_twin(client, client.get_run(self.record.run_id))
        except AlreadyRunning as error:
            self._twin = True
            self._lock.lose(str(error))

    def _lost(self, text: str) -> None:
        self._tell(Lost(text))
