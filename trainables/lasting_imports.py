"""Imports of packages that stay until the process ends, without Python's garbage collector.

Importing MLflow or torch makes a million objects. The collector goes over all of them again and
again while they are made, and once more when the process ends: half of the time that a process
which does little else takes. None of them is ever garbage.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports(whole_process: bool = True) -> Iterator[None]:
    """Leaves alone, for good, every object that exists when the block ends.

    Without `whole_process` only during the block: in a process that others use, too, some of what
    exists may be garbage one day.
    """
    gc.disable()
    try:
        yield
    finally:
        if whole_process:
            gc.freeze()
        gc.enable()
