"""Whether values rise or fall along an axis, when all its points have the same seeds.

Dimension letters: K points of the axis, S seeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata

from analysis.stats import ROUNDING
from trainables.result import Array, interval

TEST = "Page's trend test"
_RESAMPLES = 9999
_ENOUGH = 30  # seeds from which the sum over them is normal enough


class Trend(NamedTuple):
    """Slope per unit of x, mean over seeds, with its 95 % t interval; p two-sided."""

    slope: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    test: str
    remark: str


def trend(x: Array, values: Array, rng: np.random.Generator) -> Trend:
    """Trend of `values` (K, S) along `x` (K,), where column s of all rows is the same seed."""
    x, values = np.asarray(x, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if values.shape[:1] != x.shape or values.ndim != 2:
        raise ValueError(f"values must be ({len(x)}, S), got {values.shape}")
    kept = values[:, np.isfinite(values).all(axis=0)]
    n = kept.shape[1]
    if len(np.unique(x)) < 2:
        return Trend(None, None, None, None, n, TEST, "1 value on the axis: no trend")
    if n == 0:
        return Trend(None, None, None, None, 0, TEST, "no seed without divergence")
    centred = x - x.mean()
    slopes = centred @ kept / (centred @ centred)
    slope = float(slopes.mean())
    if n == 1:
        return Trend(slope, None, None, None, 1, TEST, "1 seed: no interval")
    if np.ptp(kept, axis=0).max() < ROUNDING:
        return Trend(0.0, 0.0, 0.0, None, n, TEST, "all values are equal: no test")
    found = interval(slopes)
    return Trend(slope, found.low, found.high, _page_p(x, kept, rng), n, TEST, "")


def _page_p(x: Array, values: Array, rng: np.random.Generator) -> float:
    """Two-sided p of Page's statistic over permutations within each seed; `values` (K, S)."""
    places = rankdata(x) - (len(x) + 1) / 2
    ranks = rankdata(np.round(values, 12), axis=0) - (len(x) + 1) / 2
    seen = abs(float((places @ ranks).sum()))
    if ranks.shape[1] >= _ENOUGH:
        variance = (places @ places) * (ranks**2).sum() / (len(x) - 1)
        return float(2 * ndtr(-seen / variance**0.5))
    sums = np.empty(_RESAMPLES)
    for start in range(0, _RESAMPLES, 1000):
        rows = min(1000, _RESAMPLES - start)
        shuffled = rng.permuted(np.broadcast_to(ranks, (rows, *ranks.shape)), axis=1)
        sums[start : start + rows] = np.einsum("k,rks->r", places, shuffled)
    return float(((np.abs(sums) >= seen - 1e-9).sum() + 1) / (_RESAMPLES + 1))
