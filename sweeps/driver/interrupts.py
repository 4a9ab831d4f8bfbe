"""Ctrl-C and SIGTERM: the first stops a sweep in good order, the second at once."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_at_once(code: int) -> NoReturn:
    """Ends the process with that exit code, everything tidied but the interpreter itself.

    Stopped while Ray starts, a process has threads half way through imports and Ray's own; Python
    taking itself apart beneath them has been seen to crash (SIGSEGV) after all was done.
    """
    atexit._run_exitfuncs()  # those of Ray end its processes
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


class Stopped(KeyboardInterrupt):
    """Someone asked the sweep to stop. Not an `Exception`, so that no library swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


class Interrupts:
    """Answers the signals while it is entered; restores what answered them before.

    In a thread other than the main one it does nothing: Python gives it no signals.
    """

    def __init__(self) -> None:
        self._mine = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        self._received = 0
        self._reported = False
        self._orderly = False

    def __enter__(self) -> Interrupts:
        self.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            if self._mine:  # None: of a handler that is not Python's
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def install(self) -> None:
        """Takes the signals over, also from whoever took them since the last time."""
        for number in _SIGNALS:
            if self._mine:
                signal.signal(number, self._receive)

    def at_checks(self, orderly: bool) -> None:
        """Whether a first signal waits for the next `check` instead of stopping at once."""
        self._orderly = orderly

    def check(self) -> None:
        """Raises `Stopped` if a signal has come that no earlier check has reported."""
        if self._received and not self._reported:
            self._reported = True
            raise Stopped(self._received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        first = not self._received
        self._received = number
        if not (first and self._orderly):
            raise Stopped(number)
