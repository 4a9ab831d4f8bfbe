"""From the MLflow store to one sweep's checked tables, and figures back to it.

Reading never creates a store: MLflow itself would make an empty `mlflow.db` wherever it looks.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

from analysis.errors import BAD_INPUT, INCOMPLETE, STORE, Stop
from analysis.manifest import Manifest, read_manifest
from analysis.record import SweepRecord
from analysis.tables import read_curves, read_weights

_PAGE = 1000  # the most runs that MLflow gives at once
_NAMED = 8  # trials named in one line before "and … more"
_SQLITE = "sqlite:///"
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"

_Item = TypeVar("_Item")


def open_store(tracking_uri: str | None) -> MlflowClient:
    """A client of the store: `tracking_uri`, else MLFLOW_TRACKING_URI, else ./mlflow.db."""
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}mlflow.db"
    if uri.startswith(_SQLITE):
        file = Path(uri.removeprefix(_SQLITE)).absolute()
        _require_sqlite_store(file)
        uri = f"{_SQLITE}{file}"
    # MLflow's own limits let a refused server cost minutes. Set only where the user has not.
    patient = _TIMEOUT in os.environ
    os.environ.setdefault(_TIMEOUT, "5")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for noisy in ("mlflow", "urllib3", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with _store_errors(uri):
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    if not patient:  # a page of 1,000 runs takes a live server longer than a sign of life
        os.environ[_TIMEOUT] = "60"
    return client


def load_sweep(
    client: MlflowClient, name: str, run_id: str | None = None, allow_partial: bool = False
) -> SweepRecord:
    """The newest finished sweep called `name`, or the one whose parent run is `run_id`.

    Raises `Stop` when there is none, when the store cannot be read, and, unless `allow_partial`,
    when the sweep lacks trials that its manifest promises.
    """
    uri = client.tracking_uri
    with _store_errors(uri):
        parent = _by_id(client, name, run_id) if run_id else _newest(client, name)
        record = _read(client, parent)
    if record.lacking and not allow_partial:
        named = [f"{config} ({problem})" for config, problem in record.lacking.items()]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        raise Stop(
            INCOMPLETE,
            f"sweep {record.manifest.run_name} lacks {len(named)} of {len(record.manifest.trials)} "
            f"trials: {', '.join(named[:_NAMED])}{more}; complete the sweep, or give "
            "--allow-partial to go on without them",
        )
    if not record.usable:
        raise Stop(INCOMPLETE, f"sweep {record.manifest.run_name} has no complete trial")
    return record


def upload(client: MlflowClient, run_ids: Sequence[str], files: Sequence[Path]) -> None:
    """Adds the files to the runs' artifacts, under `figures/`; raises `Stop` when it cannot."""
    with _store_errors(client.tracking_uri, "the figures are saved, but cannot be added to"):
        for run_id in run_ids:
            for file in files:
                client.log_artifact(run_id, str(file), "figures")


def _newest(client: MlflowClient, name: str) -> Run:
    experiments = _all(lambda token: client.search_experiments(page_token=token))
    ids = [experiment.experiment_id for experiment in experiments]
    sweeps = f"tags.kind = 'sweep' and tags.`sweep.name` = '{name}'"
    by_time = ["attributes.start_time DESC"]
    finished = f"{sweeps} and attributes.status = 'FINISHED'"
    if found := client.search_runs(ids, finished, max_results=1, order_by=by_time):
        return found[0]
    where = without_password(client.tracking_uri)
    if other := client.search_runs(ids, sweeps, max_results=1, order_by=by_time):
        run = other[0]
        raise Stop(
            BAD_INPUT,
            f"no finished sweep '{name}' in {where}; the newest, {run.info.run_name}, is "
            f"{run.info.status}: complete it, or give --sweep {run.info.run_id} --allow-partial",
        )
    raise Stop(BAD_INPUT, f"no sweep '{name}' in {where}; record one: python sweeps/{name}.py")


def _by_id(client: MlflowClient, name: str, run_id: str) -> Run:
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        where = without_password(client.tracking_uri)
        raise Stop(BAD_INPUT, f"--sweep {run_id}: no such run in {where}") from error
    kind, found = run.data.tags.get("kind"), run.data.tags.get("sweep.name")
    if kind != "sweep":
        of = f"a {kind} of sweep {run.data.tags.get('sweep')}" if kind else "no sweep's"
        raise Stop(BAD_INPUT, f"--sweep needs the id of a sweep's parent run, {run_id} is {of}")
    if found != name:
        raise Stop(
            BAD_INPUT, f"--sweep {run_id} is a sweep '{found}', this analysis needs '{name}'"
        )
    return run


def _read(client: MlflowClient, parent: Run) -> SweepRecord:
    run_id = parent.info.run_id
    children: dict[str, list[Run]] = {}
    where = f"tags.kind = 'trial' and tags.`mlflow.parentRunId` = '{run_id}'"
    experiment = [parent.info.experiment_id]
    for run in _all(
        lambda token: client.search_runs(experiment, where, max_results=_PAGE, page_token=token)
    ):
        children.setdefault(run.data.tags.get("trial.key", ""), []).append(run)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            manifest = read_manifest(_download(client, run_id, "sweep.json", folder))
        except ValueError as error:
            raise Stop(STORE, f"sweep.json of {parent.info.run_name}: {error}") from error
        problems = _problems(manifest, children)
        finished = {trial.key for trial in manifest.trials} - set(problems)
        try:
            curves, torn = read_curves(_download(client, run_id, "curves", folder), manifest)
            weights = read_weights(_download(client, run_id, "weights", folder), sorted(finished))
        except (ValueError, pa.ArrowException) as error:
            raise Stop(STORE, f"curves or weights of {parent.info.run_name}: {error}") from error
    problems = torn | problems  # a failed run explains more than the curves that it lacks
    good = {key: _finished(children[key]) for key in finished - set(torn)}
    return SweepRecord(
        tracking_uri=client.tracking_uri,
        run_id=run_id,
        manifest=manifest,
        trials=_trial_table(manifest, {key: runs[0] for key, runs in good.items()}),
        curves=curves[curves["trial_key"].isin(list(good))].reset_index(drop=True),
        weights=weights,
        lacking={t.name: problems[t.key] for t in manifest.trials if t.key in problems},
        warnings=tuple(
            f"{t.name} has {len(good[t.key])} finished runs, expected 1; its rows are counted once"
            for t in manifest.trials
            if len(good.get(t.key, [])) > 1
        ),
    )


def _problems(manifest: Manifest, children: dict[str, list[Run]]) -> dict[str, str]:
    problems = {}
    for trial in manifest.trials:
        runs = children.get(trial.key, [])
        if not runs:
            problems[trial.key] = "not recorded"
        elif not _finished(runs):
            status = runs[0].info.status.lower()
            error = runs[0].data.tags.get("error")
            problems[trial.key] = f"{status}: {error}" if error else status
    return problems


def _finished(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.info.status == "FINISHED"]


def _trial_table(manifest: Manifest, runs: dict[str, Run]) -> pd.DataFrame:
    rows = []
    for trial in manifest.trials:
        if run := runs.get(trial.key):
            finals = {k: v for k, v in run.data.metrics.items() if k.startswith("final/")}
            row = {"trial_key": trial.key, "config": trial.name, "run_id": run.info.run_id}
            rows.append(row | trial.hyperparameters.as_dict() | finals)
    return pd.DataFrame(rows, columns=None if rows else ["trial_key", "config", "run_id"])


def _download(client: MlflowClient, run_id: str, path: str, folder: Path) -> Path:
    return Path(
        download_artifacts(
            run_id=run_id,
            artifact_path=path,
            dst_path=str(folder),
            tracking_uri=client.tracking_uri,
        )
    )


def _all(fetch: Callable[[str | None], PagedList[_Item]]) -> Iterator[_Item]:
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
            "python sweeps/l2.py, or name another with --tracking-uri",
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
def _store_errors(uri: str, what: str = "cannot read") -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:  # OSError: also what requests raises
        text = without_password(f"{what} the tracking store {uri}: {error}")
        raise Stop(STORE, text if len(text) <= 400 else f"{text[:400]} …") from error


def without_password(text: str) -> str:
    """The text with the user and password of any address in it blotted out."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)
