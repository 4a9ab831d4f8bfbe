"""Which errors of a store pass by themselves, and how long to wait for that.

Two layers: a call that fails at once is made again at once (`PatientClient`), so that work of many
calls gets on while some answers are lost; a store that is away is waited for (`Patience`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0  # seconds between tries, doubling
_PASSING_4XX = (408, 429)
_TRIES, _PAUSE = 4, 0.25  # of a single call, and the seconds between them
_QUICK = 3.0  # seconds: a call that failed later has waited for a store that is away
# Calls that do something else when they are made twice; `RunWriter` looks before it repeats them.
_ONCE = ("create_", "delete_tag")


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


def timed_out(error: BaseException) -> bool:
    """Whether nobody waited for the answer any more: the store may obey the call yet."""
    # By its words: how urllib3's error is wrapped depends on the number of tries and the method.
    return "Read timed out" in str(error)


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


class PatientClient:
    """An `MlflowClient` that makes calls again which fail quickly and may be made twice."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if not callable(call) or name.startswith(("_", *_ONCE)):
            return call

        def repeated(*given: Any, **named: Any) -> Any:
            for attempt in range(_TRIES):
                began = time.monotonic()
                try:
                    return call(*given, **named)
                except Exception as error:  # whatever the store's libraries raise
                    quick = time.monotonic() - began < _QUICK
                    if not (quick and passes(error) and attempt < _TRIES - 1):
                        raise
                time.sleep(_PAUSE)
            raise AssertionError("the last try returns or raises")

        return repeated
