"""What recorded models say of rows: against torch's forward pass and scikit-learn's counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix
from sklearn.preprocessing import StandardScaler

from analysis.figures.boundary_figures import decision_boundaries
from analysis.figures.confusion_figures import confusion_matrices
from analysis.plotting.draw import draw
from analysis.plotting.panels import LinePanel, MapPanel, Plot
from analysis.plotting.region_panel import RegionPanel
from support.legible import require_legible, texts
from support.record_fixture import Recorded, diverging
from support.trained_record import torch_classes, trained_record, trained_sweep
from trainables import data

POINTS = [{"l2": 0.0}, {"l2": 0.05}, {"l2": 0.3}]
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"split": "random"},
    "standardised": {"standardize": True, "lr": 0.02},
    "deep": {"hidden": (8, 6), "lr": 0.02},
    "one split": {"vary": ("init", "order", "dropout")},
}


@pytest.fixture(scope="module")
def trained() -> list[Recorded]:
    return trained_sweep(["l2"], POINTS)


def matrices_of(one: Recorded) -> np.ndarray:
    """(S, C, C), by torch and scikit-learn."""
    dataset = data.load(one.trial.hyperparameters.dataset)
    found = []
    for place, seeds in enumerate(one.trial.model_seeds()):
        split = data.split(dataset, seeds[0], one.trial.hyperparameters)
        said = torch_classes(one, place, split.x_test)
        found.append(confusion_matrix(split.y_test, said, labels=range(len(dataset.class_names))))
    return np.array(found)


def maps(plot: Plot) -> list[MapPanel]:
    return [panel for panel in plot.panels if isinstance(panel, MapPanel)]


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_are_those_of_scikit_learn_on_what_torch_says(kind: str) -> None:
    sweep = trained_sweep(["l2"], POINTS, **KINDS[kind])
    plot = confusion_matrices(trained_record("l2", sweep), "title")
    shown = maps(plot)
    assert [panel.title for panel in shown] == [
        f"l2 = {value}, n = 4" for value in ("0", "0.05", "0.3")
    ]
    for panel, one in zip(shown, sweep, strict=True):
        expected = matrices_of(one)
        mean, away = expected.mean(axis=0), expected.std(axis=0, ddof=1)
        assert len(panel.cells) == 9
        for cell in panel.cells:
            true, taken = int(cell.y), int(cell.x)
            assert cell.value == pytest.approx(mean[true, taken])
            assert cell.low == pytest.approx(mean[true, taken] - away[true, taken])
            assert cell.n == 4
        assert panel.y_names == ("setosa", "versicolor", "virginica")


def test_errors_over_the_swept_value_are_the_off_diagonals(trained: list[Recorded]) -> None:
    plot = confusion_matrices(trained_record("l2", trained), "title")
    errors = plot.panels[0]
    assert isinstance(errors, LinePanel)
    names = list(data.load("iris").class_names)
    expected = np.array([matrices_of(one).mean(axis=0) for one in trained])
    assert errors.series
    for series in errors.series:
        true, taken = (names.index(name) for name in series.label.split(" taken for "))
        assert [p.y for p in series.points] == pytest.approx(expected[:, true, taken])
    shown = {series.label for series in errors.series}
    for true, taken in zip(*np.nonzero(expected.max(axis=0)), strict=True):
        assert true == taken or f"{names[true]} taken for {names[taken]}" in shown


def test_rows_of_a_matrix_stand_from_the_top_by_name(trained: list[Recorded]) -> None:
    drawn = draw(confusion_matrices(trained_record("l2", trained), "title"))
    matrix = next(ax for ax in drawn.axes if ax.get_ylabel() == "is")
    assert [text.get_text() for text in matrix.get_yticklabels()] == [
        "setosa",
        "versicolor",
        "virginica",
    ]
    bottom, top = matrix.get_ylim()
    assert bottom > top


@pytest.mark.parametrize("kind", KINDS)
def test_boundaries_are_the_share_of_torchs_models_at_each_place(kind: str) -> None:
    sweep = trained_sweep(["l2"], POINTS, **KINDS[kind])
    plot = decision_boundaries(trained_record("l2", sweep), "title")
    iris = data.load("iris")
    scaled = KINDS[kind].get("standardize", False)
    scaler = StandardScaler(with_std=scaled).fit(iris.x)
    pca = PCA(2).fit(scaler.transform(iris.x))
    for panel, one in zip(plot.panels, sweep, strict=True):
        assert isinstance(panel, RegionPanel)
        assert panel.shares.sum(axis=0) == pytest.approx(1)
        # The rows stand where scikit-learn's components put them, but for the sign of each.
        rows = np.array([row[:2] for row in panel.rows])
        known = pca.transform(scaler.transform(iris.x))
        signs = np.sign((rows * known).sum(axis=0))
        assert rows == pytest.approx(known * signs, abs=1e-9)
        share = 100 * pca.explained_variance_ratio_[0]
        assert f"({share:.0f} % of the variance)" in panel.x_label
        for at_x, at_y in ((0, 0), (59, 0), (30, 30), (20, 45)):
            place = (np.array([[panel.x[at_x], panel.y[at_y]]]) * signs) @ pca.components_
            raw = scaler.inverse_transform(place + pca.mean_)
            votes = np.zeros(3)
            for number, seeds in enumerate(one.trial.model_seeds()):
                x = raw
                if scaled:
                    plain = replace(one.trial.hyperparameters, standardize=False)
                    training = data.split(iris, seeds[0], plain).x_train
                    x = StandardScaler().fit(training).transform(raw)
                votes[torch_classes(one, number, x)[0]] += 1
            assert panel.shares[:, at_y, at_x] == pytest.approx(votes / 4)


def test_lines_are_where_half_of_the_models_and_5_and_95_percent_change() -> None:
    odd = trained_sweep(["l2"], POINTS[:1], 5)
    (panel,) = decision_boundaries(trained_record("l2", odd), "title").panels
    assert isinstance(panel, RegionPanel)
    low, half, high = panel.margins
    assert ((half > 0) == (panel.shares > 0.5)).all()
    assert (low[panel.shares == 1] > 0).all()
    assert (high[panel.shares == 0] < 0).all()
    assert len(np.unique(panel.shares)) > 3, "models differ somewhere"


def test_a_diverged_model_takes_no_part(trained: list[Recorded]) -> None:
    record = trained_record("l2", [diverging(trained[0], 1, 30), *trained[1:]])
    matrix = maps(confusion_matrices(record, "title"))[0]
    kept = np.delete(matrices_of(trained[0]), 1, axis=0)
    assert [cell.value for cell in matrix.cells] == pytest.approx(kept.mean(axis=0).ravel())
    assert {(cell.n, cell.diverged) for cell in matrix.cells} == {(3, 1)}
    region = decision_boundaries(record, "title").panels[0]
    assert isinstance(region, RegionPanel)
    assert (region.n, region.diverged) == (3, 1)


def test_other_data_than_the_sweeps_are_not_asked(trained: list[Recorded]) -> None:
    record = trained_record("l2", trained, digest="0" * 16)
    for plot in (confusion_matrices(record, "title"), decision_boundaries(record, "title")):
        (panel,) = plot.panels
        assert "with digest 0000000000000000, here they have" in panel.missing
        assert draw(plot)
    record = trained_record("l2", trained, name="moons-of-mine")
    (panel,) = confusion_matrices(record, "title").panels
    assert panel.missing.endswith(", got moons-of-mine")


def test_models_that_are_not_as_right_as_was_recorded_are_not_shown(
    trained: list[Recorded],
) -> None:
    first = trained[0]
    other = {
        **first.weights,
        "1.bias": first.weights["1.bias"] + np.array([9, 0, -9], dtype=np.float32),
    }
    record = trained_record("l2", [Recorded(first.trial, first.curves, other), *trained[1:]])
    (panel,) = confusion_matrices(record, "title").panels
    assert "is right on 10 of 30 test rows, the record says" in panel.missing


def test_of_many_classes_the_colours_alone_are_drawn() -> None:
    digits: dict[str, Any] = {"dataset": "digits", "epochs": 3, "lr": 0.01}
    record = trained_record("l2", trained_sweep(["l2"], POINTS[:2], 2, **digits))
    plot = confusion_matrices(record, "title")
    assert len(maps(plot)[0].cells) == 100
    require_legible(draw(plot))
    require_legible(draw(decision_boundaries(record, "title")))


def test_figures_are_legible_and_say_what_they_show(trained: list[Recorded]) -> None:
    record = trained_record("l2", trained)
    for plot in (confusion_matrices(record, "title"), decision_boundaries(record, "title")):
        drawn = draw(plot)
        require_legible(drawn)
        said = [text.get_text() for text in texts(drawn)]
        assert {"setosa", "versicolor", "virginica"} <= set(said)
        assert set(plot.table()["run_id"]) == {record.run_of(one) for one in record.usable}
