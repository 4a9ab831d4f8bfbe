"""Whether a mean difference is shown to be small, or shown to be more than small.

All are had from a difference's 95 % interval, which must be Student's with n - 1 degrees.
"""

from __future__ import annotations

from collections.abc import Callable

from scipy.special import stdtr, stdtrit

from analysis.stats.seeds import LEAST_P, Difference


def within_margin(difference: Difference | None, null: float, margin: float) -> float:
    """p of two one-sided t-tests that the mean is within ± `margin` of `null`; 1 without test.

    Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure". Where all
    differences are equal there is no t, and sign tests decide.
    """
    if not margin > 0:
        raise ValueError(f"margin must be above 0, got {margin}")
    return _one_sided(difference, lambda mean: margin - abs(mean - null))


def short_of(difference: Difference | None, null: float, side: int, distance: float) -> float:
    """One-sided p that the mean falls short of `distance` from `null` on that side (1 above, -1
    below), however far it lies on the other; 1 without test.
    """
    if not distance > 0:
        raise ValueError(f"distance must be above 0, got {distance}")
    return _one_sided(difference, lambda mean: distance - side * (mean - null))


def beyond_margin(difference: Difference | None, null: float, margin: float) -> float:
    """Two-sided p that the mean is outside ± `margin` of `null`; 1 without test."""
    return min(1.0, 2 * _one_sided(difference, lambda mean: abs(mean - null) - margin))


def _one_sided(difference: Difference | None, distance: Callable[[float], float]) -> float:
    """p of a t-test that the mean is at a `distance` above 0 on the right side of a bound."""
    if difference is None or difference.mean is None or difference.n < 2:
        return 1.0
    far = distance(difference.mean)
    if (half := difference.half_width) is None:
        return 1.0
    if half == 0:  # all seeds agree, so that there is no t: the sign test
        return 0.5**difference.n if far > 0 else 1.0
    freedom = difference.n - 1
    error = half / stdtrit(freedom, 0.975)
    return max(LEAST_P, float(stdtr(freedom, -far / error)))
