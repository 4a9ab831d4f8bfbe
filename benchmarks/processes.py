"""What a running sweep's processes use: CPU seconds and memory by their role.

Numbers are read while the processes run, so what a process uses between the last look and its end
is missed, as is a process that lives for less than the pause between two looks. Memory is resident
memory, in which pages that processes share count for each of them.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

import psutil

ROLES = ("launcher", "recorder", "workers", "Ray's daemons", "other")
_DAEMONS = ("/ray/_private/", "/ray/dashboard/", "/ray/autoscaler/", "/gcs_server", "ray::")
_PAUSE = 0.15  # seconds between two looks


@dataclass
class Usage:
    """CPU seconds, and the most resident bytes at one time, by role."""

    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROLES, 0))
    peak_bytes_together: int = 0


class Watch:
    """Looks at a process and all that come from it, from now until `stop`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._launcher = process.pid
        self._session = f"_{process.pid}/"  # Ray's daemons are told its folder, named so
        self._others = set(psutil.pids()) - {process.pid}
        self._ours: dict[int, psutil.Process] = {process.pid: psutil.Process(process.pid)}
        self._roles = {process.pid: "launcher"}
        self._cpu: dict[tuple[int, float], tuple[str, float]] = {}
        self._usage = Usage()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def stop(self) -> Usage:
        """Ends the watch; what was seen."""
        self._stopped.set()
        self._thread.join()
        for role in ROLES:
            self._usage.cpu_seconds[role] = sum(s for r, s in self._cpu.values() if r == role)
        return self._usage

    def _look_on(self) -> None:
        while not self._stopped.is_set():
            began = time.perf_counter()
            self._find()
            self._look()
            self._stopped.wait(max(0.01, _PAUSE - (time.perf_counter() - began)))

    def _find(self) -> None:
        """Takes up new processes: children of ours, and those of our Ray session wherever they are.

        Not by psutil's own list of children, which leaves out a child that seems older than its
        parent, as rounding can make it.
        """
        there = set(psutil.pids())
        self._others &= there  # numbers are given again
        for pid in list(self._ours.keys() - there):
            del self._ours[pid], self._roles[pid]
        new = there - self._others - self._ours.keys()
        found = True
        while found:
            found = False
            for pid in sorted(new):
                try:
                    process = psutil.Process(pid)
                    ours = process.ppid() in self._ours or self._session in _command(process)
                except psutil.Error:
                    new.discard(pid)
                    continue
                if ours:
                    self._ours[pid], self._roles[pid] = process, "other"
                    new.discard(pid)
                    found = True
        self._others |= new

    def _look(self) -> None:
        together: dict[str, int] = defaultdict(int)
        for pid, process in list(self._ours.items()):
            try:
                with process.oneshot():
                    if self._roles[pid] == "other":  # until it has become what it is to be
                        self._roles[pid] = _role(process)
                    times, memory = process.cpu_times(), process.memory_info().rss
            except psutil.Error:
                continue
            role = self._roles[pid]
            self._cpu[pid, process.create_time()] = (role, times.user + times.system)
            together[role] += memory
        for role, memory in together.items():
            self._usage.peak_bytes[role] = max(self._usage.peak_bytes[role], memory)
        self._usage.peak_bytes_together = max(
            self._usage.peak_bytes_together, sum(together.values())
        )


def _role(process: psutil.Process) -> str:
    command = _command(process)
    if "/raylet/raylet " in command:  # which is told how to start workers, so before those
        return "Ray's daemons"
    if "default_worker.py" in command or command.startswith(("ray::IDLE", "ray::Pack")):
        return "workers"
    if any(part in command for part in _DAEMONS):
        return "Ray's daemons"
    return "recorder" if "sweeps.record.process" in command else "other"


def _command(process: psutil.Process) -> str:
    return " ".join(process.cmdline())
