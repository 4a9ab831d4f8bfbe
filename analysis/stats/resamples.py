"""What other or fewer seeds would have shown: interval widths and rankings of resampled seeds.

Dimension letters: K configurations, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from trainables.result import Array

_BLOCK = 1_000_000


class HalfWidth(NamedTuple):
    """What `n` seeds give: the 95 % t interval's mean half width, and how often it holds the truth.

    The truth is the mean over all seeds that there are.
    """

    n: int
    half_width: float
    coverage: float


def half_width_by_n(
    values: Array, ns: Sequence[int], rng: np.random.Generator, resamples: int = 2000
) -> tuple[HalfWidth, ...]:
    """Interval widths with each of `ns` seeds (2 or more), drawn from those of `values` (S,).

    NaN, a diverged model, is left out. Drawn with replacement, as from a population that looks like
    the sample: without it, draws near all S seeds would nearly always hold the mean of all S.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if len(finite) < 2:
        raise ValueError(f"interval widths need at least 2 finite values, got {len(finite)}")
    truth = finite.mean()
    found = []
    for n in ns:
        if n < 2:
            raise ValueError(f"an interval needs at least 2 seeds, got {n}")
        means, halves = [], []
        step = max(1, _BLOCK // n)
        for start in range(0, resamples, step):
            drawn = finite[rng.integers(0, len(finite), (min(step, resamples - start), n))]
            means.append(drawn.mean(axis=1))
            halves.append(stdtrit(n - 1, 0.975) * drawn.std(axis=1, ddof=1) / n**0.5)
        mean, half = np.concatenate(means), np.concatenate(halves)
        covered = np.abs(mean - truth) <= half + 1e-12
        found.append(HalfWidth(n, float(half.mean()), float(covered.mean())))
    return tuple(found)


def rank_stability(
    values: Array, n: int, rng: np.random.Generator, resamples: int = 10_000
) -> Array:
    """(K,): share of resamples of `n` seeds in which each row of `values` (K, S) is the highest.

    Column s of all rows is the same seed. Ties are shared. A seed with NaN, a diverged model, is
    left out; but a configuration of which every model diverged is never the highest.
    """
    if n < 1:
        raise ValueError(f"a resample needs at least 1 seed, got {n}")
    values = np.asarray(values, dtype=np.float64)
    trained = np.isfinite(values).any(axis=1)
    kept = values[trained][:, np.isfinite(values[trained]).all(axis=0)]
    seeds = kept.shape[1]
    if seeds == 0 or not trained.any():
        raise ValueError("ranking needs at least one seed of which no model diverged, got none")
    shares = np.zeros(len(kept))
    step = max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, seeds, (rows, n)) + seeds * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * seeds).reshape(rows, seeds)
        means = np.round(counts @ kept.T / n, 12)  # equal means can differ by rounding
        best = means == means.max(axis=1, keepdims=True)
        shares += (best / best.sum(axis=1, keepdims=True)).sum(axis=0)
    found = np.zeros(len(values))
    found[trained] = shares / resamples
    return found
