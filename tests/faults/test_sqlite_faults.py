"""Embedded SQLite stores that are locked, read heavily, full or read-only."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from support.everything import Everything
from support.invariants import check_invariants, kept_folders
from support.scripts import PACED
from support.sweep_process import read_only, run_upload, started, trials_recorded

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

LOCKED_SECONDS = 30


def test_sqlite_locked_by_another_process(tmp_path: Path, paced: Everything) -> None:
    with started("sweeps/l2.py", *PACED, cwd=tmp_path) as process:
        process.wait_until(lambda: trials_recorded(tmp_path) > 0, "the first trial was recorded")
        with closing(sqlite3.connect(tmp_path / "mlflow.db", timeout=60)) as other:
            other.execute("BEGIN EXCLUSIVE")
            since = time.monotonic()
            process.wait_until_trained()
            time.sleep(max(0.0, LOCKED_SECONDS - (time.monotonic() - since)))
            other.rollback()
        assert process.wait() == 0, process.stderr
        check_invariants(tmp_path, reference=paced, process=process)


def test_sqlite_with_heavy_readers(tmp_path: Path, paced: Everything) -> None:
    over = threading.Event()

    def read() -> None:
        """Snapshots that last, which a write-ahead log cannot be emptied under."""
        while not over.wait(0.05):
            with suppress(sqlite3.Error), closing(read_only(tmp_path / "mlflow.db")) as database:
                database.execute("BEGIN")
                database.execute("SELECT count(*), sum(value) FROM metrics").fetchone()
                over.wait(1)
                database.execute("SELECT key, value FROM metrics").fetchall()

    readers = [threading.Thread(target=read) for _ in range(4)]
    with started("sweeps/l2.py", *PACED, cwd=tmp_path) as process:
        for reader in readers:
            reader.start()
        try:
            assert process.wait() == 0, process.stderr
        finally:
            over.set()
            for reader in readers:
                reader.join()
        check_invariants(tmp_path, reference=paced, process=process)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of a few megabytes, at `folder`."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "sweep-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Uses up all that is free; the file that does."""
    file = disk / "full"
    with file.open("wb", buffering=0) as rest, suppress(OSError):
        while True:
            rest.write(os.urandom(4096))
    return file


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_disk_that_cannot_be_written_at_the_start(tmp_path: Path, fault: str) -> None:
    with small_disk(tmp_path / "disk") as disk:
        if fault == "full":
            fill(disk)
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        flags = (*PACED, "--tracking-uri", f"sqlite:///{disk}/mlflow.db")
        with started("sweeps/l2.py", *flags, cwd=tmp_path) as process:
            assert process.wait() == 4, process.stderr
            (line,) = process.messages
            assert str(disk) in line
            assert "--tracking-uri" in line
            assert process.temporary_files() == []
            assert process.living_after_the_end() == []
        assert trials_recorded(disk) == 0
        assert list(kept_folders(tmp_path, disk)) == []


def test_disk_that_becomes_full_and_results_brought_in_later(
    tmp_path: Path, paced: Everything
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        flags = (*PACED, "--tracking-uri", f"sqlite:///{disk}/mlflow.db")
        with started("sweeps/l2.py", *flags, "--store-patience", "3", cwd=tmp_path) as process:
            process.wait_until(lambda: trials_recorded(disk) > 0, "the first trial was recorded")
            rest = fill(disk)
            assert process.wait() == 4, process.stderr
            assert "Traceback" not in process.stderr
            assert process.living_after_the_end() == []
            places = (tmp_path, disk, process.temporary)
            # Some may have found room on the disk before it was full, the others went elsewhere.
            kept = [each for each in kept_folders(*places) if list(each.glob("*.results"))]
            assert 1 <= len(kept) <= 2
            for folder in kept:
                assert str(folder) in process.stderr
            rest.unlink()
            code, errors = run_upload(tmp_path, *map(str, kept))
            assert code == 0, errors
            check_invariants(disk, reference=paced)
            assert list(kept_folders(*places)) == []
