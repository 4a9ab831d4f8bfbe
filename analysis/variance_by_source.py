"""How much of the spread over seeds comes from each source of randomness, by pick-freeze pairs.

Dimension letter: S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from analysis.stats import ROUNDING
from trainables.result import Array

_RESAMPLES = 1999


class Source(NamedTuple):
    """Shares of the variance over seeds that one source has, with 95 % intervals."""

    source: str
    first_order: float | None
    first_low: float | None
    first_high: float | None
    total: float | None
    total_low: float | None
    total_high: float | None
    n: int
    remark: str


def sources(
    base: Array, exchanged: Mapping[str, Array], rng: np.random.Generator
) -> tuple[Source, ...]:
    """Shares of each source in the variance of `base` (S,).

    `base[s]`: everything follows seed s. `exchanged[i][s]` (S,): everything follows seed s but
    source i, which follows seed s + 1, cyclically.
    """
    base = np.asarray(base, dtype=np.float64)
    return tuple(
        _source(name, base, np.asarray(other, dtype=np.float64), rng)
        for name, other in exchanged.items()
    )


def _source(name: str, base: Array, other: Array, rng: np.random.Generator) -> Source:
    if other.shape != base.shape:
        raise ValueError(f"{name}: needs {len(base)} seeds as the base has, got {len(other)}")
    after = np.roll(base, -1)
    kept = np.isfinite(base) & np.isfinite(after) & np.isfinite(other)
    base, after, other = base[kept], after[kept], other[kept]
    n = len(base)
    if n < 3:
        remark = f"{n} seeds with all three models: no estimate"
        return Source(name, None, None, None, None, None, None, n, remark)
    if np.ptp(base) < ROUNDING:
        remark = "no variance over the seeds: no shares"
        return Source(name, None, None, None, None, None, None, n, remark)
    rows = np.stack([base, after, other])
    first, total = _shares(rows[:, None, :])
    drawn = rng.integers(0, n, (_RESAMPLES, n))
    firsts, totals = _shares(rows[:, drawn])
    first_ends = np.nanquantile(firsts, [0.025, 0.975])
    total_ends = np.nanquantile(totals, [0.025, 0.975])
    return Source(
        name,
        float(first[0]),
        float(first_ends[0]),
        float(first_ends[1]),
        float(total[0]),
        float(total_ends[0]),
        float(total_ends[1]),
        n,
        "",
    )


def _shares(rows: Array) -> tuple[Array, Array]:
    """First-order and total share, (R,) each, from rows (3, R, S): base, next base, exchanged."""
    base, after, other = rows
    twice = 2 * base.var(axis=1, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        first = 1 - ((after - other) ** 2).mean(axis=1) / twice
        total = ((base - other) ** 2).mean(axis=1) / twice
    return first, total
