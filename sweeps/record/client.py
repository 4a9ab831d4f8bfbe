"""The launcher's end of the one writer, a process of its own (`sweeps.record.process`).

It keeps MLflow out of the launcher and of the workers, and it outlives them: should the launcher be
killed, the recorder sees its pipe end, closes the sweep's runs as KILLED and goes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe

from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import STORE
from sweeps.record.messages import Event, Order

_START = "from sweeps.record.process import main; main()"


class RecorderDied(SweepError):
    """The recorder's process ended before its work did."""

    exit_code = STORE


class Recorder:
    """The launcher's end: sends orders without waiting, receives events."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        # Not as a process of multiprocessing, which would run the user's script once more in it.
        # Signals to stop are the launcher's to answer; the recorder must live to close the runs.
        # Blocked from before its first instruction, since a mask is inherited and a handler is not.
        quiet = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, quiet)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        finally:
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

    def dismiss(self) -> None:
        """Lets the process end once it has done what it was told."""
        self._connection.close()

    def join(self) -> None:
        """Waits for the process to end."""
        self.dismiss()
        self._wait(60)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process is there to take orders."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends the process at once. What it had not written stays on disk."""
        self._process.kill()

    def _wait(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _epitaph(self) -> str:
        self._wait(5)
        return (
            f"the recording process ended early (exit code {self._process.returncode}); what was "
            "trained is on disk: the same command with --resume completes the sweep"
        )
