"""Two groups of models that share no seed: their difference, without pairs."""

from __future__ import annotations

import numpy as np
from scipy.stats import ttest_ind

from analysis.stats.seeds import ANY, LEAST_P, ROUNDING, Bounds, Difference, cut
from trainables.result import Array

UNPAIRED = "95 % Welch interval"


def unpaired_difference(values: Array, others: Array, within: Bounds = ANY) -> Difference:
    """The mean of `values` (S,) minus that of `others` (T,), NaN left out in each.

    `n`: of `values`. The interval does not go beyond what is possible, `within`. Source: Welch
    (1947), "The generalization of Student's problem when several different population variances
    are involved".
    """
    values, others = (one[np.isfinite(one)].astype(np.float64) for one in (values, others))
    n = len(values)
    if not n or not len(others):
        return Difference(None, None, None, n, None, "a group without a model")
    mean = float(values.mean() - others.mean())
    if min(n, len(others)) < 2:
        return Difference(mean, None, None, n, None, "a group of 1 model: no interval")
    if max(np.ptp(values), np.ptp(others)) < ROUNDING:
        return Difference(mean, mean, mean, n, None, "neither group has a spread: no test")
    found = ttest_ind(values, others, equal_var=False)
    low, high = found.confidence_interval(0.95)
    p = max(LEAST_P, float(found.pvalue))
    return Difference(mean, cut(float(low), within), cut(float(high), within), n, p, "")
