"""Results on disk, from their arrival until they stand in the tracking store.

Whatever happens to the store, to the recorder or to the whole machine, what was trained is here or
there. The folder of a sweep that ended well is gone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sweeps.record.sealed_files import Damaged, read_sealed, write_sealed
from sweeps.record.store.opening import database_file
from trainables.record_format import Kept, KeptKind

_ENDINGS = tuple(f".{kind}" for kind in get_args(KeptKind))
_HELD = 50  # results that also stay in memory; more wait on disk alone


@dataclass
class Entry:
    """Results, or failures, as they arrived at `time` (milliseconds since 1970).

    `path`: their file; None when no file could be written and they are only in memory.
    """

    kind: KeptKind
    time: int
    path: Path | None
    held: bytes | None

    def content(self) -> bytes:
        """What arrived. Raises `Damaged` when its file has changed."""
        if self.held is not None:
            return self.held
        if self.path is None:
            raise RuntimeError("an entry needs a file or its content")
        return read_sealed(self.path)[1]


def kept() -> list[Path]:
    """Folders of sweeps with results that may wait here: in the current folder, or as a last way
    out in the system's temporary one."""
    places = (Path(Kept.FOLDER), _temporary() / Kept.FOLDER)
    return sorted(each for place in places for each in place.glob("*/"))


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


class Spool:
    """The results of one sweep that wait. Two threads may use it: one adds, one removes."""

    def __init__(self, *places: Path) -> None:
        """`places`: folders of this sweep, the first to be used while it can be written."""
        self._places = list(dict.fromkeys(places))
        self._facts: Mapping[str, Any] = {}
        self._manifest = b""
        self._count = 0
        self._waiting = 0

    @classmethod
    def of(cls, uri: str, run_name: str) -> Spool:
        """That of a sweep: beside an embedded store, else, or should that be full, in the current
        folder, and last in the system's temporary one."""
        file = database_file(uri)
        homes = [file.parent] if file else []
        return cls(*(home / Kept.FOLDER / run_name for home in (*homes, Path.cwd(), _temporary())))

    @property
    def folders(self) -> list[Path]:
        """The folders of this sweep that are there."""
        return [folder for folder in self._places if folder.is_dir()]

    def promise(self, facts: Mapping[str, Any], manifest: str) -> None:
        """Names the run that the results belong to. Nothing is written before the first result."""
        self._facts, self._manifest = facts, manifest.encode()

    def read_promise(self) -> tuple[dict[str, Any], str]:
        """What `promise` was given. Raises `Damaged`, and `OSError` when there is none."""
        facts, manifest = read_sealed(self._places[0] / Kept.PROMISE)
        return facts, manifest.decode()

    def add(self, kind: KeptKind, content: bytes) -> Entry:
        """Takes what has just arrived."""
        now = int(time.time() * 1000)
        self._count += 1
        name = f"{now:014}-{self._count:05}.{kind}"
        path = self._write(name, {"kind": kind, "time": now}, content)
        self._waiting += 1
        held = content if path is None or self._waiting <= _HELD else None
        return Entry(kind, now, path, held)

    def _write(self, name: str, facts: Mapping[str, Any], content: bytes) -> Path | None:
        for folder in self._places:
            try:
                if not (folder / Kept.PROMISE).exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    write_sealed(folder / Kept.PROMISE, self._facts, self._manifest)
                write_sealed(folder / name, facts, content)
            except OSError:  # full or read-only: the next place may do
                _tidy(folder)
                continue
            return folder / name
        return None

    def entries(self) -> Iterator[Entry]:
        """What an earlier process left, oldest first. Raises `Damaged`."""
        found = [path for folder in self._places for path in folder.glob("*")]
        for path in sorted(found, key=lambda each: each.name):
            if path.suffix in _ENDINGS:
                facts, content = read_sealed(path)
                if f".{facts.get('kind')}" != path.suffix:
                    raise Damaged(f"{path} holds {facts.get('kind')}, not what its name says")
                yield Entry(facts["kind"], facts["time"], path, content)

    def remove(self, entry: Entry) -> None:
        """Lets go of an entry that stands in the store."""
        self._waiting = max(0, self._waiting - 1)
        if entry.path is not None:
            with suppress(OSError):  # a read-only disk: its trials are skipped when read again
                entry.path.unlink()

    def clear(self) -> None:
        """Removes the folders that hold no results."""
        for folder in self._places:
            for path in folder.glob("*.partial"):  # of a process that was killed
                with suppress(OSError):
                    path.unlink()
            _tidy(folder)


def _tidy(folder: Path) -> None:
    """Removes the folder if it holds nothing but the promise."""
    with suppress(OSError):
        if folder.is_dir() and {path.name for path in folder.iterdir()} <= {Kept.PROMISE}:
            (folder / Kept.PROMISE).unlink(missing_ok=True)
            folder.rmdir()
        folder.parent.rmdir()  # fails while other sweeps have theirs there
