"""Results keep every bit on their way, and become numbers that can be checked by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from trainables import data
from trainables.hyperparameters import Hyperparameters
from trainables.pack_run import PackRun
from trainables.result import (
    CURVES,
    Interval,
    Trained,
    TrialResult,
    from_arrow,
    from_bytes,
    interval,
    mark_divergence,
    to_arrow,
    to_bytes,
)
from trainables.trial import Trial


def _trained_trials(**values: Any) -> list[TrialResult]:
    """Really trained: of three and of two seeds, with two hidden layers."""
    trials = [
        Trial(
            f"l1={l1:.2f}",
            Hyperparameters(l1=l1, epochs=5, hidden=(5, 3), **values),
            seeds,
        )
        for l1, seeds in ((0.0, (4, 0, 9)), (0.5, (4, 0)))
    ]
    return PackRun(trials, data.load("iris"), device_name="some device").advance()


def _made_up() -> TrialResult:
    """Two seeds, four epochs, curves and weights that give round numbers."""
    base = np.array([[0.5, 0.25, 0.75, 1.0], [0.5, 0.5, 0.25, 0.75]], dtype=np.float32)
    curves = {name: base * (number + 1) for number, name in enumerate(CURVES)}
    parameters = {
        "0.weight": np.array([[[3.0, 0.0]], [[0.5, 0.0009]]], dtype=np.float32),
        "0.bias": np.array([[100.0], [100.0]], dtype=np.float32),
        "1.weight": np.array([[[4.0], [0.0]], [[4.0], [0.003]]], dtype=np.float32),
        "1.bias": np.array([[100.0, 0.0], [0.0, 0.0]], dtype=np.float32),
    }
    trial = Trial("dropout=0.5", Hyperparameters(dropout=0.5, epochs=4, hidden=(1,)), (0, 1))
    return TrialResult(trial, Trained(curves, parameters), 1.5, "cpu")


def _assert_same(found: TrialResult, expected: TrialResult) -> None:
    assert found.trial == expected.trial
    assert (found.seconds, found.device) == (expected.seconds, expected.device)
    assert found.arithmetic == expected.arithmetic
    for one, other in (
        (found.trained.curves, expected.trained.curves),
        (found.trained.parameters, expected.trained.parameters),
    ):
        assert list(one) == list(other)
        for name, values in other.items():
            assert one[name].dtype == values.dtype
            assert one[name].shape == values.shape
            assert one[name].tobytes() == np.ascontiguousarray(values).tobytes()


def test_results_keep_every_bit_through_bytes() -> None:
    results = _trained_trials()
    again = from_bytes(to_bytes(results))
    assert len(again) == len(results) == 2
    for found, expected in zip(again, results, strict=True):
        _assert_same(found, expected)


def test_results_of_an_earlier_version_name_the_trial_in_every_row() -> None:
    results = _trained_trials()
    table = to_arrow(results)
    trials = [json.dumps(one.trial.as_dict()) for one in results for _ in one.trial.seeds]
    place = table.column_names.index("trial")
    found = from_arrow(table.set_column(place, "trial", pa.array(trials)))
    for one, expected in zip(found, results, strict=True):
        _assert_same(one, expected)


def test_results_of_an_earlier_version_say_nothing_of_their_arithmetic() -> None:
    results = _trained_trials()
    assert results[0].arithmetic["instructions"]
    for one in from_arrow(to_arrow(results).drop_columns(["arithmetic"])):
        assert one.arithmetic == {}


def test_nan_and_infinity_survive_bytes() -> None:
    results = _trained_trials(lr=1e30, l2=1.0)
    assert np.isnan(results[0].trained.curves["test/loss"]).any()
    values = {**results[0].trained.parameters}
    values["0.bias"] = np.full_like(values["0.bias"], np.inf)
    changed = replace(results[0], trained=Trained(results[0].trained.curves, values))
    (found,) = from_bytes(to_bytes([changed]))
    _assert_same(found, changed)


def test_a_single_trial_with_a_single_seed_survives_bytes() -> None:
    trial = Trial("a", Hyperparameters(epochs=1, hidden=(1,)), (7,))
    results = PackRun([trial], data.load("iris")).advance()
    _assert_same(from_bytes(to_bytes(results))[0], results[0])


def test_taking_models_keeps_their_order() -> None:
    trained = _made_up().trained
    taken = trained.take([1, 0, 1])
    for name, values in trained.curves.items():
        assert np.array_equal(taken.curves[name], values[[1, 0, 1]])
    for name, values in trained.parameters.items():
        assert np.array_equal(taken.parameters[name], values[[1, 0, 1]])


def test_final_numbers_are_means_over_exactly_the_summary_epochs() -> None:
    result = _made_up()
    assert result.finals(range(1, 3))["train_accuracy"].tolist() == [0.5, 0.375]
    assert result.finals(range(3, 4))["train_accuracy"].tolist() == [1.0, 0.75]
    assert result.finals(range(4))["train_batch_loss"].tolist() == [3.75, 3.0]


def test_every_curve_has_a_final_number_and_the_gap_is_train_minus_test() -> None:
    finals = _made_up().finals(range(1, 3))
    assert {name.replace("/", "_") for name in CURVES} <= set(finals)
    assert finals["test_accuracy"].tolist() == [1.0, 0.75]
    assert finals["generalization_gap"].tolist() == [-0.5, -0.375]
    assert all(values.shape == (2,) for values in finals.values())
    assert all(values.dtype == np.float64 for values in finals.values())


def test_the_weight_norm_is_the_root_of_summed_squares_without_biases() -> None:
    finals = _made_up().finals(range(4))
    assert finals["weight_norm"][0] == pytest.approx(5.0)
    assert finals["weight_norm_0"][0] == pytest.approx(3.0)
    assert finals["weight_norm_1"][0] == pytest.approx(4.0)
    assert finals["weight_norm_1"][1] == pytest.approx(math.hypot(4, 0.003))


def test_sparsity_is_the_share_of_weights_under_a_thousandth_of_their_layers_largest() -> None:
    # Of the second model 0.0009 is not under 0.5 / 1000, 0.003 is under 4 / 1000.
    finals = _made_up().finals(range(4))
    assert finals["sparsity_0"].tolist() == [0.5, 0.0]
    assert finals["sparsity_1"].tolist() == [0.5, 0.5]
    assert finals["sparsity"].tolist() == [0.5, 0.25]


def test_all_zero_weights_are_wholly_sparse_and_lost_ones_have_no_sparsity() -> None:
    result = _made_up()
    values = {name: each.copy() for name, each in result.trained.parameters.items()}
    values["0.weight"][0] = 0
    values["0.weight"][1] = np.nan
    finals = replace(result, trained=Trained(result.trained.curves, values)).finals(range(4))
    assert finals["sparsity_0"][0] == 1
    assert np.isnan(finals["sparsity_0"][1])
    assert np.isnan(finals["sparsity"][1])
    assert np.isnan(finals["weight_norm"][1])


@pytest.mark.parametrize("epochs", [range(2, 5), range(0), range(3, 3)])
def test_summary_epochs_that_were_not_trained_are_refused(epochs: range) -> None:
    with pytest.raises(ValueError, match="is not within 4"):
        _made_up().finals(epochs)


@pytest.mark.parametrize("curve", [name for name in CURVES if name.endswith("loss")])
@pytest.mark.parametrize("lost", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_all_curves_of_its_model(curve: str, lost: float) -> None:
    curves = {name: np.ones((3, 6), np.float32) for name in CURVES}
    curves[curve][1, 2] = lost
    mark_divergence(curves)
    expected = np.zeros((3, 6), bool)
    expected[1, 2:] = True
    for name, values in curves.items():
        assert np.array_equal(np.isnan(values), expected), name
    assert Trained(curves, {}).diverged.tolist() == [False, True, False]


def test_final_numbers_of_a_diverged_seed_are_nan_and_of_the_others_are_not() -> None:
    result = _made_up()
    curves = {name: values.copy() for name, values in result.trained.curves.items()}
    curves["test/loss"][0, 3] = np.inf
    mark_divergence(curves)
    finals = replace(result, trained=Trained(curves, result.trained.parameters)).finals(range(4))
    assert np.isnan(finals["test_accuracy"]).tolist() == [True, False]


def test_an_interval_is_the_one_of_a_worked_example() -> None:
    # 2, 4, 6: mean 4, deviation 2; t(0.975, 2) = 4.302653, half-width 4.302653 · 2 / √3.
    found = interval(np.array([2.0, 4.0, 6.0]))
    assert found.mean == 4
    assert found.std == pytest.approx(2)
    assert found.low == pytest.approx(4 - 4.968275, abs=1e-5)
    assert found.high == pytest.approx(4 + 4.968275, abs=1e-5)


@pytest.mark.parametrize("count", [2, 3, 10, 100])
def test_intervals_are_scipys(count: int) -> None:
    values = np.random.default_rng(count).normal(0.9, 0.05, count)
    low, high = stats.t.interval(
        0.95, count - 1, loc=values.mean(), scale=values.std(ddof=1) / count**0.5
    )
    found = interval(values)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert found.std == pytest.approx(stats.tstd(values), rel=1e-12)


def test_an_interval_covers_the_true_mean_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(0)
    found = [interval(rng.normal(0.5, 0.1, 5)) for _ in range(2000)]
    covered = sum(each.low <= 0.5 <= each.high for each in found)  # type: ignore[operator]
    assert abs(covered / 2000 - 0.95) < 0.02


def test_one_seed_has_a_mean_and_no_spread() -> None:
    assert interval(np.array([0.25])) == Interval(0.25, None, None, None)


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert interval(np.array([0.5, 0.5, 0.5])) == Interval(0.5, 0.0, 0.5, 0.5)


def test_one_lost_value_makes_the_whole_interval_nan() -> None:
    assert np.isnan(np.array(interval(np.array([0.5, np.nan, 0.7])), dtype=float)).all()


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="an interval needs at least one value, got none"):
        interval(np.array([]))
