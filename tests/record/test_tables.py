"""The CSV beside each Parquet file: the same numbers, thinner, and safe to open."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.made_up_results import diverge, made_up
from sweeps.l2 import SWEEP
from sweeps.record.runs.tables import finals_table, mean_curves, write_csv, write_part
from trainables.result import CURVES, TrialResult

WINDOW = range(5, 9)
EPOCHS = np.array([0, 4, 9])


@pytest.fixture
def results() -> list[TrialResult]:
    found = made_up(SWEEP, "--num-samples", "4", "--seeds", "3", "--epochs", "10")[1]
    diverge(found[2], model=1, epoch=4)
    return found


def _written(folder: Path, results: list[TrialResult]) -> Path:
    finals = [result.finals(WINDOW) for result in results]
    write_part(folder, "part-00001", results, finals, mean_curves(results, EPOCHS))
    return folder


def test_the_curves_csv_has_the_parquets_means_at_the_epochs_that_mlflow_has(
    tmp_path: Path, results: list[TrialResult]
) -> None:
    folder = _written(tmp_path, results) / "curves"
    thin = pd.read_csv(folder / "part-00001.csv").set_index(["config", "epoch"])
    full = pd.read_parquet(folder / "part-00001.parquet").astype({"config": str})
    assert len(thin) == 4 * len(EPOCHS)
    groups = full.groupby(["config", "epoch"])[list(CURVES)]
    expected = groups.mean().where(groups.count() == 3)
    for key, row in thin.iterrows():
        (numbers,) = expected.loc[[key]].to_numpy()
        assert list(row) == pytest.approx(list(numbers), rel=1e-5, nan_ok=True)


def test_curves_of_a_diverged_trial_end_in_empty_cells(
    tmp_path: Path, results: list[TrialResult]
) -> None:
    path = _written(tmp_path, results) / "curves" / "part-00001.csv"
    rows = [row for row in csv.DictReader(path.open()) if row["config"] == results[2].trial.name]
    assert [row["epoch"] for row in rows] == ["1", "5", "10"]
    assert [bool(row["test/loss"]) for row in rows] == [True, False, False]


def test_the_weights_csv_has_a_row_of_final_numbers_per_model(
    tmp_path: Path, results: list[TrialResult]
) -> None:
    folder = _written(tmp_path, results) / "weights"
    table = pd.read_csv(folder / "part-00001.csv")
    models = pd.read_parquet(folder / "part-00001.parquet")
    assert list(zip(table["config"], table["seed"], strict=True)) == list(
        zip(models["config"], models["seed"], strict=True)
    )
    norms = [float(np.linalg.norm(weight.astype(np.float64))) for weight in models["0.weight"]]
    assert table["weight_norm"].to_numpy() == pytest.approx(norms, rel=1e-5)
    finals = results[3].finals(WINDOW)
    own = table[table["config"] == results[3].trial.name]
    assert {"test_accuracy", "train_accuracy", "sparsity"} <= set(finals) <= set(own.columns)
    for name, values in finals.items():
        assert own[name].to_numpy() == pytest.approx(values, rel=1e-5)


def test_a_part_without_means_has_no_curves_csv(tmp_path: Path, results: list[TrialResult]) -> None:
    finals = [result.finals(WINDOW) for result in results]
    write_part(tmp_path, "part-00001", results, finals, None)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    parquet = {f"{kind}/part-00001.parquet" for kind in ("curves", "weights")}
    assert found == parquet | {"weights/part-00001.csv"}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=cmd|'/c calc'!A0"]
)
def test_no_text_is_a_formula_and_numbers_stay_numbers(
    tmp_path: Path, text: str, results: list[TrialResult]
) -> None:
    hostile = [replace(result, trial=replace(result.trial, name=text)) for result in results[:1]]
    finals = [{text: np.array([-0.5, 1e-7, 0.25])}]
    for table in (mean_curves(hostile, EPOCHS), finals_table(hostile, finals)):
        write_csv(table, tmp_path / "table.csv")
        with (tmp_path / "table.csv").open(newline="") as file:
            header, first, *_ = csv.reader(file)
        assert first[0] == f"'{text}"
        assert text not in header
        assert all(np.isfinite(float(cell)) for cell in first[1:])
