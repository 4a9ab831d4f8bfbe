"""Interval widths and rankings of resampled seeds: by hand and against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from analysis.stats.resamples import half_width_by_n, rank_stability
from support.iris_like import SUMMARY


def test_half_widths_shrink_as_students_interval_of_that_spread() -> None:
    values = default_rng(0).normal(10, 2, 1000)
    found = half_width_by_n(values, [5, 20, 100, 1000], default_rng(1), 1000)
    for one, n in zip(found, [5, 20, 100, 1000], strict=True):
        # The mean of a sample's standard deviation is a little below the spread.
        expected = stats.t.ppf(0.975, n - 1) * values.std() / n**0.5 * (1 - 1 / (4 * n))
        assert one.n == n
        assert one.half_width == pytest.approx(expected, rel=0.03)
        assert 0.93 <= one.coverage <= 0.97


def test_few_seeds_near_the_ceiling_cover_less_and_say_so() -> None:
    few, many = half_width_by_n(SUMMARY.draw(default_rng(2), (1000,)), [5, 200], default_rng(3))
    assert few.coverage < 0.93 < many.coverage


def test_diverged_models_are_left_out_and_equal_ones_have_no_width() -> None:
    expected = half_width_by_n(np.array([1.0, 2.0, 4.0]), [2], default_rng(0))
    assert half_width_by_n(np.array([1.0, np.nan, 2, 4]), [2], default_rng(0)) == expected
    assert half_width_by_n(np.full(9, 0.3), [4], default_rng(0)) == ((4, 0.0, 1.0),)
    with pytest.raises(ValueError, match="at least 2 finite values, got 1"):
        half_width_by_n(np.array([1.0, np.nan]), [2], default_rng(0))
    with pytest.raises(ValueError, match="at least 2 seeds, got 1"):
        half_width_by_n(np.array([1.0, 2.0]), [1], default_rng(0))


def test_ranking_of_one_seed_by_hand() -> None:
    # Of four seeds the first wins two and shares a third, which the second shares and wins one.
    values = np.array([[3.0, 3, 1, 0], [1, 2, 1, 5], [0, 0, 0, 0]])
    found = rank_stability(values, 1, default_rng(0), 40_000)
    assert found == pytest.approx([2.5 / 4, 1.5 / 4, 0], abs=0.01)


def test_seeds_are_resampled_in_pairs() -> None:
    # The second is better on every seed by less than seeds differ: it always wins.
    seeds = default_rng(1).normal(size=50)
    found = rank_stability(np.stack([seeds, seeds + 1e-3]), 3, default_rng(2), 2000)
    assert found.tolist() == [0, 1]


def test_ties_are_shared_and_more_seeds_decide() -> None:
    accuracies = SUMMARY.draw(default_rng(3), (60,))
    assert rank_stability(np.stack([accuracies] * 3), 10, default_rng(4)) == pytest.approx(1 / 3)
    values = np.stack([accuracies, default_rng(5).permutation(accuracies) + 0.01])
    few, many = (rank_stability(values, n, default_rng(6))[1] for n in (2, 200))
    assert 0.5 < few < many
    assert many > 0.95


def test_diverged_models_take_their_seeds_out() -> None:
    values = np.array([[1.0, np.nan, 0.0], [0.0, 5.0, 1.0], [np.nan] * 3])
    found = rank_stability(values, 1, default_rng(7), 40_000)
    assert found == pytest.approx([0.5, 0.5, 0], abs=0.02)
    for lost in (np.full((2, 3), np.nan), np.array([[1.0, np.nan], [np.nan, 1.0]])):
        with pytest.raises(ValueError, match="at least one seed of which no model diverged"):
            rank_stability(lost, 1, default_rng(0))
    with pytest.raises(ValueError, match="at least 1 seed, got 0"):
        rank_stability(values, 0, default_rng(0))
