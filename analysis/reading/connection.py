"""The connection to an MLflow store: opening it, its pages, its files, its errors in one line.

Reading never creates a store: MLflow itself would make an empty `mlflow.db` wherever it looks.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

from analysis.reading.errors import STORE, Stop
from trainables.commands.project_scripts import words
from trainables.record_format import Artifact

_SQLITE = "sqlite:///"
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"

_Item = TypeVar("_Item")


def open_store(tracking_uri: str | None) -> MlflowClient:
    """A client of the store: `tracking_uri`, else MLFLOW_TRACKING_URI, else ./mlflow.db."""
    uri = _absolute(tracking_uri or default_uri())
    if uri.startswith(_SQLITE):
        _require_sqlite_store(Path(uri.removeprefix(_SQLITE)))
    # MLflow's own limits let a refused server cost minutes. Set only where the user has not.
    patient = _TIMEOUT in os.environ
    os.environ.setdefault(_TIMEOUT, "5")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for noisy in ("mlflow", "urllib3", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with store_errors(uri):
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    if not patient:  # a page of 1,000 runs takes a live server longer than a sign of life
        os.environ[_TIMEOUT] = "60"
    return client


def default_uri() -> str:
    """The store of a command without --tracking-uri."""
    return _absolute(os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}mlflow.db")


def store_flag(uri: str) -> str:
    """The flag that names the store to a command, after a space; empty where none is needed."""
    store = without_password(uri)
    return "" if store == default_uri() else f" --tracking-uri {shlex.quote(store)}"


def _absolute(uri: str) -> str:
    if not uri.startswith(_SQLITE):
        return uri
    return f"{_SQLITE}{Path(uri.removeprefix(_SQLITE)).absolute()}"


def upload(
    client: MlflowClient,
    run_ids: Sequence[str],
    files: Sequence[Path],
    folder: str = Artifact.FIGURES,
) -> None:
    """Adds the files to the runs' artifacts, under `folder`; raises `Stop` when it cannot."""
    with store_errors(client.tracking_uri, f"the {folder} are saved, but cannot be added to"):
        for run_id in run_ids:
            for file in files:
                client.log_artifact(run_id, str(file), folder)


def every(fetch: Callable[[str | None], PagedList[_Item]]) -> Iterator[_Item]:
    """All items of all pages."""
    token = None
    while True:
        page = fetch(token)
        yield from page
        token = page.token
        if not token:
            return


def _require_sqlite_store(file: Path) -> None:
    if not file.is_file():
        raise Stop(
            STORE,
            f"no tracking store at {file}; record a sweep there first, such as "
            f"{words('sweeps', 'l2')}, or name another with --tracking-uri",
        )
    try:
        database = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        try:
            query = "select count(*) from sqlite_master where name in ('experiments', 'runs')"
            tables = database.execute(query).fetchone()[0]
        finally:
            database.close()
    except sqlite3.Error as error:
        raise Stop(STORE, f"cannot read the tracking store {file}: {error}") from error
    if tables < 2:
        raise Stop(STORE, f"{file} is not an MLflow tracking store")


@contextmanager
def store_errors(uri: str, what: str = "cannot read") -> Iterator[None]:
    """Turns what MLflow and the network raise into a `Stop`; `what` could not be done."""
    try:
        yield
    except (MlflowException, OSError) as error:  # OSError: also what requests raises
        text = without_password(f"{what} the tracking store {uri}: {error}")
        raise Stop(STORE, text if len(text) <= 400 else f"{text[:400]} …") from error


def without_password(text: str) -> str:
    """The text with the user and password of any address in it blotted out."""
    # Up to the last @ before the path: passwords may hold one.
    return re.sub(r"//[^/\s?#]*@", "//***@", text)
