"""MLflow stores to record in: an SQLite file, and servers as cluster/mlflow.sh starts them.

Everything lives in a temporary folder and is gone afterwards.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

FILE, SQLITE, POSTGRESQL = "SQLite file", "server, SQLite", "server, PostgreSQL"
SERVER_PROCESSES = 2  # as in cluster/mlflow.sh
_STARTING_SECONDS = 120.0


class Store(NamedTuple):
    """Where to record; `parts`: its processes, by what they are."""

    uri: str
    parts: Mapping[str, psutil.Process]

    def cpu_seconds(self) -> dict[str, float]:
        """What each part and its children have used so far."""
        return {name: _cpu_of_all(process) for name, process in self.parts.items()}


def postgresql_programs() -> Path | None:
    """The folder of PostgreSQL's programs, if it is installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("initdb")
    return debian[-1] if debian else Path(found).resolve().parent if found else None


@contextmanager
def store(kind: str) -> Iterator[Store]:
    """An empty store of that kind, ready to be written."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="store-", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if kind == FILE:
            yield Store(f"sqlite:///{folder}/mlflow.db", {})
            return
        parts = {}
        database = f"sqlite:///{folder}/mlflow.db"
        if kind == POSTGRESQL:
            database, parts["database"] = stack.enter_context(_postgresql())
        uri, parts["server"] = stack.enter_context(_server(folder, database))
        yield Store(uri, parts)


@contextmanager
def _server(folder: Path, database: str) -> Iterator[tuple[str, psutil.Process]]:
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(SERVER_PROCESSES)]
    command += ["--backend-store-uri", database]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    uri = f"http://127.0.0.1:{port}"
    with _running(command, folder, os.environ | quiet) as process:
        _wait(process, lambda: _healthy(uri), folder)
        yield uri, psutil.Process(process.pid)


@contextmanager
def _postgresql() -> Iterator[tuple[str, psutil.Process]]:
    programs, port = postgresql_programs(), _free_port()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed (Debian: postgresql)")
    who = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
        initdb = [str(programs / "initdb"), *f"-D {folder}/data -U sweep -A trust -E UTF8".split()]
        subprocess.run(initdb, cwd=folder, check=True, stdout=subprocess.DEVNULL, **who)
        command = [str(programs / "postgres"), *f"-D {folder}/data -p {port} -k {folder}".split()]
        ready = [str(programs / "pg_isready"), *f"-h 127.0.0.1 -p {port} -q".split()]
        with _running(command, folder, os.environ, **who) as process:
            _wait(process, lambda: not subprocess.run(ready, check=False).returncode, folder)
            address = f"postgresql+psycopg://sweep@127.0.0.1:{port}/postgres"
            yield address, psutil.Process(process.pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], **who: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """The command's process in a session of its own, which ends with the block."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **who,
        )
    try:
        yield process
    finally:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Any, folder: Path) -> None:
    until = time.monotonic() + _STARTING_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            log = (folder / "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{process.args!r} did not start:\n{log}")
        time.sleep(0.1)


def _healthy(uri: str) -> bool:
    try:
        with urllib.request.urlopen(f"{uri}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _unprivileged() -> dict[str, Any]:
    """Arguments of a subprocess that must not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _cpu_of_all(process: psutil.Process) -> float:
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        # Its own figures for children are those of such as have ended.
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
