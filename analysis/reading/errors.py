"""The one way in which an analysis script ends early."""

from __future__ import annotations

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
