"""Opening the MLflow store that a sweep is recorded in, or saying in one line why not."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import STORE
from sweeps.plan.provenance import without_credentials
from sweeps.record.store.mlflow_private import close_database
from sweeps.record.store.patience import Patience, PatientClient

if TYPE_CHECKING:
    from mlflow import MlflowClient

TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_OPENING_SECONDS, _WORKING_SECONDS = 5, 30  # that a call may take
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


class StoreError(SweepError):
    """The tracking store cannot be used; the message says what was tried and what to do."""

    exit_code = STORE


def resolve_uri(given: str | None) -> str:
    """The tracking URI: flag, else MLFLOW_TRACKING_URI, else `mlflow.db` in the current folder.

    Relative SQLite paths are made absolute: worker processes have other current folders.
    """
    uri = given or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    scheme = uri.split(":", 1)[0].split("+", 1)[0] if ":" in uri else ""
    if scheme in ("http", "https"):
        return uri
    if scheme not in _DATABASES:
        raise StoreError(
            "the tracking store needs an address that begins with sqlite:///, http:// or https:// "
            f"(MLflow no longer writes to plain folders), got {without_credentials(uri)}"
        )
    if scheme == "sqlite":
        path = uri.split("sqlite:///", 1)[-1]
        if not path or path == uri:
            raise StoreError(f"an SQLite store needs sqlite:///PATH, got {uri}")
        return f"sqlite:///{Path(path).absolute()}"
    return uri


def database_file(uri: str) -> Path | None:
    """The file of an embedded SQLite store."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def open_store(uri: str) -> MlflowClient:
    """A client whose store was seen to answer. Raises `StoreError` within about 15 s otherwise."""
    import_mlflow()
    os.environ.setdefault(TIMEOUT, str(_OPENING_SECONDS))
    file = database_file(uri)
    if file is not None:
        _prepare_sqlite(file)
    from mlflow import MlflowClient

    try:
        if file is None and not uri.startswith("http"):
            _connect(uri)
        client = MlflowClient(uri)
        until = time.monotonic() + _OPENING_SECONDS
        patience = Patience(lambda: until, lambda _: None)
        patience.call(lambda _: client.search_experiments(max_results=1))
    except Exception as error:  # MLflow's and SQLAlchemy's many kinds have nothing in common
        raise StoreError(f"{without_credentials(uri)} {_remedy(uri, str(error))}") from error
    return cast("MlflowClient", PatientClient(client))


def _connect(uri: str) -> None:
    """Connects to a database once: MLflow would try for minutes and print every failure."""
    from sqlalchemy import create_engine

    engine = create_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def work_patiently() -> None:
    """From now on a call may take long: a busy server is slower than a sign of life."""
    if os.environ.get(TIMEOUT) == str(_OPENING_SECONDS):
        os.environ[TIMEOUT] = str(_WORKING_SECONDS)


def import_mlflow() -> None:
    """Imports MLflow with settings that it reads only once."""
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # the making of tables is no news
    # As with Ray: recording tells nobody. It would also hold the process up at its end.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Two lines for every run of a sweep otherwise, when the store is a server.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # MLflow's own limits keep one call waiting for 4 to 20 minutes before it fails, and its retries
    # create a run again when only the answer was lost. `patience` tries again instead, and looks
    # for what was done before.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow  # noqa: F401

    # It logs the traceback of any error of the database, which is raised as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _prepare_sqlite(file: Path) -> None:
    """Makes the database if there is none, and sets write-ahead logging, which stays set in it.

    With it people can read while a sweep writes.
    """
    try:
        _require_database(file)
        with sqlite3.connect(file, timeout=20) as database:
            database.execute("PRAGMA journal_mode=WAL")
        database.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"sqlite:///{file} cannot be written ({error}): use --tracking-uri with a folder that "
            "exists and can be written"
        ) from error


def _require_database(file: Path) -> None:
    """Makes the database unless it is there: whole or not at all, and by one process alone.

    MLflow makes table after table in place: killed meanwhile, it leaves a file that nobody can use,
    and two processes at one new file disturb each other.
    """
    if not os.access(file.parent, os.W_OK):
        raise PermissionError(f"{file.parent} does not exist or is read-only")
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # of the folder: a file of its own would stay behind
        if file.exists() and file.stat().st_size > 0:
            return
        whole = file.with_name(f"{file.name}.new")
        try:
            _lay_out_tables(whole)
            os.replace(whole, file)
        finally:
            whole.unlink(missing_ok=True)
    finally:
        os.close(folder)


def _lay_out_tables(copy: Path) -> None:
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        made = Path(folder) / copy.name
        client = MlflowClient(f"sqlite:///{made}")
        client.search_experiments(max_results=1)
        close_database(client)
        shutil.copyfile(made, copy)


def settle(client: MlflowClient, uri: str) -> None:
    """Moves what is in an embedded store's write-ahead log into its file, which people copy.

    The client is of no use afterwards: SQLite removes its log when nobody has it open.
    """
    file = database_file(uri)
    if file is not None:
        close_database(client)
        with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=20)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _remedy(uri: str, error: str) -> str:
    line = without_credentials(" ".join(error.split()))[:200]
    if "out-of-date" in error:
        plain = without_credentials(uri)
        return f"has an old layout: back it up, then run `mlflow db upgrade {plain}`"
    if " 401" in error or "Unauthorized" in error or "not authenticated" in error:
        return "asks for a login: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    if " 403" in error or "Invalid Host" in error:
        return f"refused this client ({line}): check the login and the server's --allowed-hosts"
    if "No module named" in error:
        return f"needs a driver that is not installed ({line}): see SQLAlchemy's list of dialects"
    if found := re.search(r"too many (\d+) error responses|error code (\d+) != 200", error):
        status = found[1] or found[2]
        if status.startswith("5") and status != "501":
            return f"answers with errors ({status}): look at the server's log, or try again later"
        return f"is no MLflow server ({status}): check the address"
    if uri.startswith("http"):
        return f"does not answer: start it, or check the address {urlsplit(uri).hostname} ({line})"
    return f"cannot be used: {line}"


def open_experiment(client: MlflowClient, name: str, uri: str) -> str:
    """The id of the experiment of that name, made if there is none.

    Artifacts of an embedded store go beside its file, where `mlflow ui` looks for them; a server
    has its own place.
    """
    from mlflow.exceptions import MlflowException

    file = database_file(uri)
    artifacts = (file.parent / "mlartifacts" / name).as_uri() if file is not None else None
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException as error:
            experiment = client.get_experiment_by_name(name)  # another sweep was faster
            if experiment is None:
                raise StoreError(f"experiment {name} cannot be made: {error}") from error
    if experiment.lifecycle_stage != "active":
        raise StoreError(
            f"experiment {name} is deleted: restore it with `mlflow experiments restore "
            f"--experiment-id {experiment.experiment_id}`, or use --experiment-name"
        )
    return str(experiment.experiment_id)
