"""How much of y a panel of series shows: where the series differ, and beside it the whole.

A few far values would squash all others: a curve's first epochs, a value at which nothing is
learned. Where that is so a panel shows the rest, and a strip below it the whole range. The rule
itself is in `trainables/y_range.py`; here is what of a panel's series it is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.plotting.panels import LinePanel, Panel, Point, Series
from trainables.result import Array
from trainables.y_range import LATE, YRange, y_range

_MODELS = (10, 90)  # percentiles of the models behind a point that a panel has room for


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
    return y_range(near, whole, least, zero)


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
    values = [point.y for point in series.points if point.x >= LATE * last]
    return min(values), max(values)
