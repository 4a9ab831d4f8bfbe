"""Links into MLflow's UI, and that a sweep does without views where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.utils.validation import MAX_EXPERIMENT_TAG_VAL_LENGTH

from support.made_up_results import made_up
from sweeps import batch_size, elastic_net, l2
from sweeps.plan.sweep import Sweep
from sweeps.record.pages.saved_view import CHARTS, SEEDS, TABLE, save_views
from sweeps.record.store.opening import open_experiment, open_store


@pytest.fixture
def client(tmp_path: Path) -> MlflowClient:
    return open_store(f"sqlite:///{tmp_path}/mlflow.db")


def _save(client: MlflowClient, sweep: Sweep, log_seeds: bool) -> tuple[str, dict[str, str]]:
    experiment = open_experiment(client, sweep.name, client.tracking_uri)
    flags = ("--seeds", "2", *(("--log-seeds",) if log_seeds else ()))
    manifest = made_up(sweep, *flags)[0]
    return experiment, save_views(client, experiment, manifest)


@pytest.mark.parametrize("sweep", [l2.SWEEP, batch_size.SWEEP, elastic_net.SWEEP])
def test_views_are_experiment_tags_that_links_name_and_any_store_takes(
    client: MlflowClient, sweep: Sweep
) -> None:
    experiment, links = _save(client, sweep, log_seeds=True)
    tags = client.get_experiment(experiment).tags
    views = {name for name in tags if name.startswith("mlflow.sharedViewState.")}
    assert len(views) == 3  # one of them of whatever sweep is the newest
    assert list(links) == [CHARTS, TABLE, SEEDS]
    for link in links.values():
        view_id = link.split("viewStateShareKey=")[1].split("&")[0]
        value = tags[f"mlflow.sharedViewState.{view_id}"]
        # Half of it: room for sweeps of more axes and longer names.
        assert len(value) < MAX_EXPERIMENT_TAG_VAL_LENGTH / 2
        assert set(json.loads(value)) == {"name", "createdAt", "updatedAt", "state"}


def test_without_runs_of_seeds_there_is_no_view_of_them(client: MlflowClient) -> None:
    experiment, links = _save(client, l2.SWEEP, log_seeds=False)
    assert list(links) == [CHARTS, TABLE]
    tags = client.get_experiment(experiment).tags
    assert sum(name.startswith("mlflow.sharedViewState.") for name in tags) == 2


def test_an_mlflow_that_was_not_tried_gets_a_plain_link(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow, "__version__", "3.99.0")
    experiment, links = _save(client, l2.SWEEP, log_seeds=True)
    assert list(links) == [TABLE]
    assert "viewStateShareKey" not in links[TABLE]
    assert "orderByKey=metrics.%60final%2Ftest_accuracy%60" in links[TABLE]
    assert not any("sharedViewState" in name for name in client.get_experiment(experiment).tags)


def test_a_store_that_refuses_the_tag_gets_a_plain_link(client: MlflowClient) -> None:
    manifest = made_up(l2.SWEEP, "--seeds", "2")[0]
    links = save_views(client, "123456", manifest)  # no such experiment
    assert list(links) == [TABLE]
    assert links[TABLE].startswith("/#/experiments/123456/runs?workflowType=machine_learning")
