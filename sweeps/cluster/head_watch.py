"""Notices that a cluster's head has gone, and ends the sweep."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

from sweeps.plan.exit_codes import RESOURCES

_LOOK_SECONDS = 1.0
_LOST_SECONDS = 10.0  # without a connection; a head that is only busy still takes them


class HeadWatch:
    """Looks every second whether something takes connections at `address`, on a thread of its own.

    When nothing does any more, the process ends with a line and the exit code for Ray. There is no
    gentler way: calls of Ray's then block for a minute, after which Ray ends the process itself.
    The recorder sees it end and closes the record, as after any other death.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        host, _, port = address.rpartition(":")
        self._there = (host.strip("[]"), int(port))
        self._over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        """Looks no more."""
        self._over.set()

    def _look(self) -> None:
        seen = time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            try:
                socket.create_connection(self._there, timeout=_LOST_SECONDS).close()
                seen = time.monotonic()
            except OSError:
                if time.monotonic() - seen > _LOST_SECONDS and not self._over.is_set():
                    print(
                        f"error: the Ray cluster at {self._address} has gone; what was recorded "
                        "stays: start the cluster again, or use --address local, and add --resume",
                        file=sys.stderr,
                        flush=True,
                    )
                    os._exit(RESOURCES)
