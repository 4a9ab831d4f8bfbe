"""Two configurations seed by seed: tests, effect size, chance of improvement, seeds needed.

Dimension letters: S seeds, R choices of signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, gammaln, nctdtr, stdtr, stdtrit
from scipy.stats import rankdata, wilcoxon

from analysis.stats.bootstrap import score_interval
from analysis.stats.seeds import (
    ANY,
    LEAST_P,
    ROUNDING,
    Bounds,
    Difference,
    paired_difference,
)
from trainables.result import Array

MOST_SEEDS = 100_000  # `smallest_n` looks no further
_POWER = 0.8
_ALL_SIGNS = 12  # pairs up to which every choice of signs is tried, 4096 of them
_BLOCK = 1_000_000  # signs drawn at a time


class Paired(NamedTuple):
    """A configuration minus the baseline, seed by seed. What does not exist is None.

    `difference`: Student's paired t, for other seeds on these rows. `corrected`: the same mean with
    Nadeau and Bengio's variance, for other rows of this kind; `remark` there where it has none.
    `wilcoxon_p`: signed ranks; `permutation_p`: signs of the differences flipped; both two-sided.
    Signed ranks test that differences are symmetric about 0, not that their mean is 0: exponential
    ones with a mean of 0 have p < 0.05 in 17 % of studies of 30 pairs and in 79 % of 300; by signs
    flipped it is 6 and 5 %, by Student's t 7 and 6 % (2,000 studies each).
    `effect_size`: mean difference in standard deviations of the differences (Cohen's d_z) with
    Hedges' correction. `improvement`: the chance that a seed is better than with the baseline, ties
    counted half, and its 95 % score interval (Wilson's, narrower by the ties). `smallest_n`: pairs
    that would have shown the difference; `remark`: why something is missing.
    """

    difference: Difference
    corrected: Difference
    wilcoxon_p: float | None
    permutation_p: float | None
    effect_size: float | None
    improvement: tuple[float, float, float] | None
    smallest_n: int | None
    remark: str


def compare_paired(
    values: Array,
    baseline: Array,
    test_to_train: float | None,
    rng: np.random.Generator,
    resamples: int = 9999,
    within: Bounds = ANY,
) -> Paired:
    """`values` (S,) against `baseline` (S,), where index i of both is the same seed.

    A pair with NaN, a model that diverged, is left out. `test_to_train`: rows of test divided by
    rows of train; None where all seeds share one split, which says nothing of other rows.
    `resamples`: choices of signs for `permutation_p` with more than 12 pairs. `within`: what a
    difference can be; no interval goes beyond.
    """
    difference = paired_difference(values, baseline, within)
    differences = np.asarray(values, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    differences = differences[np.isfinite(differences)]
    # Equal differences of shares k/30 differ by rounding, which would break their ties.
    differences = np.round(differences, 12)
    corrected = _corrected(difference, differences, test_to_train).cut_to(within)
    if difference.n < 2:
        return Paired(difference, corrected, None, None, None, None, None, difference.remark)
    remark, effect = difference.remark, _effect_size(differences)
    if effect is None and not remark:
        remark = "2 pairs: no effect size"
    return Paired(
        difference,
        corrected,
        _wilcoxon_p(differences),
        _sign_flip_p(differences, rng, resamples),
        effect,
        _improvement(differences),
        None if effect is None else smallest_n(effect),
        remark,
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """`p_values` raised so that all of them together are wrong in 5 % at most when below 0.05.

    None, where no test exists, stays None and does not count. Source: Holm (1979), "A simple
    sequentially rejective multiple test procedure"; scipy has only procedures for the share of
    false findings.
    """
    tested = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    if not all(0 <= p <= 1 for p, _ in tested):
        raise ValueError(f"p values must be from 0 to 1, got {[p for p, _ in tested]}")
    adjusted: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, index) in enumerate(tested):
        reached = max(reached, min(1.0, (len(tested) - rank) * p))
        adjusted[index] = reached
    return adjusted


def smallest_n(effect_size: float, level: float = 0.05) -> int | None:
    """Pairs with which a paired t-test, two-sided at `level`, finds that effect size (d_z) in 80 %.

    None for more than 100,000, or no effect. From an observed effect it is an estimate after the
    fact, as uncertain as the effect: good for planning the next sweep, no evidence on this one.
    Source: Cohen (1988), "Statistical power analysis", with the noncentral t instead of his tables.
    """
    if effect_size == 0 or not np.isfinite(effect_size):
        return None
    enough = 2
    while _power(effect_size, enough, level) < _POWER:
        if enough >= MOST_SEEDS:
            return None
        enough = min(2 * enough, MOST_SEEDS)
    too_few = 1
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _power(effect_size, middle, level) < _POWER:
            too_few = middle
        else:
            enough = middle
    return enough


def _power(effect_size: float, n: int, level: float) -> float:
    critical = stdtrit(n - 1, 1 - level / 2)
    shift = abs(effect_size) * n**0.5
    if shift > 30:  # the noncentral t is NaN for some from here on: only the spread is left to vary
        return float(chdtr(n - 1, (n - 1) * (shift / critical) ** 2))
    other_side = nctdtr(n - 1, shift, -critical)  # NaN where it is next to nothing
    return float(1 - nctdtr(n - 1, shift, critical) + np.nan_to_num(other_side))


def _corrected(
    difference: Difference, differences: Array, test_to_train: float | None
) -> Difference:
    """Nadeau and Bengio (2003), "Inference for the generalization error": variance of the mean.

    Splits of the same rows overlap, so more seeds do not bring the variance below
    test_to_train · s². With n pairs it is (1/n + test_to_train) · s² instead of s²/n.
    """
    n, mean = difference.n, difference.mean
    if mean is None or difference.p is None:
        return difference
    if test_to_train is None:
        return Difference(mean, None, None, n, None, "one split: nothing on other rows")
    if not test_to_train > 0:
        raise ValueError(f"test_to_train must be above 0, got {test_to_train}")
    error = float(differences.std(ddof=1)) * (1 / n + test_to_train) ** 0.5
    half = float(stdtrit(n - 1, 0.975)) * error
    p = max(LEAST_P, 2 * float(stdtr(n - 1, -abs(mean) / error)))
    return Difference(mean, mean - half, mean + half, n, p, "")


def _effect_size(differences: Array) -> float | None:
    """Cohen (1988), d_z, times the exact correction of Hedges (1981), which 2 pairs lack."""
    n = len(differences)
    if n < 3 or np.ptp(differences) < ROUNDING:
        return None
    half = (n - 1) / 2
    correction = float(np.exp(gammaln(half) - gammaln(half - 0.5))) / half**0.5
    return float(correction * differences.mean() / differences.std(ddof=1))


def _wilcoxon_p(differences: Array) -> float | None:
    """Signed ranks with zeros ranked and then left out (Pratt 1959) and ties at their mean rank.

    Up to 12 pairs exact over all signs: scipy's own exact distribution holds without ties alone,
    and its permutation takes seconds. Beyond, scipy's normal approximation, corrected for ties.
    """
    if not differences.any():
        return None
    if len(differences) > _ALL_SIGNS:
        found = wilcoxon(differences, zero_method="pratt", method="asymptotic")
        return max(LEAST_P, float(found.pvalue))
    ranks = rankdata(np.abs(differences)) * np.sign(differences)
    return float(_as_far(ranks, _all_signs(len(ranks))).mean())


def _sign_flip_p(differences: Array, rng: np.random.Generator, resamples: int) -> float | None:
    """How many choices of signs give a mean at least as far from 0 (Fisher 1935).

    Up to 12 pairs all 2ⁿ, else random ones with the seen one added (Phipson and Smyth 2010). Own
    code: scipy.stats.permutation_test shuffles and copies, 20 times slower with 1,000 seeds.
    """
    n = len(differences)
    if not differences.any():
        return None
    if n <= _ALL_SIGNS:
        return float(_as_far(differences, _all_signs(n)).mean())
    as_far = 1
    step = max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        signs = np.unpackbits(rng.integers(0, 256, (rows, -(-n // 8)), dtype=np.uint8), axis=1)
        as_far += int(_as_far(differences, signs[:, :n]).sum())
    return as_far / (resamples + 1)


def _as_far(scores: Array, positive: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(R,): whether the scores' (S,) sum with signs `positive` (R, S) is as far from 0 as seen."""
    sizes = np.abs(scores)
    sums = 2 * (positive.astype(np.float64) @ sizes) - sizes.sum()
    # Within rounding of the seen sum counts as equal to it.
    return np.asarray(np.abs(sums) >= abs(scores.sum()) - 1e-9 * sizes.sum())


@cache
def _all_signs(n: int) -> NDArray[np.uint8]:
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.uint8)


def _improvement(differences: Array) -> tuple[float, float, float]:
    """Share of pairs above 0 and half of those at 0, with its score interval.

    Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice",
    in pairs. Ties lessen its variance. Their share is an estimate too: its lower Wilson bound.
    """
    n = len(differences)
    ties = float((differences == 0).mean())
    chance = float((differences > 0).mean()) + ties / 2
    low, high = score_interval(chance, n, score_interval(ties, n)[0])
    return chance, low, high
