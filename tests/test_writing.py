"""The two ways to write finished runs leave the same runs behind, as MLflow reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from sweeps import bulk_writing, public_writing
from sweeps.finished_run import FinishedRun, Point
from sweeps.mlflow_store import open_experiment, open_store

RUNS = [
    FinishedRun(
        name=f"l2={value:.6f}",
        status="FINISHED" if value else "FAILED",
        tags={"kind": "trial", "config": f"l2={value:.6f}", "odd": "a'b\"<i>\n=1+1"},
        params={"l2": str(value), "hidden": "64 64"},
        points=[
            *(Point("train/loss", 1 / (step + value + 1), step) for step in range(1, 1300)),
            *(Point("test/loss", value + step, step) for step in (3, 1, 2)),
            Point("final/test_accuracy", 0.9 + value, 0),
        ],
        time=1_700_000_000_000,
    )
    for value in (0.0, 0.05, 0.1)
]


def read(client: MlflowClient, run_id: str) -> dict[str, Any]:
    """Everything of a run that does not depend on which run it is."""
    run = client.get_run(run_id)
    info = {
        name: value
        for name, value in dict(run.info).items()
        if name not in ("run_id", "run_uuid", "artifact_uri", "experiment_id")
    }
    history = {
        name: sorted(
            (metric.step, metric.value, metric.timestamp)
            for metric in client.get_metric_history(run_id, name)
        )
        for name in run.data.metrics
    }
    place = run.info.artifact_uri.replace(run_id, "RUN")
    return {
        "info": info,
        "place": place,
        "tags": dict(run.data.tags),
        "params": dict(run.data.params),
        "latest": dict(run.data.metrics),
        "history": history,
    }


def test_bulk_and_public_writing_leave_equal_runs(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "compared", uri)
    assert bulk_writing.usable(client)
    bulk = bulk_writing.write_runs(client, experiment, RUNS)
    public = public_writing.write_runs(client, experiment, RUNS)
    for one, other in zip(bulk, public, strict=True):
        assert one != other
        assert read(client, one) == read(client, other)
    found = client.search_runs([experiment], "metrics.`final/test_accuracy` > 0.97")
    assert {run.info.run_id for run in found} == {bulk[2], public[2]}
    assert len(client.search_runs([experiment], "params.hidden = '64 64'")) == 6


def test_both_ways_find_the_same_recorded_trials(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "counted", uri)

    def run(name: str, kind: str, parent: str) -> FinishedRun:
        tags = {"kind": kind, "trial.key": f"key of {name}", "mlflow.parentRunId": parent}
        return FinishedRun(name, "FINISHED", tags, {}, [], 1_700_000_000_000)

    runs = [run("a", "trial", "p"), run("b", "trial", "p"), run("gone", "trial", "p")]
    runs += [run("other's", "trial", "q"), run("a seed's", "seed", "p")]
    run_ids = bulk_writing.write_runs(client, experiment, runs)
    client.delete_run(run_ids[2])
    for way in (bulk_writing, public_writing):
        assert way.recorded_trials(client, experiment, "p") == {"key of a", "key of b"}
        assert way.recorded_trials(client, experiment, "nobody") == set()


def test_a_bulk_that_fails_leaves_nothing(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "failing", uri)
    twice = FinishedRun("twice", "FINISHED", {}, {}, [Point("a", 1.0, 0)] * 2, 1)
    with pytest.raises(Exception, match="UNIQUE"):
        bulk_writing.write_runs(client, experiment, [*RUNS, twice])
    assert client.search_runs([experiment]) == []


def test_an_unknown_mlflow_is_left_to_its_public_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert bulk_writing.usable(client)
    monkeypatch.setattr(mlflow, "__version__", "3.99.0")
    assert not bulk_writing.usable(client)
