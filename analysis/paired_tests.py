"""Two configurations seed by seed: tests, effect size, chance of improvement, seeds needed.

Dimension letter: S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, stdtrit
from scipy.stats import nct, rankdata, ttest_1samp, wilcoxon

from analysis.bootstrap import score_interval
from analysis.stats import ROUNDING, Difference, paired_difference
from trainables.result import Array

MOST_SEEDS = 100_000
_ENUMERATED = 12  # pairs up to which all 2ⁿ signs are tried: 4096
_RESAMPLES = 9999
_BLOCK = 1_000_000
_FEWEST_EQUAL = 5  # ½⁵ < 5 %


class Paired(NamedTuple):
    """A configuration minus the baseline, seed by seed; index i of both is the same seed."""

    difference: Difference
    corrected: Difference
    wilcoxon_p: float | None
    permutation_p: float | None
    effect_size: float | None
    improvement: tuple[float, float, float] | None
    smallest_n: int | None
    remark: str


def compare_paired(
    values: Array, baseline: Array, test_to_train: float | None, rng: np.random.Generator
) -> Paired:
    """`values` (S,) against `baseline` (S,)."""
    difference = paired_difference(values, baseline)
    differences = np.asarray(values, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    differences = np.round(differences[np.isfinite(differences)], 12)
    corrected = _corrected(difference, differences, test_to_train)
    if difference.n < 2:
        return Paired(difference, corrected, None, None, None, None, None, difference.remark)
    effect = _effect_size(differences)
    return Paired(
        difference,
        corrected,
        _wilcoxon(differences),
        _sign_flip_p(differences, rng),
        effect,
        _improvement(differences),
        None if effect is None else smallest_n(effect),
        difference.remark,
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p values adjusted for being several; None stays None and counts as no test."""
    tested = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, index) in enumerate(tested):
        reached = max(reached, min(1.0, (len(tested) - rank) * p))
        adjusted[index] = reached
    return adjusted


def equivalent(difference: Difference, margin: float) -> bool:
    """Whether the difference is shown to lie within ±`margin` (two one-sided tests at 5 %)."""
    if not margin > 0:
        raise ValueError(f"margin must be above 0, got {margin}")
    if difference.mean is None or difference.low is None or difference.high is None:
        return False
    if difference.p is None:
        return difference.n >= _FEWEST_EQUAL and abs(difference.mean) < margin
    degrees = difference.n - 1
    half = (difference.high - difference.low) / 2
    half *= float(stdtrit(degrees, 0.95) / stdtrit(degrees, 0.975))
    return abs(difference.mean) + half < margin


def smallest_n(effect_size: float) -> int | None:
    """Pairs with which a paired t-test at 5 %, two-sided, finds that effect with 80 % power."""
    if effect_size == 0 or not np.isfinite(effect_size):
        return None
    enough = 2
    while _power(effect_size, enough) < 0.8:
        if enough >= MOST_SEEDS:
            return None
        enough = min(2 * enough, MOST_SEEDS)
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _power(effect_size, middle) < 0.8:
            too_few = middle
        else:
            enough = middle
    return enough


def _power(effect_size: float, n: int) -> float:
    critical = stdtrit(n - 1, 0.975)
    shift = abs(effect_size) * n**0.5
    return float(nct.sf(critical, n - 1, shift) + nct.cdf(-critical, n - 1, shift))


def _corrected(
    difference: Difference, differences: Array, test_to_train: float | None
) -> Difference:
    n, mean = difference.n, difference.mean
    if mean is None or difference.p is None:
        return difference
    if test_to_train is None:
        return Difference(mean, None, None, n, None, "one split: no statement on other rows")
    spread = float(differences.std(ddof=1)) * (1 / n + test_to_train) ** 0.5
    half = float(stdtrit(n - 1, 0.975)) * spread
    p = float(ttest_1samp(differences, 0).pvalue)
    from scipy.special import stdtr

    p = 2 * float(stdtr(n - 1, -abs(mean) / spread))
    return Difference(mean, mean - half, mean + half, n, p, "")


def _effect_size(differences: Array) -> float | None:
    n = len(differences)
    if n < 3 or np.ptp(differences) < ROUNDING:
        return None
    half = (n - 1) / 2
    correction = np.exp(gammaln(half) - gammaln(half - 0.5)) / half**0.5
    return float(correction * differences.mean() / differences.std(ddof=1))


def _wilcoxon(differences: Array) -> float | None:
    if not differences.any():
        return None
    if len(differences) > _ENUMERATED:
        return float(wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue)
    ranks = rankdata(np.abs(differences)) * np.sign(differences)
    return _share_as_far(ranks, _all_signs(len(ranks)))


def _sign_flip_p(differences: Array, rng: np.random.Generator) -> float | None:
    if not differences.any():
        return None
    n = len(differences)
    if n <= _ENUMERATED:
        return _share_as_far(differences, _all_signs(n))
    as_far, done = 0.0, 0
    while done < _RESAMPLES:
        rows = min(max(1, _BLOCK // n), _RESAMPLES - done)
        signs = rng.integers(0, 2, (rows, n), dtype=np.int8)
        as_far += _share_as_far(differences, signs) * rows
        done += rows
    return (as_far + 1) / (_RESAMPLES + 1)


def _share_as_far(scores: Array, positive: np.ndarray) -> float:
    seen = abs(float(scores.sum()))
    size = np.abs(scores)
    sums = 2 * (positive @ size) - size.sum()
    return float((np.abs(sums) >= seen - 1e-9 * size.sum()).mean())


def _all_signs(n: int) -> np.ndarray:
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def _improvement(differences: Array) -> tuple[float, float, float]:
    n = len(differences)
    share = float(((differences > 0).sum() + (differences == 0).sum() / 2) / n)
    return (share, *score_interval(share, n))
