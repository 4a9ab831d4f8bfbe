"""What all made data have in common.

Their random numbers come from NumPy's `RandomState`, whose streams NumPy promises never to change.
What is computed from them is rounded to `DECIMALS`, so that the last bit of a sine or a logarithm,
which differs between machines, changes no value and no digest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DECIMALS = 6


class Made(NamedTuple):
    """Features `x` (D, F) float64 and class numbers `y` (D,) int64, with the names of both."""

    x: NDArray[np.float64]
    y: NDArray[np.int64]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]


def made(
    x: NDArray[np.float64],
    y: NDArray[np.int64],
    class_names: tuple[str, ...],
    feature_names: tuple[str, ...],
) -> Made:
    """The data with their features rounded."""
    rounded: NDArray[np.float64] = np.ascontiguousarray(x, dtype=np.float64).round(DECIMALS)
    rounded += 0.0  # no -0.0
    return Made(rounded, y.astype(np.int64), class_names, feature_names)
