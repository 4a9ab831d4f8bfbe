"""What ends a sweep early: one base, so that a caller catches all of it, with an exit code."""

from __future__ import annotations

from sweeps.plan.exit_codes import BAD_INPUT


class SweepError(Exception):
    """What was asked for cannot be done, or was not done; the message has a line for each reason.

    `exit_code`: what a command ends with that meets it, one of `exit_codes`.
    """

    exit_code = BAD_INPUT


class BadInput(SweepError):
    """Options that cannot be; the message has a line for each of them."""


class Refused(SweepError):
    """It is not done because of what else there is, such as another process that does it."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Interrupted(SweepError, KeyboardInterrupt):
    """The sweep was stopped from outside; what was recorded stays, and the message completes it.

    It is a `KeyboardInterrupt`, too: whoever asked for the stop is not done with the sweep alone.
    `run_id`: of the sweep's run; empty when it had not begun.
    """

    def __init__(self, text: str, exit_code: int, run_id: str = "") -> None:
        super().__init__(text)
        self.exit_code = exit_code
        self.run_id = run_id
