"""Intervals that suppose no normal distribution: bootstrap over seeds, Wilson's for shares.

Dimension letter: S seeds.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import DegenerateDataWarning, trim_mean
from scipy.stats import bootstrap as resample

from analysis.stats import ROUNDING
from trainables.result import Array

Statistic = Literal["mean", "median", "iqm"]

BCA = "BCa bootstrap"
PERCENTILE = "percentile bootstrap (ties)"
_BLOCK = 1_000_000  # numbers drawn at a time: 8 MB, however many resamples are asked for
_DIGITS = 12  # of numbers scaled to 0 … 1: what differs by less is rounding


class Bootstrapped(NamedTuple):
    """A statistic of the models that did not diverge, with its 95 % interval.

    `value` is None when no model is left; `low` and `high` are None where no interval exists, and
    `method` then says why. `n`: models that the statistic is of; `diverged`: models left out.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    diverged: int
    method: str


def interquartile_mean(values: Array) -> float:
    """Mean of `values` (S,) without the lowest and the highest quarter, each rounded down.

    NaN (a diverged model) is left out. Source: Agarwal et al. (2021), "Deep reinforcement learning
    at the edge of the statistical precipice".
    """
    finite = _finite(values)
    if len(finite) == 0:
        raise ValueError("an interquartile mean needs at least one finite value, got none")
    return float(trim_mean(finite, 0.25))


def bootstrap(
    values: Array, statistic: Statistic, rng: np.random.Generator, resamples: int = 9999
) -> Bootstrapped:
    """The statistic of `values` (S,), where NaN stands for a model that diverged, and its interval.

    Source: Efron (1987), "Better bootstrap confidence intervals".
    """
    if statistic not in ("mean", "median", "iqm"):
        raise ValueError(f"statistic must be mean, median or iqm, got {statistic!r}")
    finite = _finite(values)
    n, diverged = len(finite), len(values) - len(finite)
    if n == 0:
        return Bootstrapped(None, None, None, 0, diverged, "no model without divergence")
    value = float(_statistic(statistic, finite, axis=0))
    if n == 1:
        return Bootstrapped(value, None, None, 1, diverged, "1 model: no interval")
    lowest, span = float(finite.min()), float(np.ptp(finite))
    if span < ROUNDING:
        remark = f"all {n} values are equal: no interval"
        return Bootstrapped(value, None, None, n, diverged, remark)
    scaled = np.round((finite - lowest) / span, _DIGITS)

    def rounded(sample: Array, axis: int) -> Array:
        return np.round(_statistic(statistic, sample, axis), _DIGITS)

    ties = statistic == "median" and len(np.unique(scaled)) < n
    with warnings.catch_warnings():
        # What it warns of is asked for below.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        found = resample(
            (scaled,),
            rounded,
            n_resamples=resamples,
            batch=max(1, _BLOCK // n),
            vectorized=True,
            axis=-1,
            method="percentile" if ties else "BCa",
            rng=rng,
        )
    method = PERCENTILE if ties else BCA
    if not np.isfinite(found.confidence_interval).all():
        method = PERCENTILE
        found = resample(
            (scaled,),
            rounded,
            n_resamples=0,
            bootstrap_result=found,
            vectorized=True,
            axis=-1,
            method="percentile",
            rng=rng,
        )
    low, high = (lowest + span * float(end) for end in found.confidence_interval)
    return Bootstrapped(value, low, high, n, diverged, method)


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of which `successes` of `n` were seen.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"a share needs 0 ≤ successes ≤ n and n ≥ 1, got {successes} of {n}")
    return score_interval(successes / n, n)


def score_interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, which may come from half counts."""
    z2 = float(ndtri(0.975)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) + z2 / (4 * n)) / n) ** 0.5 / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def _finite(values: Array) -> Array:
    values = np.asarray(values, dtype=np.float64)
    return values[np.isfinite(values)]


def _statistic(statistic: Statistic, values: Array, axis: int) -> Array:
    match statistic:
        case "mean":
            found = values.mean(axis=axis)
        case "median":
            found = np.median(values, axis=axis)
        case "iqm":
            found = trim_mean(values, 0.25, axis=axis)
    return np.asarray(found)
