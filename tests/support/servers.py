"""Real tracking servers and a real PostgreSQL, started in temporary folders and gone afterwards."""

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from support.scripts import HANG, environment

_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian puts them


def lacking(reason: str) -> None:
    """Skips a test for want of something, except on CI, where everything has to be there."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason}, which CI has to have")
    pytest.skip(reason)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def end_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Sends a signal to the whole session that `process` leads; what is left is killed."""
    try:
        members = [psutil.Process(process.pid)]
        members += members[0].children(recursive=True)
    except psutil.NoSuchProcess:
        members = []
    for each in (number, signal.SIGCONT):  # a stopped process receives nothing else
        with suppress(ProcessLookupError):
            os.killpg(process.pid, each)
    with suppress(subprocess.TimeoutExpired):
        process.wait(120)
    for member in members:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait(HANG)


class MlflowServer:
    """A running `mlflow server`, which can be stopped, killed, frozen, thawed and started again."""

    def __init__(
        self,
        folder: Path,
        store: str | None = None,
        flags: Sequence[str] = (),
        variables: dict[str, str] | None = None,
    ) -> None:
        """`store`: the database that the server writes to; by default an SQLite file."""
        self.folder, self.port = folder, free_port()
        self.store = store or f"sqlite:///{folder}/server.db"
        self._flags, self._variables = flags, variables or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> None:
        """Starts the server on its port, unless it runs, and waits until it answers."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", self.store]
        command += ["--artifacts-destination", str(self.folder / "artifacts"), *self._flags]
        quiet = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment() | quiet | self._variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + HANG
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"mlflow server did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=HANG) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Ends the server in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the server in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            end_group(self._process, number)
            self._process = None

    def freeze(self) -> None:
        """The server hangs: connections are accepted by the kernel and never answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The frozen server goes on, with everything that was sent to it meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)


@contextmanager
def mlflow_server(
    store: str | None = None,
    flags: Sequence[str] = (),
    variables: dict[str, str] | None = None,
) -> Iterator[MlflowServer]:
    """A server in a folder of its own; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="mlflow-server-") as folder:
        server = MlflowServer(Path(folder), store, flags, variables)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def mlflow_server_with_login(user: str, password: str) -> Iterator[MlflowServer]:
    """A server that lets in `user` with `password` only."""
    if find_spec("flask_wtf") is None:
        lacking("a server with login needs mlflow[auth]")
    with tempfile.TemporaryDirectory(prefix="mlflow-login-") as folder:
        settings = Path(folder, "auth.ini")
        settings.write_text(
            "[mlflow]\ndefault_permission = READ\n"
            f"database_uri = sqlite:///{folder}/users.db\nadmin_username = {user}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            "auth_cache_ttl_seconds = 60\n"  # a password costs a tenth of a second to check
        )
        variables = {
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_AUTH_ADMIN_PASSWORD": password,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "only of this test",
        }
        with mlflow_server(flags=("--app-name", "basic-auth"), variables=variables) as server:
            yield server


def _unprivileged() -> dict[str, object]:
    """Arguments of a subprocess that must not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def postgresql() -> Iterator[str]:
    """The MLflow address of an empty PostgreSQL of its own."""
    if not _POSTGRES:
        lacking("PostgreSQL is not installed (Debian: postgresql)")
    programs, who, port = _POSTGRES[-1], _unprivileged(), free_port()
    # Directly under /tmp: the path of a socket may have 107 characters, and pytest's own folders
    # are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if who:
        os.chown(folder, int(str(who["user"])), int(str(who["group"])))
    data = folder / "data"
    process: subprocess.Popen[bytes] | None = None
    try:
        done = subprocess.run(
            [str(programs / "initdb"), *f"-D {data} -U sweep -A trust -E UTF8".split()],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            **who,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, done.stderr
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [str(programs / "postgres"), *f"-D {data} -p {port} -k {folder} -F".split()],
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **who,  # type: ignore[call-overload]
            )
        _wait_until_ready(programs, port, process, folder / "log")
        # The driver is named, because its default differs between versions of SQLAlchemy.
        yield f"postgresql+psycopg://sweep@127.0.0.1:{port}/postgres"
    finally:
        if process is not None:
            end_group(process, signal.SIGINT)  # closes connections and stops
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(
    programs: Path, port: int, process: subprocess.Popen[bytes], log: Path
) -> None:
    asked: list[str | Path] = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    deadline = time.monotonic() + HANG
    while subprocess.run(asked, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.1)
