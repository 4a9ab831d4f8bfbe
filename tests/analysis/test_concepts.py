"""Figures that explain: what they show is computed or recorded, and is what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.figures.concept_figures import activations, batches, cut
from analysis.figures.penalty_figure import loss, meeting, penalties, penalty_saved
from analysis.figures.weight_figure import weights
from analysis.plotting.draw import draw
from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from support.panels_of import lines, maps
from support.record_fixture import Recorded, made_up_sweep, new_store, write_sweep
from support.trained_record import trained_record, trained_sweep

POINTS = [{"l2": 0.0}, {"l2": 0.01}, {"l2": 0.02}, {"l2": 0.1}]


def record_of(folder: Path, sweep: list[Recorded], field: str) -> SweepRecord:
    uri = new_store(folder)
    write_sweep(uri, folder / "artifacts", field, [field], sweep)
    return load_sweep(open_store(uri), field)


def test_what_a_step_saves() -> None:
    assert penalty_saved(1.5, 1.4) == pytest.approx((0.1, 0.29))
    assert penalty_saved(0.2, 0.1) == pytest.approx((0.1, 0.03))
    diamond, circle = (lines(penalties(), panel).series[0] for panel in (0, 1))
    assert {abs(point.x) + abs(point.y) for point in diamond.points} == {1.0}
    assert [point.x**2 + point.y**2 for point in circle.points] == pytest.approx([1.0] * 241)


def test_the_loss_meets_l1_at_a_corner_and_l2_where_no_weight_is_zero() -> None:
    for panel, corner in ((0, True), (1, False)):
        penalty, *others = lines(penalties(), panel).series
        shape = np.array([(point.x, point.y) for point in penalty.points])
        found = meeting(shape)
        assert (np.abs(found.weights) < 1e-9).any() == corner
        assert loss(shape).min() >= found.loss - 1e-12
        contours = [one for one in others if one.label == "equal loss"]
        levels = []
        for one in contours:
            along = loss(np.array([(point.x, point.y) for point in one.points]))
            assert along == pytest.approx(np.full(len(along), along[0]))
            levels.append(along[0])
        assert any(level == pytest.approx(found.loss) for level in levels)  # one touches the shape
        (met,) = next(one.points for one in others if one.label == "least loss at this penalty")
        assert (met.x, met.y) == pytest.approx(tuple(found.weights))


def test_batches_cover_every_row_once() -> None:
    blocks = cut(120, 64)
    assert [(one.start, one.stop, one.left_out) for one in blocks] == [
        (0, 64, False),
        (64, 120, True),
    ]
    for size in (2, 4, 8, 16, 32, 64, 7, 200):
        rows = [row for block in cut(120, size) for row in range(block.start, block.stop)]
        assert rows == list(range(120))
        assert sum(not block.left_out for block in cut(120, size)) == 120 // size


def test_activations_are_shown_of_every_data_set_that_can_be_swept() -> None:
    points = [{"dropout": 0.0}, {"dropout": 0.5}]
    sweep = trained_sweep(["dropout"], points, seeds=2, dataset="moons", epochs=2)
    plot = activations(trained_record("dropout", sweep))
    assert plot.name == "concepts_activations"
    assert not any(panel.missing for panel in plot.panels)


def test_activations_are_those_of_the_recorded_model(tmp_path: Path) -> None:
    from sklearn.datasets import load_iris

    sweep = made_up_sweep(["dropout"], [{"dropout": p} for p in (0.0, 0.25, 1.0)])
    record = record_of(tmp_path, sweep, "dropout")
    plot = activations(record)
    kept, dropped = maps(plot), maps(plot, 1)
    weight, bias = (sweep[1].weights[f"0.{part}"][0] for part in ("weight", "bias"))
    expected = np.maximum(load_iris().data @ weight.T + bias, 0).ravel()
    found = np.array([cell.value for cell in kept.cells])
    assert found == pytest.approx(expected)
    masked = np.array([cell.value for cell in dropped.cells])
    survived = masked != 0
    assert masked[survived] == pytest.approx(expected[survived] / 0.75)
    assert survived[expected > 0].mean() == pytest.approx(0.75, abs=0.03)


def test_weights_of_baseline_and_strongest(tmp_path: Path) -> None:
    sweep = made_up_sweep(["l2"], POINTS)
    record = record_of(tmp_path, sweep, "l2")
    plot = weights({"l1": [], "l2": [record]})
    assert lines(plot).missing == "no finished sweep 'l1' in the store"
    panel = lines(plot, 1)
    assert [one.label.split(":")[0] for one in panel.series] == [
        "l2 = 0 (baseline), n = 3",
        "l2 = 0.1, n = 3",
    ]
    sizes = np.sort(np.abs(sweep[3].weights["0.weight"].reshape(3, -1)), axis=1)[:, ::-1]
    assert [point.y for point in panel.series[1].points] == pytest.approx(sizes.mean(axis=0))


def test_sparse_weights_are_shown_at_the_least_penalty_that_acts(tmp_path: Path) -> None:
    """The lesson's λ are too small; of another sweep's, the least that makes weights zero."""

    def with_zeros(one: Recorded, share: float) -> Recorded:
        weight = one.weights["0.weight"].copy()
        flat = weight.reshape(len(weight), -1)
        flat[:, : round(share * flat.shape[1])] = 0
        return Recorded(one.trial, one.curves, {**one.weights, "0.weight": weight})

    def sweep(name: str, **zeros: float) -> SweepRecord:
        points = [{"l1": float(value)} for value in zeros]
        made = zip(made_up_sweep(["l1"], points), zeros.values(), strict=True)
        (tmp_path / name).mkdir()
        return record_of(tmp_path / name, [with_zeros(*pair) for pair in made], "l1")

    lesson = sweep("lesson", **{"0": 0.0, "0.001": 0.0, "0.005": 0.05})
    strong = sweep("strong", **{"0": 0.0, "0.1": 0.02, "1": 0.3, "10": 0.9})
    plot = weights({"l1": [lesson, strong], "l2": []})
    labels = [one.label for one in lines(plot).series]
    assert labels[1].startswith("l1 = 1, n = 3: 29.7 % near zero")
    assert any("the least λ recorded that brings 10 points more" in note for note in plot.notes)
    assert plot.run_ids == (strong.run_id,)
    small = weights({"l1": [lesson], "l2": []})
    assert lines(small).series[1].label.startswith("l1 = 0.005")
    assert any("none up to it brings 10 points more" in note for note in small.notes)


def test_concepts_without_any_sweep() -> None:
    for plot in (penalties(), activations(None), weights({"l1": [], "l2": []}), batches(None)):
        assert draw(plot)
        assert plot.run_ids == ()
