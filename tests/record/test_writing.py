"""The two ways to write finished runs leave the same runs behind, as MLflow reads them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mlflow
import pytest
from mlflow import MlflowClient

from support.made_up_results import made_up
from sweeps import l2
from sweeps.record.runs import bulk_writing, public_writing
from sweeps.record.runs.finished_run import FinishedRun, MetricPoint
from sweeps.record.runs.trial_runs import TrialRuns
from sweeps.record.store.opening import open_experiment, open_store
from trainables.record_format import Tag

RUNS = [
    FinishedRun(
        name=f"l2={value:.6f}",
        status="FINISHED" if value else "FAILED",
        tags={
            "kind": "trial",
            "sweep": "s",
            "trial.key": f"key {value}",
            "config": f"l2={value:.6f}",
            "odd": "a'b\"<i>\n=1+1",
        },
        params={"l2": str(value), "hidden": "64 64"},
        points=[
            *(MetricPoint("train/loss", 1 / (step + value + 1), step) for step in range(1, 1300)),
            *(MetricPoint("test/loss", value + step, step) for step in (3, 1, 2)),
            MetricPoint("final/test_accuracy", 0.9 + value, 0),
        ],
        time=1_700_000_000_000,
        children=[
            FinishedRun(
                name=f"l2={value:.6f} seed={seed}",
                status="FINISHED",
                tags={"kind": "seed", "sweep": "s", "trial.key": f"key {value}", "seed": seed},
                params={"seed": seed},
                points=[MetricPoint("train/loss", value + step, step) for step in range(1, 30)],
                time=1_700_000_000_000,
            )
            for seed in ("0", "1")
        ],
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


def family(client: MlflowClient, experiment: str, parent: str) -> dict[str, list[str]]:
    """Ids of the runs below `parent`, then of those below each of these, by seed."""
    found: dict[str, list[str]] = {}
    for run in client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'"):
        below = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        children = client.search_runs([experiment], below, order_by=["tags.seed ASC"])
        found[run.info.run_id] = [child.info.run_id for child in children]
    return found


def test_bulk_and_public_writing_leave_equal_runs(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "compared", uri)
    assert bulk_writing.usable(client)
    told: list[int] = []  # how many stand, as the write goes on
    bulk = bulk_writing.write_runs(client, experiment, "b" * 32, RUNS, on_written=told.append)
    assert told.pop() == 3
    public = public_writing.write_runs(client, experiment, "p" * 32, RUNS, on_written=told.append)
    assert told == [1, 2, 3]
    children = family(client, experiment, "b" * 32) | family(client, experiment, "p" * 32)
    assert set(children) == {*bulk, *public}
    for one, other in zip(bulk, public, strict=True):
        assert one != other
        pairs = [(one, other), *zip(children[one], children[other], strict=True)]
        assert len(pairs) == 3
        for mine, theirs in pairs:
            a, b = read(client, mine), read(client, theirs)
            assert a["tags"].pop("mlflow.parentRunId") != b["tags"].pop("mlflow.parentRunId")
            assert a == b
    found = client.search_runs([experiment], "metrics.`final/test_accuracy` > 0.97")
    assert {run.info.run_id for run in found} == {bulk[2], public[2]}
    assert len(client.search_runs([experiment], "params.hidden = '64 64'")) == 6


@pytest.mark.parametrize("way", [bulk_writing, public_writing])
def test_a_trials_description_leads_to_its_own_curves(tmp_path: Path, way: ModuleType) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "linked", uri)
    manifest, results = made_up(l2.SWEEP, "--num-samples", "3", "--seeds", "2", "--folds", "4")
    runs = TrialRuns(manifest)
    made = [runs.make(each, each.finals(runs.window), {Tag.PART: "p"}, 1)[0] for each in results]
    for run_id in way.write_runs(client, experiment, "p" * 32, made):
        note = client.get_run(run_id).data.tags[Tag.NOTE]
        links = re.findall(r"\((/#/metric\?\S+)\)", note.splitlines()[1])
        asked = [parse_qs(urlsplit(urlsplit(link).fragment).query) for link in links]
        assert [json.loads(each["runs"][0]) for each in asked] == [[run_id]] * 2
        assert [json.loads(each["experiments"][0]) for each in asked] == [[experiment]] * 2
        for each, curve in zip(asked, ("accuracy", "loss"), strict=True):
            drawn = json.loads(each["plot_metric_keys"][0])
            assert drawn == [f"{part}/{curve}" for part in ("train", "test", "cv")]
            assert set(drawn) <= set(client.get_run(run_id).data.metrics)


class Interrupted(Exception):
    """The answer to a call is lost, or the call itself."""


class Unlucky:
    """A client of whose calls a third fail, after the store has obeyed."""

    def __init__(self, client: MlflowClient, seed: int) -> None:
        self._client, self._luck = client, Random(seed)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def lost(*given: Any, **named: Any) -> Any:
            answer = call(*given, **named)
            if name.startswith(("create", "log", "set")) and self._luck.random() < 1 / 3:
                raise Interrupted
            return answer

        return lost


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_repeated_public_writing_leaves_what_one_undisturbed_call_does(
    tmp_path: Path, seed: int
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "repeated", uri)
    unlucky: Any = Unlucky(client, seed)
    run_ids: list[str] = []
    for attempt in range(200):
        try:
            run_ids = public_writing.write_runs(unlucky, experiment, "p" * 32, RUNS, attempt > 0)
            break
        except Interrupted:
            continue
    assert run_ids
    assert attempt > 3
    once = public_writing.write_runs(client, experiment, "q" * 32, RUNS)
    children = family(client, experiment, "p" * 32) | family(client, experiment, "q" * 32)
    assert len(children) == 6
    for one, other in zip(run_ids, once, strict=True):
        for mine, theirs in [(one, other), *zip(children[one], children[other], strict=True)]:
            a, b = read(client, mine), read(client, theirs)
            del a["tags"]["mlflow.parentRunId"], b["tags"]["mlflow.parentRunId"]
            assert a == b


def test_both_ways_find_the_same_standing_runs(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "counted", uri)
    run_ids = bulk_writing.write_runs(client, experiment, "p" * 32, RUNS)
    other = replace(RUNS[0], tags={**RUNS[0].tags, "sweep": "another"}, children=())
    bulk_writing.write_runs(client, experiment, "q" * 32, [other])
    client.delete_run(run_ids[2])
    for way in (bulk_writing, public_writing):
        found = way.standing_runs(client, experiment, "s")
        trials = {run.key: run for run in found if not run.seed}
        assert {run.run_id for run in trials.values()} == set(run_ids[:2])
        assert {run.parent_id for run in trials.values()} == {"p" * 32}
        assert all(run.whole for run in found)
        # The seeds of a deleted trial stand, and are told by their parent.
        assert sorted(run.seed for run in found if run.seed) == ["0", "0", "0", "1", "1", "1"]
        assert way.standing_runs(client, experiment, "nobody") == []


def test_a_bulk_that_fails_leaves_nothing(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(uri)
    experiment = open_experiment(client, "failing", uri)
    twice = FinishedRun("twice", "FINISHED", {}, {}, [MetricPoint("a", 1.0, 0)] * 2, 1)
    with pytest.raises(Exception, match="UNIQUE"):
        bulk_writing.write_runs(client, experiment, "p" * 32, [*RUNS, twice])
    assert client.search_runs([experiment]) == []


def test_an_unknown_mlflow_is_left_to_its_public_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert bulk_writing.usable(client)
    monkeypatch.setattr(mlflow, "__version__", "3.99.0")
    assert not bulk_writing.usable(client)
