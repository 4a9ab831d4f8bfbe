"""Scripts started in the background, in a temporary folder of their own, all processes known."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil

from support.scripts import HANG, ROOT, environment, flags_of

_LINGERING = 60  # seconds that a process may take to follow the script into its end
_MARK = "TEST_OF_SWEEP"  # an environment variable that all processes of a sweep inherit


class SweepProcess:
    """A script that runs: what it prints, the processes it has, what it leaves behind.

    A process that starts a session of its own leaves its group and its parent's tree, but not its
    environment: that is how the script's processes are told from all others.
    """

    def __init__(self, script: Path, *flags: str, cwd: Path, **variables: str) -> None:
        self.cwd = cwd
        # Directly under /tmp, since Ray puts sockets there whose paths have to be short.
        self.temporary = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
        self._mark = uuid.uuid4().hex
        self._out, self._err = self.temporary / "stdout.txt", self.temporary / "stderr.txt"
        own = {"TMPDIR": str(self.temporary), "RAY_TMPDIR": str(self.temporary), _MARK: self._mark}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, str(script), *flags_of(script, flags)],
                cwd=cwd,
                env=environment() | own | variables,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def messages(self) -> list[str]:
        """Lines of stderr other than those that tell the progress every ten seconds."""
        lines = self.stderr.splitlines()
        return [line for line in lines if line.strip() and not re.match(r"\d+ s · ", line)]

    def wait(self) -> int:
        """The exit code; what was printed is in the message should it hang."""
        try:
            return self._process.wait(HANG)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the sweep hangs; it said\n{self.stderr}") from None

    def ended(self) -> bool:
        """Whether the script is over."""
        return self._process.poll() is not None

    def wait_until(self, happened: Callable[[], bool], what: str) -> None:
        """Waits until `happened`; fails if the script ends before or takes for ever."""
        deadline = time.monotonic() + HANG
        while not happened():
            ended = self._process.poll()
            assert ended is None, f"ended with {ended} before {what}:\n{self.stderr}"
            assert time.monotonic() < deadline, f"never {what}:\n{self.stderr}"
            time.sleep(0.05)

    def wait_until_trained(self) -> None:
        """Waits until the progress line says that there is nothing left to train."""
        self.wait_until(
            lambda: re.search(r"\b(\d+) of \1 models trained", self.stderr) is not None,
            "all models were trained",
        )

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the script alone."""
        self._process.send_signal(number)

    def processes(self) -> list[psutil.Process]:
        """All processes of the script that live now, itself included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(_MARK) == self._mark:
                    found.append(process)
        return found

    def kill_all(self) -> None:
        """kill -9 of the script and of everything that it has started."""
        while living := self.processes():
            for process in living:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(living, timeout=10)
        self._process.wait(HANG)

    def remove(self) -> None:
        """Ends every process and removes the temporary folder."""
        self.kill_all()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def living_after_the_end(self) -> list[str]:
        """Command lines of what is still there a while after the script's end."""
        self.wait()
        _, alive = psutil.wait_procs(self.processes(), timeout=_LINGERING)
        return [" ".join(each.cmdline()) for each in alive if each.is_running()]

    def temporary_files(self) -> list[str]:
        """What is left in the temporary folder.

        Not counted: Ray's session, which is Ray's log, and the lock by which MLflow makes tables.
        """
        ours = {"ray", self._out.name, self._err.name}
        names = sorted(os.listdir(self.temporary))
        return [n for n in names if n not in ours and not n.startswith("db_init_lock-")]


@contextmanager
def started(script: str | Path, *flags: str, cwd: Path, **variables: str) -> Iterator[SweepProcess]:
    """A script under way; its processes and its temporary folder are gone afterwards."""
    process = SweepProcess(ROOT / script, *flags, cwd=cwd, **variables)
    try:
        yield process
    finally:
        process.remove()


def trials_recorded(folder: Path) -> int:
    """How many trials have a run in the folder's store; 0 as long as there is no store."""
    query = "SELECT count(*) FROM tags WHERE key = 'kind' AND value = 'trial'"
    with suppress(sqlite3.Error), closing(read_only(folder / "mlflow.db")) as database:
        return int(database.execute(query).fetchone()[0])
    return 0


def read_only(file: Path) -> sqlite3.Connection:
    """A connection that neither makes the database nor changes it."""
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)


def run_upload(cwd: Path, *folders: str) -> tuple[int, str]:
    """What bringing in kept results ends with, and what it says on stderr."""
    with started("sweeps/upload.py", *folders, cwd=cwd) as process:
        code = process.wait()
        assert "Traceback" not in process.stderr
        assert process.living_after_the_end() == []
        assert process.temporary_files() == []
        return code, "\n".join(process.messages)


def flip_a_byte(file: Path) -> None:
    """Changes one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
