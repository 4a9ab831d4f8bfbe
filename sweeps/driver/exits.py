"""How a command ends: what it raises becomes lines on stderr and an exit code."""

from __future__ import annotations

from collections.abc import Callable

from sweeps.driver.terminal import tell
from sweeps.plan.errors import SweepError


def exit_code_of(work: Callable[[], int]) -> int:
    """What `work` returns, or the exit code of the `SweepError` that it raises, once it is told."""
    try:
        return work()
    except SweepError as error:
        complain(str(error))
        return error.exit_code


def complain(text: str) -> None:
    """Prints every line of `text` as an error."""
    for line in text.splitlines():
        tell(f"error: {line}")
