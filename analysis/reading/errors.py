"""The one way in which an analysis script ends early, and what a reader sees of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

_Arguments = ParamSpec("_Arguments")

BAD_INPUT, INCOMPLETE, STORE = 2, 3, 4


class Stop(Exception):
    """Ends the script with one line for the reader and an exit code.

    `code`: `BAD_INPUT` (no such sweep, an option that does not fit), `INCOMPLETE` (the sweep is
    unfinished, deleted or lacks trials that its manifest promises) or `STORE` (the tracking store
    cannot be read or written).
    """

    def __init__(self, code: int, line: str) -> None:
        super().__init__(" ".join(line.split()))
        self.code = code


class NoFinishedSweep(Stop):
    """The store has no finished sweep of the name that was asked for."""


def exit_code(work: Callable[_Arguments, None]) -> Callable[_Arguments, int]:
    """`work` with an exit code: 0, or that of the `Stop` that it raises, whose line is printed."""

    @wraps(work)
    def coded(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> int:
        try:
            work(*arguments, **named)
        except Stop as stop:
            print(stop, file=sys.stderr)
            return stop.code
        return 0

    return coded
