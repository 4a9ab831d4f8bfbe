"""Sweeps that pytest-xdist's processes share: the first that wants one runs it, the others wait."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name, empty at first, that `make` has filled in one of the processes.

    It belongs to all of them: read it, or copy what you mean to change. Where `make` fails, whoever
    wants the folder next tries again.
    """
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # each process has a folder of its own in that of the whole run
    folder, made = place / f"made-once-{name}", place / f"made-once-{name}.made"
    with FileLock(f"{folder}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
