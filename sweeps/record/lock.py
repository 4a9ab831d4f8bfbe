"""Who works on a sweep: a tag of its run that names the processes and beats while they live.

MLflow has no lock. This is a claim that everybody reads before writing: on the owner's own machine
its processes are looked up, on another one the beat is watched for a while, so that no two clocks
are ever compared. Two claims at one moment are told apart by reading again after a pause; whoever
later finds another's claim in place of his own stops.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import ALREADY_RUNNING
from trainables.record_format import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BEAT_SECONDS = 5.0
_WATCH_SECONDS = 20.0  # without a beat, then an owner on another machine is dead
_SETTLE_SECONDS = 1.0  # longer than another takes from reading a dead claim to writing its own
_CLOSING_SECONDS = 60.0  # that a recorder without its launcher gets for its last writes

State = Literal["alive", "closing", "dead", "elsewhere"]


class AlreadyRunning(SweepError):
    """Another process works on this sweep; the message says which."""

    exit_code = ALREADY_RUNNING


@dataclass(frozen=True)
class Owner:
    """The processes that work on a sweep, each as its number and its start."""

    host: str
    system: str  # boot and namespace of the process numbers: only within these do they mean a thing
    launcher: tuple[int, int]
    recorder: tuple[int, int]
    token: str
    beat: int = 0

    @classmethod
    def here(cls, launcher: int) -> Owner:
        """This process as recorder, and the process `launcher`."""
        return cls(
            platform.node(),
            _system(),
            (launcher, _start_of(launcher) or 0),
            (os.getpid(), _start_of(os.getpid()) or 0),
            secrets.token_hex(8),
        )

    def to_tag(self) -> str:
        """The claim as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_tag(cls, text: str) -> Owner | None:
        """The inverse of `to_tag`; None for anything else."""
        try:
            values = json.loads(text)
            for name in ("launcher", "recorder"):
                number, start = values[name]
                values[name] = (int(number), int(start))
            return cls(**values)
        except (ValueError, KeyError, TypeError):
            return None

    @property
    def state(self) -> State:
        """What is known of the processes from here."""
        if (self.host, self.system) != (platform.node(), _system()):
            return "elsewhere"
        launcher, recorder = (
            _start_of(number) == start for number, start in (self.launcher, self.recorder)
        )
        if not recorder:  # nobody writes any more, though the launcher may live on as a notebook
            return "dead"
        return "alive" if launcher else "closing"

    def __str__(self) -> str:
        return f"process {self.launcher[0]} on {self.host}"


class SweepLock:
    """The claim of this process on the sweep's run `run_id`."""

    def __init__(self, client: MlflowClient, run_id: str, owner: Owner) -> None:
        self._client, self._run_id, self._owner = client, run_id, owner
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.lost = ""  # why the sweep is no longer ours
        self.on_lost: Callable[[str], None] = lambda _: None

    def take(self) -> None:
        """Claims the sweep. Raises `AlreadyRunning` when somebody else works on it."""
        other = self._read()
        if other is not None and other.token != self._owner.token:
            _wait_for_its_end(other, self._read)
        self._write()
        time.sleep(_SETTLE_SECONDS)
        winner = self._read()
        if winner is None or winner.token != self._owner.token:
            raise AlreadyRunning(f"it has just been taken by {winner or 'another process'}")

    def keep(self, check: Callable[[], None] = lambda: None) -> None:
        """Beats in the background until `release`; `check` is called with the first two beats."""
        self._thread = threading.Thread(target=self._beat, args=(check,), daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stops beating and takes the claim away, if it is still ours."""
        self.stop()
        if self._thread is not None:
            self._thread.join(60)  # or a beat under way would claim the sweep once more
        found = self._read()
        if found is not None and found.token == self._owner.token:
            self._client.delete_tag(self._run_id, Tag.LOCK)

    def stop(self) -> None:
        """Stops beating; the claim stays."""
        self._stop.set()

    def lose(self, why: str) -> None:
        """Gives the sweep up."""
        self.lost = why
        self._stop.set()
        self.on_lost(why)

    def _beat(self, check: Callable[[], None]) -> None:
        while not self._stop.wait(_BEAT_SECONDS):
            with suppress(Exception):  # a store that is away: the next beat tries again
                found = self._read()
                if found is not None and found.token != self._owner.token:
                    self.lose(f"{found} has taken this sweep over")
                    return
                if self._owner.beat < 2:
                    check()
                self._owner = replace(self._owner, beat=self._owner.beat + 1)
                if not self._stop.is_set():
                    self._write()

    def _read(self) -> Owner | None:
        return Owner.from_tag(self._client.get_run(self._run_id).data.tags.get(Tag.LOCK, ""))

    def _write(self) -> None:
        self._client.set_tag(self._run_id, Tag.LOCK, self._owner.to_tag())


def _wait_for_its_end(owner: Owner, read: Callable[[], Owner | None]) -> None:
    """Returns when the owner has gone; raises `AlreadyRunning` when it lives."""
    if owner.state == "alive":
        raise AlreadyRunning(f"{owner} works on it")
    patience = _WATCH_SECONDS if owner.state == "elsewhere" else _CLOSING_SECONDS
    deadline = time.monotonic() + patience
    while owner.state != "dead" and time.monotonic() < deadline:
        time.sleep(0.5)
        found = read()
        if found is None:
            return
        if found.token != owner.token or (owner.state == "elsewhere" and found.beat != owner.beat):
            raise AlreadyRunning(f"{found} works on it")
    if owner.state == "closing":
        raise AlreadyRunning(f"process {owner.recorder[0]} still writes its results")


def _system() -> str:
    """Names the boot and the process namespace; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _start_of(number: int) -> int | None:
    """When the process started, in the system's own unit; None when there is none alive.

    A number alone would not do: systems use them again.
    """
    try:
        # The name before the last parenthesis may itself hold anything.
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        try:  # no /proc: the number has to do
            os.kill(number, 0)
        except ProcessLookupError:
            return None
        except OSError:
            pass
        return 0
    return None if fields[0] in "ZX" else int(fields[19])
