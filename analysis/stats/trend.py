"""Whether values rise or fall along an axis all points of which have the same seeds.

Dimension letters: K points of the axis, S seeds, R resamples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata

from analysis.stats.seeds import ROUNDING
from trainables.result import Array, interval

TEST = "Page's trend test"
_BLOCK = 500_000  # ranks shuffled at a time
_MANY = 30  # seeds from which on the sum over them is as good as normal


class Trend(NamedTuple):
    """How values change along an axis.

    `slope`: per unit of x, the mean over seeds of each seed's least-squares slope, with the 95 % t
    interval over seeds. `p`: two-sided, of `test`, which looks at ranks: it finds a rise or fall
    that is no straight line. Its hypothesis is that x changes nothing at all. What does not exist
    is None, and `remark` says why; it also counts the seeds left out. `n`: seeds.
    """

    slope: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    test: str
    remark: str


def trend(x: Array, values: Array, rng: np.random.Generator, resamples: int = 9999) -> Trend:
    """Trend of `values` (K, S) along `x` (K,), where column s of all rows is the same seed.

    A seed with NaN, a model that diverged, at any x is left out. For an axis that is read on a log
    scale give the logarithm as x: the slope is then per decade (log10), the p the same.
    `resamples`: random orders for p with fewer than 30 seeds.
    """
    x, values = np.asarray(x, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or values.ndim != 2 or len(values) != len(x):
        raise ValueError(f"values must be ({len(x)}, S) for x {x.shape}, got {values.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"x must be finite, got {x[~np.isfinite(x)][0]}")
    kept = values[:, np.isfinite(values).all(axis=0)]
    n, lost = kept.shape[1], values.shape[1] - kept.shape[1]
    left_out = f"{lost} of {n + lost} seeds left out: a model diverged" if lost else ""
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
        remark = "no seed's values change along the axis: no test"
        return Trend(0.0, 0.0, 0.0, None, n, TEST, remark)
    found, p = interval(slopes), _page_p(x, kept, rng, resamples)
    return Trend(slope, found.low, found.high, p, n, TEST, left_out)


def _page_p(x: Array, values: Array, rng: np.random.Generator, resamples: int) -> float:
    """Two-sided p of Page's statistic when each seed's `values` (K, S) fall on x in any order.

    Page (1963), "Ordered hypotheses for multiple treatments". Own code: scipy's page_trend_test is
    one-sided and supposes no ties, of which accuracies are full. Ties take their mean rank and
    enter the variance; with fewer than 30 seeds p is from random orders, the seen one added.
    """
    # Equal accuracies can differ by rounding.
    smallest = ROUNDING * max(1.0, float(np.abs(values).max()))
    ranks = rankdata(np.round(values / smallest), axis=0) - (len(x) + 1) / 2
    places = rankdata(x) - (len(x) + 1) / 2
    seen = abs(float((places @ ranks).sum()))
    seeds = ranks.shape[1]
    if seeds >= _MANY:
        variance = float((places @ places) * (ranks**2).sum()) / (len(x) - 1)
        return 2 * float(ndtr(-seen / variance**0.5)) if variance else 1.0
    as_far = 1
    step = max(1, _BLOCK // ranks.size)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        orders = rng.permuted(np.broadcast_to(ranks.T, (rows, *ranks.T.shape)), axis=2)
        # Sums of products of half ranks are exact in float64 up to this.
        as_far += int((np.abs((orders @ places).sum(axis=1)) >= seen - 1e-6).sum())
    return as_far / (resamples + 1)
