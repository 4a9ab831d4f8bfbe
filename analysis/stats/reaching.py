"""When models first reach an accuracy: one definition, for figures and claims.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.seeds import SMOOTHING, moving_average
from trainables.result import Array

_ROUNDING = 1e-9  # of a mean of accuracies


def first_epochs(curves: Array, level: float) -> Array:
    """(S,): the epoch, counted from 1, at which the moving average of `curves` (S, E) reaches it.

    Infinite for a model that never does, NaN for one that diverged.
    """
    there = moving_average(curves, SMOOTHING) >= level - _ROUNDING
    epochs = np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, np.inf)
    return np.where(np.isfinite(curves).all(axis=1), epochs, np.nan)


def by_half(epochs: Array) -> float:
    """The epoch by which half of the models, those that diverged left out, have got there.

    The lower median of `epochs` (S,) of `first_epochs`: infinite when fewer than half ever do, NaN
    when all diverged.
    """
    finite = np.sort(epochs[~np.isnan(epochs)])
    return float(finite[(len(finite) - 1) // 2]) if len(finite) else np.nan


def by_half_text(epochs: Array) -> str:
    """`epoch 12`, or `never`, for sentences."""
    epoch = by_half(epochs)
    if np.isnan(epoch):
        return "diverged"
    return f"epoch {epoch:.0f}" if np.isfinite(epoch) else "never"
