"""Equivalence is claimed exactly where two one-sided tests show it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.stats import ttest_1samp
from statsmodels.stats.weightstats import ttost_paired

from analysis.stats.equivalence import beyond_margin, short_of, within_margin
from analysis.stats.seeds import Difference, paired_difference

ZERO = np.zeros


@pytest.mark.parametrize("share", [0.5, 0.98, 1.02, 2.0])
def test_equivalence_agrees_with_statsmodels(share: float) -> None:
    values, baseline = default_rng(2).normal(size=(2, 30)) + np.array([[0.1], [0.0]])
    found = paired_difference(values, baseline)
    # The smallest margin is where the 90 % interval ends: t(0.95, 29 degrees) = 1.699127.
    error = (values - baseline).std(ddof=1) / 30**0.5
    margin = share * (abs(float(found.mean)) + 1.699127 * error)  # type: ignore[arg-type]
    p = within_margin(found, 0, margin)
    assert (p < 0.05) == (share > 1)
    assert p == pytest.approx(ttost_paired(values, baseline, -margin, margin)[0])


def test_equivalence_needs_a_test_or_five_equal_pairs() -> None:
    assert not within_margin(paired_difference(ZERO(4), ZERO(4)), 0, 0.01) < 0.05
    assert within_margin(paired_difference(ZERO(5), ZERO(5)), 0, 0.01) < 0.05
    assert not within_margin(paired_difference(ZERO(5) + 0.02, ZERO(5)), 0, 0.01) < 0.05
    assert not within_margin(paired_difference(ZERO(1), ZERO(1)), 0, 0.01) < 0.05
    assert not within_margin(Difference(None, None, None, 0, None, "no pair"), 0, 0.01) < 0.05
    with pytest.raises(ValueError, match="margin must be above 0, got 0"):
        within_margin(paired_difference(ZERO(5), ZERO(5)), 0, 0)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("mean", [-2.0, 0.0, 0.4])
def test_to_fall_short_of_a_distance_agrees_with_scipys_one_sided_test(
    side: int, mean: float
) -> None:
    values = side * mean + default_rng(3).normal(size=40)
    found = paired_difference(values, ZERO(40))
    expected = ttest_1samp(side * values, 0.5, alternative="less").pvalue
    assert short_of(found, 0, side, 0.5) == pytest.approx(expected)
    with pytest.raises(ValueError, match="distance must be above 0, got 0"):
        short_of(found, 0, side, 0)


def test_an_interval_that_was_cut_gives_the_same_p() -> None:
    values = np.array([0.9, -0.2, 1.0])
    whole, cut = (paired_difference(values, ZERO(3), *bounds) for bounds in ((), ((-1, 1),)))
    assert whole.high is not None
    assert whole.high > 1
    assert cut.high == 1
    for test in (within_margin, beyond_margin):
        assert test(cut, 0, 0.8) == test(whole, 0, 0.8)
    assert short_of(cut, 0, 1, 0.8) == short_of(whole, 0, 1, 0.8)
