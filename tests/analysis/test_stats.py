"""Intervals, paired differences and smoothing against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from analysis.stats.seeds import (
    OF_SHARES,
    SHARE,
    estimate,
    estimate_by_epoch,
    moving_average,
    paired_difference,
)
from analysis.stats.unpaired import unpaired_difference


def test_interval_is_students() -> None:
    # 1, 2, 3: mean 2, standard deviation 1, t(0.975, 2 degrees) = 4.302653 from tables.
    found = estimate(np.array([1.0, 2.0, 3.0]))
    assert found.mean == 2.0
    assert found.low == pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-6)
    assert found.high == pytest.approx(2 + 4.302653 / 3**0.5, abs=1e-6)
    assert (found.n, found.diverged) == (3, 0)


def test_diverged_models_are_left_out_and_counted() -> None:
    found = estimate(np.array([1.0, np.nan, 2.0, 3.0]))
    assert found == estimate(np.array([1.0, 2.0, 3.0]))._replace(diverged=1)
    assert estimate(np.array([np.nan, np.nan])) == (None, None, None, 0, 2)


def test_intervals_stay_within_what_is_possible_and_hold_the_truth_as_often() -> None:
    draws = np.random.default_rng(0)
    truth, held = 29 / 30, np.zeros(2)
    for values in draws.binomial(30, truth, (500, 4)) / 30:
        whole, cut = estimate(values), estimate(values, SHARE)
        assert cut.low is not None
        assert cut.high is not None
        assert 0 <= cut.low <= values.mean() <= cut.high <= 1
        held += [found.low <= truth <= found.high for found in (whole, cut)]  # type: ignore[operator]
    assert held[0] == held[1]
    (by_epoch,) = estimate_by_epoch(np.array([[1.0], [0.9]]), SHARE)
    assert by_epoch.high == 1
    two = paired_difference(np.array([1.0, 1.0]), np.array([0.9, 0.1]), OF_SHARES)
    assert (two.low, two.high) == (-1, 1)  # of ± 4.4


def test_no_p_is_0() -> None:
    # t = 10⁵ with 999 degrees of freedom: less than a double can hold.
    values = 1 + 1e-5 * np.tile([-1.0, 1.0], 500)
    found = paired_difference(values, np.zeros(1000))
    assert found.p is not None
    assert found.p > 0


def test_one_model_has_no_interval() -> None:
    assert estimate(np.array([0.5])) == (0.5, None, None, 1, 0)


def test_a_model_that_diverges_late_is_left_out_of_all_epochs() -> None:
    curves = np.array([[0.2, 0.4], [0.4, 0.6], [0.9, np.nan]])
    first, second = estimate_by_epoch(curves)
    assert first.mean == pytest.approx(0.3)
    assert second.mean == pytest.approx(0.5)
    assert first.diverged == second.diverged == 1


def test_paired_difference_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, t = 2 / (1 / √3) = 3.4641 with 2 degrees of freedom, whose
    # two-sided p has the closed form 1 - t / √(2 + t²).
    found = paired_difference(np.array([11.0, 22.0, 33.0]), np.array([10.0, 20.0, 30.0]))
    t = 2 * 3**0.5
    assert found.mean == 2.0
    assert found.low == pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-6)
    assert found.p == pytest.approx(1 - t / (2 + t**2) ** 0.5)
    assert not found.excludes_zero
    assert found.remark == ""


def test_pairing_sees_what_unpaired_intervals_hide() -> None:
    baseline = np.array([0.80, 0.90, 1.00])
    found = paired_difference(baseline + np.array([0.010, 0.011, 0.012]), baseline)
    assert found.excludes_zero
    assert estimate(baseline).high > estimate(baseline + 0.011).low  # type: ignore[operator]


def test_a_pair_needs_both_models() -> None:
    found = paired_difference(np.array([1.0, np.nan, 4.0]), np.array([0.0, 0.0, np.nan]))
    assert (found.mean, found.n, found.p) == (1.0, 1, None)


@pytest.mark.parametrize(
    ("values", "baseline", "mean", "word"),
    [
        ([0.5, 0.7], [0.5, 0.7], 0.0, "all 2 differences are 0"),
        ([0.6, 0.8], [0.5, 0.7], 0.1, "all 2 differences are equal"),
        ([0.6], [0.5], 0.1, "1 pair"),
        ([np.nan], [0.5], None, "no pair"),
    ],
)
def test_degenerate_pairs_have_a_word_and_no_nan(
    values: list[float], baseline: list[float], mean: float | None, word: str
) -> None:
    found = paired_difference(np.array(values), np.array(baseline))
    assert found.mean == pytest.approx(mean)
    assert word in found.remark
    assert found.p is None
    assert not found.excludes_zero
    assert all(part is None or not np.isnan(part) for part in (found.mean, found.low, found.high))


def test_pairs_need_equal_lengths() -> None:
    with pytest.raises(ValueError, match="got 2 and 1"):
        paired_difference(np.array([1.0, 2.0]), np.array([1.0]))


def test_moving_average_is_of_the_last_epochs() -> None:
    found = moving_average(np.array([[1.0, 2.0, 3.0, 5.0], [4.0, 4.0, np.nan, np.nan]]), 2)
    assert found[0] == pytest.approx([1.0, 1.5, 2.5, 4.0])
    assert found[1, :2] == pytest.approx([4.0, 4.0])
    assert np.isnan(found[1, 2:]).all()
    curves = np.random.default_rng(0).random((3, 7))
    assert moving_average(curves, 1) == pytest.approx(curves)
    assert moving_average(curves, 100)[:, -1] == pytest.approx(curves.mean(axis=1))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        moving_average(curves, 0)


def test_groups_without_pairs_have_welchs_interval() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.normal(0.9, 0.02, 30), rng.normal(0.8, 0.06, 12)
    found = unpaired_difference(np.append(one, np.nan), other)
    assert found.mean is not None
    assert found.mean == pytest.approx(one.mean() - other.mean())
    variances = one.var(ddof=1) / 30, other.var(ddof=1) / 12
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / 29 + variances[1] ** 2 / 11)
    half = float(stdtrit(freedom, 0.975)) * sum(variances) ** 0.5
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))
    assert found.n == 30


@pytest.mark.parametrize(
    ("values", "others", "remark"),
    [
        ([np.nan], [0.9], "a group without a model"),
        ([0.8], [0.9, 0.7], "a group of 1 model: no interval"),
        ([0.8, 0.8], [0.9, 0.9], "neither group has a spread: no test"),
    ],
)
def test_groups_that_no_interval_exists_of_have_a_word(
    values: list[float], others: list[float], remark: str
) -> None:
    found = unpaired_difference(np.array(values), np.array(others))
    assert found.remark == remark
    assert not found.excludes_zero
