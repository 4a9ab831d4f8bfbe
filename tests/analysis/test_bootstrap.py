"""Bootstrap and Wilson intervals: by hand, against scipy and statsmodels, and by their coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.stats.bootstrap import (
    BCA,
    PERCENTILE,
    WILSON,
    Bootstrapped,
    Statistic,
    bootstrap,
    interquartile_mean,
    share,
    wilson,
)
from analysis.stats.seeds import Estimate, estimate
from support.iris_like import LAST_EPOCH, SUMMARY, Floats, Population

STATISTICS: tuple[Statistic, ...] = get_args(Statistic)


def test_interquartile_mean_by_hand() -> None:
    # A quarter of 8 is 2 and of 10, rounded down, 2: 3 to 6 and 3 to 8 are left.
    assert interquartile_mean(np.array([100.0, 2, 3, 4, 5, 6, 7, -50])) == 4.5
    assert interquartile_mean(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 1000])) == 5.5
    assert interquartile_mean(np.array([1.0, np.nan, 4.0])) == 2.5
    with pytest.raises(ValueError, match="at least one finite value"):
        interquartile_mean(np.array([np.nan]))


def test_two_values_by_hand() -> None:
    # A resample of 0 and 1 has a mean of 0, ½ or 1 with chances of ¼, ½ and ¼. There is neither
    # bias nor skewness, so that BCa takes the 2.5th and the 97.5th percentile: 0 and 1.
    found = bootstrap(np.array([0.0, 1.0]), "mean", default_rng(0))
    assert found == (0.5, 0.0, 1.0, 2, 0, BCA)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("n", [7, 30, 101])
def test_bca_agrees_with_scipy(statistic: Statistic, n: int) -> None:
    values = default_rng(n).gamma(2, size=n)
    functions: dict[str, Any] = {"mean": np.mean, "median": np.median, "iqm": _trimmed}
    of = functions[statistic]
    expected = stats.bootstrap((values,), of, method="BCa", rng=default_rng(1))
    found = bootstrap(values, statistic, default_rng(2))
    ends = expected.confidence_interval
    assert found.method == BCA
    assert found.value == pytest.approx(of(values))
    # Both resample by chance.
    tolerance = 0.06 * (ends.high - ends.low)
    assert found.low == pytest.approx(ends.low, abs=tolerance)
    assert found.high == pytest.approx(ends.high, abs=tolerance)


def test_skewness_moves_the_interval() -> None:
    # Without bias and acceleration BCa would be the percentile interval, 8 % of the width away.
    values = default_rng(3).gamma(0.5, size=20)
    expected = stats.bootstrap((values,), np.mean, method="percentile", rng=default_rng(1))
    found = bootstrap(values, "mean", default_rng(2))
    assert found.high is not None
    assert found.low is not None
    assert found.high > expected.confidence_interval.high + 0.08 * (found.high - found.low)


def _trimmed(values: Floats, axis: int = -1) -> Floats:
    return np.asarray(stats.trim_mean(values, 0.25, axis=axis))


@pytest.mark.parametrize("statistic", STATISTICS)
def test_scale_origin_and_order_do_not_matter(statistic: Statistic) -> None:
    values = LAST_EPOCH.draw(default_rng(4), (25,))
    found = bootstrap(values, statistic, default_rng(5), 999)
    other = bootstrap(7 - 1e-5 * values[::-1], statistic, default_rng(5), 999)
    assert found.low is not None
    assert found.high is not None
    assert (other.value - 7) / -1e-5 == pytest.approx(found.value, abs=1e-6)  # type: ignore[operator]
    shuffled = bootstrap(default_rng(6).permutation(values), statistic, default_rng(5), 999)
    assert shuffled[1:] == found[1:]
    assert shuffled.value == pytest.approx(found.value)
    scaled = bootstrap(100 + 30 * values, statistic, default_rng(5), 999)
    assert scaled.low == pytest.approx(100 + 30 * found.low)
    assert scaled.high == pytest.approx(100 + 30 * found.high)
    assert scaled.method == found.method


def test_median_of_tied_values_is_by_percentile() -> None:
    # Leaving out a seed gives 28 or 29, as if the median were a smooth thing: no acceleration.
    tied = np.array([27, 28, 28, 28, 29, 29, 30, 30]) / 30
    found = bootstrap(tied, "median", default_rng(0))
    expected = stats.bootstrap((tied,), np.median, method="percentile", rng=default_rng(0))
    assert found.method == PERCENTILE
    assert found[1:3] == pytest.approx(tuple(expected.confidence_interval))


def test_interquartile_mean_that_no_seed_moves_is_by_percentile() -> None:
    # Whichever seed is left out, the middle half is 29/30: rounding alone would tell them apart.
    values = np.array([0.9, *[29 / 30] * 9, 1.0])
    found = bootstrap(values, "iqm", default_rng(0))
    assert found.method == PERCENTILE
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 29 / 30 <= found.high
    assert bootstrap(values, "mean", default_rng(0)).method == BCA


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize(
    ("values", "value", "n", "diverged", "word"),
    [
        ([], None, 0, 0, "no model without divergence"),
        ([np.nan, np.inf], None, 0, 2, "no model without divergence"),
        ([0.9, np.nan], 0.9, 1, 1, "1 model: no interval"),
        ([0.1 + 0.2, 0.3, np.nan], 0.3, 2, 1, "all 2 values are equal: no interval"),
    ],
)
def test_where_no_interval_exists_a_word_says_why(
    statistic: Statistic,
    values: list[float],
    value: float | None,
    n: int,
    diverged: int,
    word: str,
) -> None:
    found = bootstrap(np.array(values), statistic, default_rng(0))
    assert found.value == pytest.approx(value)
    assert found[1:] == (None, None, n, diverged, word)


def test_diverged_models_are_left_out_and_counted() -> None:
    values = SUMMARY.draw(default_rng(0), (12,))
    expected = bootstrap(values, "mean", default_rng(1), 99)
    found = bootstrap(np.insert(values, 4, np.nan), "mean", default_rng(1), 99)
    assert found == expected._replace(diverged=1)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="mean, median or iqm, got 'mode'"):
        bootstrap(np.array([1.0, 2.0]), "mode", default_rng(0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1, got 0"):
        bootstrap(np.array([1.0, 2.0]), "mean", default_rng(0), 0)
    with pytest.raises(ValueError, match="got 4 of 3"):
        wilson(4, 3)
    with pytest.raises(ValueError, match="got 0 of 0"):
        wilson(0, 0)
    with pytest.raises(ValueError, match=r"of 0 and 1, got 0\.5"):
        share(np.array([0.5, 1.0]))


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 10), (3, 10), (10, 10), (977, 1000)])
def test_wilson_agrees_with_scipy_and_statsmodels(successes: int, n: int) -> None:
    found = wilson(successes, n)
    assert found == pytest.approx(
        tuple(stats.binomtest(successes, n).proportion_ci(method="wilson")), abs=1e-12
    )
    assert found == pytest.approx(proportion_confint(successes, n, method="wilson"), abs=1e-12)


def test_share_of_models() -> None:
    found = share(np.array([1.0, 0.0, 1.0, np.nan]))
    expected: list[object] = [pytest.approx(2 / 3), *wilson(2, 3), 3, 1, WILSON]
    assert list(found) == expected
    assert share(np.array([np.nan])).method == "no model without divergence"


def _coverage(
    population: Population, statistic: Statistic, n: int, samples: int = 900
) -> tuple[float, float]:
    """How often the bootstrap's, and Student's, interval holds the population's statistic."""
    truth = {"mean": population.mean, "median": population.median, "iqm": population.iqm}[statistic]
    rng = default_rng(n)
    drawn = population.draw(rng, (samples, n))
    ours = [bootstrap(values, statistic, rng, 399) for values in drawn]
    students = [estimate(values) for values in drawn]
    return _share_held(truth, ours), _share_held(truth, students)


def _share_held(truth: float, found: Sequence[Bootstrapped | Estimate]) -> float:
    ends = np.array([(one.low, one.high) for one in found], dtype=float)
    return float(((ends[:, 0] <= truth + 1e-9) & (truth - 1e-9 <= ends[:, 1])).mean())


@pytest.mark.parametrize(
    ("population", "statistic", "n"),
    [
        (LAST_EPOCH, "mean", 40),
        (SUMMARY, "mean", 40),
        (LAST_EPOCH, "iqm", 200),
        (SUMMARY, "iqm", 40),
        (SUMMARY, "median", 40),
    ],
)
def test_with_enough_seeds_intervals_hold_the_truth_in_93_to_97_percent(
    population: Population, statistic: Statistic, n: int
) -> None:
    found, student = _coverage(population, statistic, n)
    assert 0.93 <= found <= 0.97
    if statistic == "mean":
        assert 0.93 <= student <= 0.97


@pytest.mark.parametrize("population", [LAST_EPOCH, SUMMARY])
def test_with_ten_seeds_the_bootstrap_of_a_mean_holds_it_less_often_than_students(
    population: Population,
) -> None:
    # What the docstring says: no method makes up for what ten seeds near the ceiling did not show.
    found, student = _coverage(population, "mean", 10)
    assert 0.86 <= found <= 0.92
    assert 0.91 <= student <= 0.95


def test_a_median_on_few_values_is_held_more_often_than_nominal() -> None:
    assert _coverage(LAST_EPOCH, "median", 40, 200)[0] >= 0.97
