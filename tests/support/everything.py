"""All that MLflow holds of one sweep, without what depends on which run of it this is."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from support.scripts import HANG

# Ids, times, places, what a trial was trained on, which a run that is written again from its curves
# does not know, and how the sweep was asked for instead of what it found.
_TAGS = re.compile(
    r"mlflow\.(parentRunId|user|runName|note\.content|log-model\.history|artifactLocation)"
    r"|mlflow\.source\.git\.commit|git\.dirty"
    r"|arithmetic|lock|command|sweep|manifest\.sha256|curves\.part|(curves|weights)\.sha256|resumed.*|attempt.*"
)
_OPTIONS = re.compile(
    r"sweep\.(tracking_uri|experiment_name|store_patience|resume|retry_failed|quiet|pack"
    r"|max_concurrent|address|expect_nodes|gpus_per_trial|device)"
)
_SORTED_BY = {"curves": ["config", "seed", "epoch"], "weights": ["config", "seed"]}

RunKey = tuple[str, str, str]  # kind, trial key, seed; empty where there is none


@dataclass(frozen=True)
class OneRun:
    """One run. `metrics`: last values; `history`: all (step, value); `times`: metrics `time/…`."""

    name: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    history: Mapping[str, tuple[tuple[int, float], ...]]
    times: Mapping[str, float]
    artifacts: frozenset[str]


@dataclass(frozen=True)
class Everything:
    """One sweep; `tables`: `curves` and `weights` as frames, a row that is there twice only once.

    `raw`: MLflow's own objects, for what the rest leaves out.
    """

    runs: Mapping[RunKey, OneRun]
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]
    raw: Mapping[RunKey, Run]

    @property
    def parent(self) -> Run:
        return self.raw["sweep", "", ""]

    @property
    def statuses(self) -> set[str]:
        return {run.status for run in self.runs.values()}


def all_runs(client: MlflowClient, experiment: str | None = None) -> list[Run]:
    """Every active run of the experiment of that name, or of all."""
    ids = [
        each.experiment_id
        for each in client.search_experiments()
        if experiment in (None, each.name)
    ]
    found: list[Run] = []
    token = None
    while ids:
        page = client.search_runs(ids, max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    return found


def sweeps(client: MlflowClient, experiment: str | None = None) -> list[Run]:
    """The runs of whole sweeps, the newest first."""
    return [run for run in all_runs(client, experiment) if run.data.tags.get("kind") == "sweep"]


def key_of(run: Run) -> RunKey:
    """What the run stands for."""
    tags = run.data.tags
    return tags.get("kind", ""), tags.get("trial.key", ""), tags.get("seed", "")


def everything(client: MlflowClient, sweep: str | None = None) -> Everything:
    """All of the sweep whose parent run has that name; without one, of the only sweep there is.

    A run that is there twice raises AssertionError.
    """
    runs = all_runs(client)
    if sweep is None:
        (sweep,) = {run.data.tags["sweep"] for run in runs if run.data.tags.get("kind") == "sweep"}
    raw: dict[RunKey, Run] = {}
    for run in runs:
        if run.data.tags.get("sweep") == sweep:
            assert key_of(run) not in raw, f"I1: {run.info.run_name} is there twice"
            raw[key_of(run)] = run
    parent = raw["sweep", "", ""]
    with tempfile.TemporaryDirectory(prefix="everything-") as folder:
        place = download(client, parent.info.run_id, Path(folder))
        tables = {kind: _table(place / kind, by) for kind, by in _SORTED_BY.items()}
        manifest = json.loads((place / "sweep.json").read_text(encoding="utf-8"))
    points = _points(client.tracking_uri, raw.values())
    return Everything(
        {key: _one_run(client, run, points[run.info.run_id]) for key, run in raw.items()},
        tables,
        manifest,
        raw,
    )


def download(client: MlflowClient, run_id: str, folder: Path) -> Path:
    """All artifacts of a run."""
    uri = client.tracking_uri
    return Path(download_artifacts(run_id=run_id, dst_path=str(folder), tracking_uri=uri))


def _points(uri: str, runs: Collection[Run]) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """All (step, value) of every run's metrics, by run and name.

    Asking for one history after the other takes seconds of work for each sweep.
    """
    points: dict[str, dict[str, list[tuple[int, float]]]] = {
        run.info.run_id: defaultdict(list) for run in runs
    }
    if uri.startswith("sqlite:///"):
        query = "SELECT run_uuid, key, step, CASE WHEN is_nan THEN NULL ELSE value END FROM metrics"
        with closing(sqlite3.connect(uri.removeprefix("sqlite:///"), timeout=HANG)) as database:
            for run_id, name, step, value in database.execute(query):
                if run_id in points:
                    points[run_id][name].append((step, math.nan if value is None else value))
        return points
    names = {name for run in runs for name in run.data.metrics}
    every = list(points)
    for start in range(0, len(every), 20):  # a server gives 25,000 points at most
        ids = every[start : start + 20]
        for name in sorted(names):
            answer = http_request(  # type: ignore[no-untyped-call]
                get_default_host_creds(uri),  # type: ignore[no-untyped-call]
                "/ajax-api/2.0/mlflow/metrics/get-history-bulk",  # as its UI asks
                "GET",
                params={"run_id": ids, "metric_key": name},
            )
            answer.raise_for_status()
            for point in answer.json()["metrics"]:
                points[point["run_id"]][name].append((int(point["step"]), float(point["value"])))
    return points


def _one_run(
    client: MlflowClient, run: Run, points: Mapping[str, list[tuple[int, float]]]
) -> OneRun:
    run_id, data = run.info.run_id, run.data
    own = key_of(run)[0] == "sweep"
    timed = {name: value for name, value in data.metrics.items() if name.startswith("time/")}
    history = {name: tuple(sorted(points[name])) for name in data.metrics if name not in timed}
    # Each time that a sweep is closed its best model is logged anew, and with it its metrics.
    models = {name: each for name, each in history.items() if name.startswith("model/")}
    history |= {name: tuple(sorted(set(each))) for name, each in models.items()}
    return OneRun(
        name="" if own else run.info.run_name,
        status=run.info.status,
        tags={name: value for name, value in data.tags.items() if not _TAGS.fullmatch(name)},
        params={name: value for name, value in data.params.items() if not _OPTIONS.fullmatch(name)},
        metrics={name: value for name, value in data.metrics.items() if name not in timed},
        history=history,
        times=timed,
        artifacts=frozenset(
            re.sub(r"part-\d+", "part", path) for path in _artifacts(client, run_id)
        ),
    )


def _artifacts(client: MlflowClient, run_id: str, folder: str | None = None) -> Iterator[str]:
    for entry in client.list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from _artifacts(client, run_id, entry.path)
        else:
            yield entry.path


def _table(folder: Path, by: list[str]) -> pd.DataFrame:
    parts = [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]
    if not parts:
        return pd.DataFrame(columns=["trial_key", *by])
    table = pd.concat(parts, ignore_index=True).astype({"config": str, "trial_key": str})
    # Lists, as of weights, cannot be compared by pandas; their text can, with every digit.
    same = table.map(lambda cell: repr(cell.tolist()) if hasattr(cell, "tolist") else cell)
    return table[~same.duplicated()].sort_values(by, ignore_index=True)


def differences(found: Everything, expected: Everything) -> list[str]:
    """Where the two differ in runs, numbers, tags or files; nothing if they hold the same."""
    if set(found.runs) != set(expected.runs):
        return [f"runs {sorted(set(found.runs) ^ set(expected.runs))} are in one of the two only"]
    different = []
    for key, run in expected.runs.items():
        mine, theirs = asdict(found.runs[key]), asdict(run)
        mine["times"], theirs["times"] = set(mine["times"]), set(theirs["times"])
        different += [
            f"{part} of {run.name or 'the sweep'}: {_unequal(mine[part], theirs[part])}"
            for part in theirs
            if mine[part] != theirs[part]
        ]
    for kind, table in expected.tables.items():
        try:
            pd.testing.assert_frame_equal(found.tables[kind], table, check_exact=True)
        except AssertionError as error:
            different.append(f"{kind}/: {error}")
    return different


def _unequal(mine: Any, theirs: Any) -> str:
    if isinstance(mine, Mapping):
        names = sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name))
        pair = f"{mine.get(names[0])!r} for {theirs.get(names[0])!r}"
        return f"{', '.join(names)} differ, such as {pair[:300]}"
    if isinstance(mine, frozenset):
        return f"{sorted(mine ^ theirs)} are in one of the two only"
    return f"{mine!r} for {theirs!r}"
