"""The trend along an axis: by hand, against scipy, and by how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from analysis.stats.seeds import estimate
from analysis.stats.trend import TEST, trend
from support.iris_like import LAST_EPOCH, Floats


def test_two_seeds_by_hand() -> None:
    # Seed 1 rises by 1 for each unit of x, seed 2 by 3: least squares through 0, 1, 3.
    x = np.array([0.0, 1, 3])
    found = trend(x, np.array([[5.0, 1], [6, 4], [8, 10]]), default_rng(0), 99_999)
    slopes = estimate(np.array([1.0, 3.0]))
    assert (found.slope, found.low, found.high) == pytest.approx(slopes[:3])
    # 3! orders for each of 2 seeds: all rising and all falling are 2 of 36.
    assert found.p == pytest.approx(2 / 36, abs=0.003)
    assert found[4:] == (2, TEST, "")


def test_few_seeds_agree_with_scipys_exact_test() -> None:
    values = default_rng(1).normal(size=(4, 5)) + 0.5 * np.arange(4)[:, None]
    one_sided = stats.page_trend_test(values.T, method="exact").pvalue
    found = trend(np.arange(4.0), values, default_rng(2), 99_999)
    assert found.p == pytest.approx(2 * one_sided, abs=0.003)


def test_many_seeds_agree_with_scipys_normal_approximation() -> None:
    values = default_rng(3).normal(size=(6, 50)) + 0.1 * np.arange(6)[:, None]
    one_sided = stats.page_trend_test(values.T, method="asymptotic").pvalue
    assert trend(np.arange(6.0), values, default_rng(0)).p == pytest.approx(2 * one_sided)


def test_shuffled_and_normal_p_agree_among_ties() -> None:
    x, values = np.array([0.0, 0.01, 0.02, 0.05, 0.1]), _tied(default_rng(4), 5, 30)
    values[-1] -= 0.01
    shuffled = trend(x, values[:, :29], default_rng(0)).p
    # The 30th seed is tied all along the axis, so that it says nothing.
    values[:, 29] = 1.0
    assert trend(x, values, default_rng(0)).p == pytest.approx(shuffled, abs=0.02)


def test_ties_that_rounding_breaks_stay_ties() -> None:
    values = _tied(default_rng(8), 5, 40)
    noise = default_rng(9).normal(0, 1e-15, values.shape)
    found, expected = (
        trend(np.arange(5.0), one, default_rng(0)) for one in (values + noise, values)
    )
    assert found.p == expected.p


def test_ranks_find_a_fall_that_is_no_line_and_either_way_is_as_far() -> None:
    x = np.array([0.0, 0.001, 0.01, 0.1])
    values = np.array([1.0, 0.9, 0.89, 0.88])[:, None] + np.zeros(12)
    falling, rising = trend(x, values, default_rng(0)), trend(x, -values, default_rng(0))
    assert falling.slope == pytest.approx(-rising.slope)  # type: ignore[operator]
    assert falling.p == rising.p == pytest.approx(1e-4)
    assert falling.low == pytest.approx(falling.slope)
    assert falling.high == pytest.approx(falling.slope)


def test_the_order_of_the_axis_does_not_matter() -> None:
    x, values = np.array([0.0, 0.01, 0.02, 0.1]), _tied(default_rng(5), 4, 40)
    order = [2, 0, 3, 1]
    found, other = trend(x, values, default_rng(0)), trend(x[order], values[order], default_rng(0))
    assert other[:4] == pytest.approx(found[:4])
    scaled = trend(100 * x, values, default_rng(0))
    assert scaled.slope == pytest.approx(found.slope / 100)  # type: ignore[operator]
    assert scaled.p == found.p


def test_where_nothing_is_tested_a_word_says_why() -> None:
    x, nan, rng = np.array([0.0, 1.0, 2.0]), np.nan, default_rng(0)
    one = trend(x, np.array([[0.0], [1.0], [2.0]]), rng)
    assert one == (1.0, None, None, None, 1, TEST, "1 seed: no interval")
    none = trend(x, np.array([[0.0, nan], [nan, 1.0], [2.0, 2.0]]), rng)
    assert none == (None, None, None, None, 0, TEST, "no seed without divergence")
    point = trend(np.zeros(3), np.zeros((3, 4)), rng)
    assert point == (None, None, None, None, 4, TEST, "1 value on the axis: no trend")
    assert trend(x, np.zeros((3, 0)), rng).remark == "no seed without divergence"
    for flat in (np.full((3, 4), 0.9), 0.1 + 0.2 + 1e-16 * np.arange(12.0).reshape(3, 4)):
        found = trend(x, flat, rng)
        remark = "no seed's values change along the axis: no test"
        assert found == (0.0, 0.0, 0.0, None, 4, TEST, remark)


def test_a_diverged_model_takes_its_seed_out_with_a_word() -> None:
    x, values = np.arange(4.0), default_rng(6).random((4, 10))
    expected = trend(x, values, default_rng(0), 99)
    lost = np.insert(values, 2, [0.0, np.nan, 0.0, 0.0], axis=1)
    found = trend(x, lost, default_rng(0), 99)
    assert found == expected._replace(remark="1 of 11 seeds left out: a model diverged")


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"values must be \(3, S\)"):
        trend(np.arange(3.0), np.zeros((4, 3)), default_rng(0))
    with pytest.raises(ValueError, match="x must be finite, got nan"):
        trend(np.array([0.0, np.nan]), np.zeros((2, 3)), default_rng(0))


def _tied(rng: np.random.Generator, points: int, seeds: int, samples: int | None = None) -> Floats:
    """Accuracies (K, S) that share each seed's split and change along the axis by chance alone."""
    shape = (seeds,) if samples is None else (samples, seeds)
    change = rng.poisson(0.5, (*shape[:-1], points, seeds)) / 30
    return np.asarray(np.expand_dims(LAST_EPOCH.draw(rng, shape), -2) + change)


@pytest.mark.parametrize(("points", "seeds"), [(7, 5), (7, 10), (4, 30), (7, 100)])
def test_without_a_trend_it_finds_one_in_5_percent_of_tied_accuracies(
    points: int, seeds: int
) -> None:
    rng = default_rng(seeds)
    found = [
        trend(np.arange(points, dtype=float), values, rng, 199)
        for values in _tied(rng, points, seeds, 1000)
    ]
    p_values = np.array([one.p for one in found], dtype=float)
    assert 0.035 <= (p_values <= 0.05).mean() <= 0.065  # two standard errors of 1000 samples
    held = np.mean([one.low <= 0 <= one.high for one in found])  # type: ignore[operator]
    assert 0.93 <= held <= 0.97
