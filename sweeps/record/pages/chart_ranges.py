"""How much of y `chart.html` shows, and whether its two lines are one: by the rules of figures.

Dimension letters: T trials, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.manifest import Manifest
from trainables.result import Array
from trainables.y_range import APART, LATE, row_share, y_range

_KINDS = ("train", "test")
_BOUNDS = ("mean", "low", "high")
Curves = Mapping[str, Sequence[Sequence[float | None] | None]]


def range_of_trials(manifest: Manifest, content: Mapping[str, Any]) -> dict[str, Any] | None:
    """`shown` and `whole` of the accuracies of all trials; None where there is nothing to show.

    Over two swept values they are colours, those of test accuracy.
    """
    kinds = _KINDS if len(manifest.axes) == 1 else ("test",)
    spans = np.concatenate([_spans(content[kind], len(kinds) == 2) for kind in kinds])
    return _range(manifest, spans, spans)


def range_of_curves(
    manifest: Manifest, epochs: Sequence[int], curves: Curves
) -> dict[str, Any] | None:
    """The same of the accuracies by epoch, for all trials alike, so that they can be compared."""
    each = [_array(one) for kind in _KINDS for one in curves[kind] if one is not None]
    drawn = [one for one in each if np.isfinite(one).any()]
    if not drawn:
        return None
    values = np.array(drawn)  # (T, E)
    whole = _reach(values)
    at_last = np.array(epochs) >= LATE * epochs[-1]
    late = _reach(values[:, at_last][np.isfinite(values[:, at_last]).any(axis=1)])
    return _range(manifest, late if len(late) else whole, whole)


def coinciding(content: Mapping[str, Any], of: Mapping[str, Any] | None) -> float | None:
    """How far training and test accuracies are apart at most, where nobody could tell them apart
    in the range `of` the picture; else None.
    """
    if of is None:
        return None
    train, test = (np.stack([_array(content[kind][bound]) for bound in _BOUNDS]) for kind in _KINDS)
    if not np.isfinite(test).any() or not np.array_equal(np.isnan(train), np.isnan(test)):
        return None
    apart = float(np.nanmax(np.abs(train - test)))
    low, high = of["shown"]
    return apart if apart <= APART * (high - low) else None


def _range(manifest: Manifest, near: Array, whole: Array) -> dict[str, Any] | None:
    if not len(whole):
        return None
    ends = np.array([whole[:, 0].min(), whole[:, 1].max()])
    found = y_range(near, ends, row_share(manifest))
    return None if found is None else found._asdict()


def _spans(found: Mapping[str, Sequence[float | None]], intervals: bool) -> Array:
    """(T, 2): how far each trial that has a mean reaches, with its interval as far as possible."""
    mean, low, high = (_array(found[bound]) for bound in _BOUNDS)
    if not intervals:
        low = high = mean
    # Intervals of two seeds may reach far beyond what accuracy can be.
    ends = np.stack([np.fmin(mean, np.fmax(low, 0.0)), np.fmax(mean, np.fmin(high, 1.0))], axis=1)
    return ends[np.isfinite(mean)]


def _reach(values: Array) -> Array:
    """(T, 2): the least and the greatest of each curve."""
    return np.stack([np.nanmin(values, axis=1), np.nanmax(values, axis=1)], axis=1)


def _array(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
