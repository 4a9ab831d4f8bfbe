"""How much of y a panel of series shows: where the series differ, and beside it the whole.

A few far values would squash all others: a curve's first epochs, a value at which nothing is
learned. Where that is so a panel shows the rest, and a strip below it the whole range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.plotting.panels import LinePanel, Panel, Point, Series
from trainables.result import Array

_SQUASHED = 1 / 3  # of the height or less for all but a few: then these few go into the strip
_FEW = 1 / 3  # of the values at most
_LATE = 0.5  # of the epochs of a curve: where it ends up
_MODELS = (10, 90)  # percentiles of the models behind a point that a panel has room for
_ROOM = 0.05  # of the height, above and below
STRIP_SAYS = "the strip below a panel is its whole range; grey there is what the panel shows of it"


class YRange(NamedTuple):
    """The limits of y, and those of the strip below where `shown` is not the `whole`."""

    shown: tuple[float, float]
    whole: tuple[float, float] | None = None

    @property
    def height(self) -> float:
        """Of what is shown."""
        return self.shown[1] - self.shown[0]


def y_ranges(panels: Sequence[Panel]) -> list[YRange | None]:
    """The range of each panel; panels of one y label have the same, so that they can be compared.

    None where the drawing finds the limits: without points, on other than linear axes, and where
    a panel has limits of its own.
    """
    groups: dict[tuple[str, bool], list[LinePanel]] = {}
    for panel in panels:
        if isinstance(panel, LinePanel) and _is_open(panel):
            groups.setdefault(_group(panel), []).append(panel)
    found = {key: _common(group) for key, group in groups.items()}
    return [
        found[_group(panel)] if isinstance(panel, LinePanel) and _is_open(panel) else None
        for panel in panels
    ]


def _is_open(panel: LinePanel) -> bool:
    return (
        panel.y_limits is None
        and panel.y_scale == "linear"
        and panel.style != "outline"
        and any(series.points for series in panel.series)
    )


def _group(panel: LinePanel) -> tuple[str, bool]:
    return panel.y_label, panel.zero_line


def _common(panels: Sequence[LinePanel]) -> YRange | None:
    series = [one for panel in panels for one in panel.series if one.points]
    zero, least = panels[0].zero_line, max(panel.least for panel in panels)
    spans = np.concatenate([_spans(one) for one in series])
    whole = np.array([spans[:, 0].min(), spans[:, 1].max()])
    if all(panel.style == "points" for panel in panels):
        near = np.concatenate([_spans(one, _MODELS) for one in series])
    elif all(panel.x_scale == "linear" for panel in panels):
        near = np.array([_late(one) for one in series])
    else:
        near = whole[None]
    kept = _without_few(near, float(np.ptp(whole)))
    shown = kept if np.ptp(kept) <= _SQUASHED * np.ptp(whole) else whole
    shown, whole = (_at_least(one, least, zero) for one in (shown, whole))
    if not np.ptp(shown) > 0:
        return None
    if np.ptp(shown) > _SQUASHED * np.ptp(whole):
        return YRange(_with_room(whole))
    return YRange(_with_room(shown), _with_room(whole))


def _spans(series: Series, percentiles: tuple[float, float] = (0, 100)) -> Array:
    """(points, 2): how far each reaches with its interval and those `percentiles` of its models."""
    found = np.array([_reach(point) for point in series.points])
    for place, models in enumerate(series.models):
        if models.values:
            low, high = np.percentile(models.values, percentiles)
            found[place] = min(found[place, 0], low), max(found[place, 1], high)
    return found


def _reach(point: Point) -> tuple[float, float]:
    low = point.y if point.low is None else point.low
    return low, point.y if point.high is None else point.high


def _late(series: Series) -> tuple[float, float]:
    """Where a curve is in the later part of its epochs."""
    last = max(point.x for point in series.points)
    values = [point.y for point in series.points if point.x >= _LATE * last]
    return min(values), max(values)


def _without_few(spans: Array, whole: float) -> Array:
    """The (low, high) of `spans` (N, 2) without the fewest that squash the rest; else of all."""
    middles = spans.mean(axis=1)
    ordered = spans[np.argsort(middles, kind="stable")]
    count = len(ordered)
    for few in range(int(_FEW * count) + 1):
        rests = [ordered[start : start + count - few] for start in range(few + 1)]
        ends = [np.array([rest[:, 0].min(), rest[:, 1].max()]) for rest in rests]
        least = min(ends, key=np.ptp)
        if np.ptp(least) <= _SQUASHED * whole:
            return least
    return np.array([spans[:, 0].min(), spans[:, 1].max()])


def _at_least(ends: Array, least: float, zero: bool) -> Array:
    low, high = ends
    middle = 0.0 if zero else (low + high) / 2
    return np.array([min(low, middle - least), max(high, middle + least)])


def _with_room(ends: Array) -> tuple[float, float]:
    room = _ROOM * float(np.ptp(ends))
    return float(ends[0]) - room, float(ends[1]) + room
