"""What a command does whose reader leaves before it is done, as `head` and pagers do."""

from __future__ import annotations

import io
import os
import sys
from typing import IO, Any


class _UntilClosed(io.FileIO):
    """A file that throws away what is written once nobody is there to read it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            # The file itself leads nowhere from now on, for Python's last flush and for others.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


def outlive_readers() -> None:
    """Lets this process go on to its end when the reader of what it prints has gone.

    What a sweep is for is its record, and `--help | head` is no mistake. The exit code stays that
    of the work. Streams that something else has put in their place stay as they are.
    """
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        sys.stdout = sys.__stdout__ = _reopened(sys.stdout)  # type: ignore[misc]
    if sys.stderr is sys.__stderr__ and sys.stderr is not None:
        sys.stderr = sys.__stderr__ = _reopened(sys.stderr)  # type: ignore[misc]


def _reopened(stream: IO[str]) -> io.TextIOWrapper:
    assert isinstance(stream, io.TextIOWrapper)
    below: Any = stream.buffer
    if buffered := isinstance(below, io.BufferedWriter):  # not with PYTHONUNBUFFERED
        below = below.raw
    if isinstance(below, _UntilClosed):
        return stream
    stream.flush()
    raw: Any = _UntilClosed(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw) if buffered else raw,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
