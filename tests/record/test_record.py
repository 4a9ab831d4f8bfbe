"""What a finished sweep leaves in MLflow, read through MLflow's own client."""

from __future__ import annotations

import json
import re

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch

from support.record import Record
from support.scripts import ROOT
from trainables import data
from trainables.draws import Seed
from trainables.installation import arithmetic
from trainables.result import CURVES, interval
from trainables.train_one import train_one
from trainables.trial import Trial

pytestmark = pytest.mark.sweep


def test_every_promised_trial_has_one_finished_run(l2_record: Record) -> None:
    promised = {trial["key"]: trial["name"] for trial in l2_record.manifest["trials"]}
    recorded = [run.data.tags["trial.key"] for run in l2_record.trials]
    assert sorted(recorded) == sorted(promised)
    assert len(promised) == 6
    every = [l2_record.parent, *l2_record.trials, *l2_record.seeds]
    assert {run.info.status for run in every} == {"FINISHED"}
    assert len(l2_record.seeds) == 6 * 3


def test_the_database_is_one_file_that_can_be_copied(l2_record: Record) -> None:
    log = l2_record.folder / "mlflow.db-wal"
    assert not log.exists() or log.stat().st_size == 0


def test_params_are_the_values_asked_for(l2_record: Record) -> None:
    manifest = {trial["key"]: trial for trial in l2_record.manifest["trials"]}
    for run in l2_record.trials:
        trial = manifest[run.data.tags["trial.key"]]
        assert float(run.data.params["l2"]) == trial["hyperparameters"]["l2"]
        assert run.info.run_name == f"l2={float(run.data.params['l2']):.6f}"
        assert run.data.params["epochs"] == "40"
        assert run.data.params["seeds"] == "3"
    assert len({run.data.params["l2"] for run in l2_record.trials}) == 6


def test_every_run_carries_the_sweeps_tags(l2_record: Record) -> None:
    name = l2_record.parent.info.run_name
    for run in [*l2_record.trials, *l2_record.seeds]:
        assert run.data.tags["sweep"] == name
        assert run.data.tags["config"].startswith("l2=")
        assert run.data.tags["trial.key"]
    here = {name: str(value) for name, value in arithmetic().items()}
    for run in l2_record.trials:
        assert json.loads(run.data.tags["arithmetic"]) == here
    parents = {run.info.run_id: run.data.tags["trial.key"] for run in l2_record.trials}
    for run in l2_record.trials:
        assert run.data.tags["mlflow.parentRunId"] == l2_record.parent.info.run_id
    for run in l2_record.seeds:
        assert parents[run.data.tags["mlflow.parentRunId"]] == run.data.tags["trial.key"]
        assert run.data.tags["seed"] in {"0", "1", "2"}


def test_recorded_curves_are_the_means_of_the_parquet(l2_record: Record) -> None:
    curves = l2_record.table("curves")
    assert len(curves) == 6 * 3 * 40
    for run in l2_record.trials:
        own = curves[curves["trial_key"] == run.data.tags["trial.key"]]
        for name in CURVES:
            points = l2_record.client.get_metric_history(run.info.run_id, name)
            mean = own.groupby("epoch")[name].mean()
            assert {point.step for point in points} == set(range(1, 41))
            for point in points:
                assert point.value == pytest.approx(mean[point.step], rel=1e-6)


def test_final_numbers_are_those_of_the_summary_epochs(l2_record: Record) -> None:
    first, stop = l2_record.manifest["summary_epochs"]
    assert (first, stop) == (20, 38)
    curves = l2_record.table("curves")
    window = curves[(curves["epoch"] > first) & (curves["epoch"] <= stop)]
    for run in l2_record.trials:
        own = window[window["trial_key"] == run.data.tags["trial.key"]]
        by_seed = own.groupby("seed")["test/accuracy"].mean().to_numpy(dtype=float)
        expected = interval(by_seed)
        metrics = run.data.metrics
        assert metrics["final/test_accuracy"] == pytest.approx(expected.mean, rel=1e-5)
        assert metrics["final/test_accuracy_std"] == pytest.approx(expected.std, rel=1e-5, abs=1e-9)
        assert metrics["final/test_accuracy_ci_low"] == pytest.approx(expected.low, rel=1e-5)
        assert metrics["final/test_accuracy_ci_high"] == pytest.approx(expected.high, rel=1e-5)
        assert "final/diverged_seeds" not in metrics


def test_runs_hold_few_numbers_and_first_that_which_the_ui_compares_them_by(
    l2_record: Record,
) -> None:
    """All others are in `results.csv`."""
    rows = pd.read_csv(l2_record.artifact("results.csv")).set_index("run_id")
    for run in l2_record.trials:
        finals = {
            name.removeprefix("final/"): value
            for name, value in run.data.metrics.items()
            if name.startswith("final/")
        }
        assert next(iter(run.data.metrics)) == "final/test_accuracy"
        assert len(finals) == 12
        row = rows.loc[run.info.run_id]
        for name, value in finals.items():
            assert row[name] == pytest.approx(value, rel=1e-5)
        for name in ("train_loss_std", "weight_norm_ci_low", "sparsity_0", "sparsity_1_ci_high"):
            assert name not in finals
            assert np.isfinite(row[name])


def test_runs_last_as_long_as_their_models_were_trained(l2_record: Record) -> None:
    for run in l2_record.trials:
        took = run.info.end_time - run.info.start_time
        assert took == round(1000 * run.data.metrics["time/train_seconds"]) > 0
        seeds = [s for s in l2_record.seeds if s.data.tags["config"] == run.info.run_name]
        for seed in seeds:
            own = seed.info.end_time - seed.info.start_time
            assert own == pytest.approx(took / len(seeds), abs=1)
    assert all(run.info.end_time <= l2_record.parent.info.end_time for run in l2_record.trials), (
        "they end when they were trained, not when they were written"
    )


def test_a_recorded_model_can_be_trained_again_from_the_manifest(l2_record: Record) -> None:
    trial = Trial.from_dict(l2_record.manifest["trials"][3])
    again = train_one(trial.hyperparameters, Seed.of(trial.seeds[1]), data.load("iris"))
    curves = l2_record.table("curves")
    own = curves[(curves["trial_key"] == trial.key) & (curves["seed"] == trial.seeds[1])]
    for name in CURVES:
        np.testing.assert_allclose(again.curves[name][0], own[name], rtol=1e-4, atol=1e-5)


def test_the_best_model_loads_and_is_the_recorded_one(
    l2_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{l2_record.folder}/mlflow.db")
    model = mlflow.pytorch.load_model(f"runs:/{l2_record.parent.info.run_id}/best_model")
    info = mlflow.models.get_model_info(f"runs:/{l2_record.parent.info.run_id}/best_model")
    assert info.signature is not None
    assert info.saved_input_example_info is not None
    best = max(l2_record.trials, key=lambda run: run.data.metrics["final/test_accuracy"])
    weights = l2_record.table("weights")
    own = weights[weights["trial_key"] == best.data.tags["trial.key"]]
    recorded = [np.array(values) for values in own["0.weight"]]
    first = next(iter(model.parameters())).detach().numpy()
    assert any(np.array_equal(first.ravel(), values) for values in recorded)
    assert info.signature.inputs.input_names() == list(data.load("iris").feature_names)
    assert info.signature.outputs.input_names() == list(data.load("iris").class_names)
    with torch.no_grad():
        shares = model(torch.from_numpy(data.load("iris").x[:7].astype(np.float32)))
    assert shares.shape == (7, 3)
    np.testing.assert_allclose(shares.sum(dim=1), 1, rtol=1e-6)


def test_the_parent_answers_first(l2_record: Record) -> None:
    note = l2_record.parent.data.tags["mlflow.note.content"].splitlines()
    best = max(run.data.metrics["final/test_accuracy"] for run in l2_record.trials)
    assert f"{100 * best:.1f} %" in note[0]
    assert re.search("(points to l2=0.000000: .* the baseline|it is the baseline)", note[0])
    assert "Baseline l2=0.000000: test accuracy " in "".join(note)
    assert note[1].count("](/#/experiments/") == 3
    assert l2_record.parent.data.metrics["best/test_accuracy"] == pytest.approx(best)
    inputs = l2_record.parent.inputs
    assert inputs is not None
    assert inputs.dataset_inputs[0].dataset.name == "iris"
    assert l2_record.manifest["dataset"]["digest"] == data.load("iris").digest
    assert l2_record.manifest["versions"]["torch"]


def test_the_terminal_shows_the_answer_and_where_to_look(l2_record: Record) -> None:
    text = (l2_record.folder / "stdout.txt").read_text()
    assert "best" in text
    assert "baseline" in text
    assert f"python {ROOT}/analysis/l2.py" in text
    assert "mlflow ui --port 5" in text
    assert " --backend-store-uri sqlite:///" in text
    assert text.count("viewStateShareKey") == 2  # of the trials, and of the seeds' averages


def test_there_is_something_to_look_at_in_the_ui(l2_record: Record) -> None:
    assert "l2=0.000000" in l2_record.artifact("chart.html").read_text(encoding="utf-8")
    for kind in ("curves", "weights"):
        parts = sorted(path.stem for path in l2_record.artifact(kind).glob("*.parquet"))
        assert sorted(path.stem for path in l2_record.artifact(kind).glob("*.csv")) == parts != []
    means = pd.concat(map(pd.read_csv, l2_record.artifact("curves").glob("*.csv")))
    means = means.set_index(["config", "epoch"])
    for run in l2_record.trials:
        note = run.data.tags["mlflow.note.content"].splitlines()
        assert f"{100 * run.data.metrics['final/test_accuracy']:.1f} %" in note[0]
        part = next(line for line in note if "Every epoch" in line).split("`")[1]
        assert run.info.run_name in set(pd.read_parquet(l2_record.artifact(part))["config"])
        for point in l2_record.client.get_metric_history(run.info.run_id, "test/accuracy"):
            mean = means.loc[(run.info.run_name, point.step), "test/accuracy"]
            assert mean == pytest.approx(point.value, rel=1e-5)


def test_results_csv_has_a_row_per_trial(l2_record: Record) -> None:
    lines = l2_record.artifact("results.csv").read_text().splitlines()
    assert len(lines) == 1 + 6
    assert "test_accuracy_ci_low" in lines[0]
