"""Orders as they come in: results go to disk at once, and the launcher never waits for MLflow."""

from __future__ import annotations

import json
import threading
import time
from multiprocessing.connection import Connection
from queue import SimpleQueue

from sweeps.record.messages import Failed, Finish, Open, Order, Results
from sweeps.record.spool import Entry, Spool

_STOPPING_SECONDS = 10.0  # that a stopped sweep may still spend on writing what was trained


class Inbox:
    """Empties the pipe in a thread of its own.

    `orders`: what came, results and failures as entries of the spool; None when the launcher is
    gone. `spool` and `patience` (seconds) have to be set before the first result comes.
    """

    def __init__(self, connection: Connection) -> None:
        self.orders: SimpleQueue[Order | Entry | None] = SimpleQueue()
        self.spool: Spool | None = None
        self.patience = 0.0
        self.killed = False
        self._deadline = float("inf")
        threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def deadline(self) -> float:
        """Until when (monotonic) writing may go on; infinite while trials are trained."""
        return self._deadline

    def _read(self, connection: Connection) -> None:
        order: Order | None = None
        while True:
            try:
                order = connection.recv()
            except (EOFError, OSError):
                order = None
            if isinstance(order, Open):  # perhaps a second sweep's
                self.spool, self.killed, self._deadline = None, False, float("inf")
            if order is None or isinstance(order, Finish):
                self.killed = self.killed or order is None or order.status == "KILLED"
                seconds = _STOPPING_SECONDS if self.killed else self.patience
                self._deadline = min(self._deadline, time.monotonic() + seconds)
            self.orders.put(self._kept(order))
            if order is None:
                return

    def _kept(self, order: Order | None) -> Order | Entry | None:
        if self.spool is not None and isinstance(order, Results):
            return self.spool.add("results", order.content)
        if self.spool is not None and isinstance(order, Failed):
            keys = [trial.key for trial in order.trials]
            content = json.dumps({"trials": keys, "error": order.error}).encode()
            return self.spool.add("failures", content)
        return order
