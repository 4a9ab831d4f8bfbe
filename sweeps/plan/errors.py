"""Why a command that was understood cannot be carried out, with its exit code."""

from __future__ import annotations


class Refused(Exception):
    """What was asked for cannot be done; `code` is the exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code
