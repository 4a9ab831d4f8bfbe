"""Which errors of a store pass by themselves, and how long to wait for that."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0  # seconds between tries, doubling
_PASSING_4XX = (408, 429)


def http_status(error: MlflowException) -> int:
    """The HTTP status that stands for the error, 500 where MLflow has no other."""
    status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
    return status


def passes(error: BaseException) -> bool:
    """Whether the same call may succeed later: the store is away, slow, busy, locked or full."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    if isinstance(error, MlflowException):
        status = http_status(error)
        return status in _PASSING_4XX or status >= 500
    return isinstance(error, OSError | OperationalError)  # OSError: also what requests raises


class Patience:
    """Tries again, with growing pauses, until it works or `deadline` (monotonic) has passed."""

    def __init__(
        self, deadline: Callable[[], float], on_wait: Callable[[BaseException], None]
    ) -> None:
        """`on_wait` is told of the error before each pause."""
        self._deadline, self._on_wait = deadline, on_wait

    def call(self, function: Callable[[bool], T]) -> T:
        """What `function(repeated)` gives; raises its last error when it does not pass in time."""
        wait = _FIRST_WAIT
        repeated = False
        while True:
            try:
                return function(repeated)
            except Exception as error:  # whatever the store's libraries raise
                if not passes(error) or time.monotonic() > self._deadline():
                    raise
                self._on_wait(error)
            resume_at = time.monotonic() + wait
            while time.monotonic() < min(resume_at, self._deadline()):
                time.sleep(0.05)  # in small steps: the deadline comes nearer on Ctrl-C
            wait = min(2 * wait, _LONGEST_WAIT)
            repeated = True
