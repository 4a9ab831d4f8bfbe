"""An experiment's description leads to its newest sweep; what its user wrote stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from support.made_up_results import made_up
from sweeps import dropout, l2
from sweeps.record.pages.experiment_page import forget, introduce
from sweeps.record.pages.saved_view import save_views
from sweeps.record.store.opening import open_experiment, open_store
from trainables.manifest import Manifest

NEWEST = "mlflow.sharedViewState.newest"
NOTE = "mlflow.note.content"


@pytest.fixture
def client(tmp_path: Path) -> MlflowClient:
    return open_store(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def experiment(client: MlflowClient) -> str:
    return open_experiment(client, "both", client.tracking_uri)


@pytest.fixture
def sweeps(client: MlflowClient, experiment: str) -> list[Manifest]:
    """Two sweeps that have ended in it, one after the other."""
    manifests = [made_up(sweep, "--seeds", "2")[0] for sweep in (l2.SWEEP, dropout.SWEEP)]
    for manifest in manifests:
        save_views(client, experiment, manifest)
        introduce(client, experiment, manifest)
    return manifests


def _tags(client: MlflowClient, experiment: str) -> dict[str, str]:
    return dict(client.get_experiment(experiment).tags)


def _forget(client: MlflowClient, experiment: str, sweep: Manifest) -> dict[str, str]:
    forget(client, client.get_experiment(experiment), sweep.run_name)
    return _tags(client, experiment)


def test_the_description_leads_to_the_sweep_that_ended_last(
    client: MlflowClient, experiment: str, sweeps: list[Manifest]
) -> None:
    tags = _tags(client, experiment)
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert "\n" not in tags[NOTE]  # the UI shows the first line
    assert f"(/#/experiments/{experiment}/runs?viewStateShareKey=newest&" in tags[NOTE]
    assert tags[NOTE].endswith(sweeps[0].question)
    newest, its_own = (
        json.loads(tags[name]) for name in (NEWEST, f"mlflow.sharedViewState.{sweeps[1].run_name}")
    )
    assert newest["state"] == its_own["state"]
    assert sweeps[1].run_name in newest["name"]


def test_what_the_user_wrote_stays(client: MlflowClient, experiment: str) -> None:
    client.set_experiment_tag(experiment, NOTE, "mine")
    client.set_experiment_tag(experiment, "mlflow.experimentKind", "regression")
    introduce(client, experiment, made_up(l2.SWEEP, "--seeds", "2")[0])
    tags = _tags(client, experiment)
    assert (tags[NOTE], tags["mlflow.experimentKind"]) == ("mine", "regression")


def test_a_store_that_refuses_ends_no_sweep(client: MlflowClient) -> None:
    introduce(client, "123456", made_up(l2.SWEEP, "--seeds", "2")[0])  # no such experiment


def test_when_the_newest_sweep_is_removed_the_one_before_it_is_the_newest(
    client: MlflowClient, experiment: str, sweeps: list[Manifest]
) -> None:
    first, last = sweeps
    tags = _forget(client, experiment, last)
    assert first.run_name in json.loads(tags[NEWEST])["name"]
    assert (
        json.loads(tags[NEWEST])["state"]
        == (json.loads(tags[f"mlflow.sharedViewState.{first.run_name}"])["state"])
    )
    assert NOTE in tags
    assert set(_forget(client, experiment, first)) == {"mlflow.experimentKind"}


def test_when_another_sweep_is_removed_the_newest_stays(
    client: MlflowClient, experiment: str, sweeps: list[Manifest]
) -> None:
    before = _tags(client, experiment)
    tags = _forget(client, experiment, sweeps[0])
    assert tags[NEWEST] == before[NEWEST]
    client.set_experiment_tag(experiment, NOTE, "mine")
    assert _forget(client, experiment, sweeps[1])[NOTE] == "mine"
