"""What fewer seeds would have shown: interval width and ranking under resampled seeds.

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
    """Mean half width of the 95 % t interval with `n` seeds, and how often it holds the mean."""

    n: int
    half_width: float
    coverage: float


def half_width_by_n(
    values: Array, ns: Sequence[int], rng: np.random.Generator, resamples: int = 2000
) -> tuple[HalfWidth, ...]:
    """Interval widths with fewer seeds than the finite ones of `values` (S,); n from 2."""
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

    Column s of all rows is the same seed. Ties are shared.
    """
    values = np.asarray(values, dtype=np.float64)
    kept = values[:, np.isfinite(values).all(axis=0)]
    seeds = kept.shape[1]
    if seeds == 0:
        raise ValueError("ranking needs at least one seed with no diverged model, got none")
    shares = np.zeros(len(kept))
    step = max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, seeds, (rows, n)) + seeds * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * seeds).reshape(rows, seeds)
        means = np.round(counts @ kept.T / n, 12)
        best = means == means.max(axis=1, keepdims=True)
        shares += (best / best.sum(axis=1, keepdims=True)).sum(axis=0)
    return np.asarray(shares / resamples)
