"""Statistics over seeds: intervals, differences to a baseline in pairs, smoothing.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from scipy.stats import ttest_rel

from trainables.result import Array, interval

METHOD = "95 % t interval"
ROUNDING = 1e-12  # differences of accuracies that spread less than this are equal
SMOOTHING = 10  # epochs of moving averages, as in the lesson
LEAST_P = float(np.finfo(np.float64).tiny)  # smaller p are this: none is 0

# What a quantity can be. An interval cut to it holds the truth exactly as often as before.
Bounds = tuple[float, float]
ANY: Bounds = (-inf, inf)
POSITIVE: Bounds = (0.0, inf)
SHARE: Bounds = (0.0, 1.0)
OF_SHARES: Bounds = (-1.0, 1.0)  # a difference of two shares


class Estimate(NamedTuple):
    """A mean over the models that did not diverge, with its interval (`METHOD`).

    `mean` is None when no model is left, `low` and `high` are None with fewer than two.
    `n`: models that the mean is of; `diverged`: models left out.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    diverged: int


def estimate(values: Array, within: Bounds = ANY) -> Estimate:
    """Mean and interval of `values` (S,), where NaN stands for a model that diverged.

    The interval does not go beyond what is possible, `within`.
    """
    finite = values[np.isfinite(values)]
    diverged = len(values) - len(finite)
    if len(finite) == 0:
        return Estimate(None, None, None, 0, diverged)
    found = interval(finite)
    low, high = cut(found.low, within), cut(found.high, within)
    return Estimate(found.mean, low, high, len(finite), diverged)


def cut(bound: float | None, within: Bounds) -> float | None:
    """The bound of an interval, or the nearest that is possible."""
    return None if bound is None else min(max(bound, within[0]), within[1])


def estimate_by_epoch(curves: Array, within: Bounds = ANY) -> list[Estimate]:
    """Mean and interval at each epoch of `curves` (S, E), none beyond `within`.

    A model that diverges at any epoch is left out of all, so that a line's epochs are means of the
    same models and differ by training alone.
    """
    kept = np.isfinite(curves).all(axis=1)
    return [estimate(np.where(kept, column, np.nan), within) for column in curves.T]


class Difference(NamedTuple):
    """A configuration minus the baseline, seed by seed.

    `n`: pairs of which both models are there. `low`, `high` (95 % t interval of the mean
    difference) and `p` (two-sided paired t-test) are None where they do not exist; `remark` then
    says why. `p` supposes independent seeds and one comparison. `half`: half of the interval before
    it was cut to what is possible; None where it was not.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    p: float | None
    remark: str
    half: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out 0; False where no test exists."""
        if self.p is None or self.low is None or self.high is None:
            return False
        return not self.low <= 0 <= self.high

    @property
    def half_width(self) -> float | None:
        """Half of the t interval, uncut, which its standard error follows from."""
        if self.half is not None or self.low is None or self.high is None:
            return self.half
        return (self.high - self.low) / 2

    def cut_to(self, within: Bounds) -> Difference:
        """The same with an interval that does not go beyond what is possible, `within`."""
        low, high = cut(self.low, within), cut(self.high, within)
        if (low, high) == (self.low, self.high):
            return self
        return self._replace(low=low, high=high, half=self.half_width)


def paired_difference(values: Array, baseline: Array, within: Bounds = ANY) -> Difference:
    """`values` (S,) minus `baseline` (S,), where index i of both is the same seed.

    The interval does not go beyond what is possible, `within`.
    """
    if len(values) != len(baseline):
        raise ValueError(f"pairs need equal lengths, got {len(values)} and {len(baseline)}")
    both = np.isfinite(values) & np.isfinite(baseline)
    values, baseline = values[both], baseline[both]
    differences = values - baseline
    n = len(differences)
    if n == 0:
        return Difference(None, None, None, 0, None, "no pair without divergence")
    mean = float(differences.mean())
    if n == 1:
        return Difference(mean, None, None, 1, None, "1 pair: no interval")
    if np.ptp(differences) < ROUNDING:
        remark = f"all {n} differences are {'0' if abs(mean) < ROUNDING else 'equal'}: no test"
        return Difference(mean, mean, mean, n, None, remark)
    found = interval(differences)
    p = max(LEAST_P, float(ttest_rel(values, baseline).pvalue))
    return Difference(mean, found.low, found.high, n, p, "").cut_to(within)


def moving_average(curves: Array, width: int) -> Array:
    """(S, E): at each epoch the mean of the last `width` epochs of `curves` (S, E).

    The first `width` - 1 epochs average those that there are. NaN stays within its own model.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    epochs = np.arange(curves.shape[1])
    sums = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(curves, axis=1)], axis=1)
    first = np.maximum(epochs - width + 1, 0)
    means: Array = (sums[:, epochs + 1] - sums[:, first]) / (epochs + 1 - first)
    return means
