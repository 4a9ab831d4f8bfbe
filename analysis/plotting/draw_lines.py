"""Draws series against a common x: curves and points with bands, outlines, strips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from analysis.plotting.layout import Laid
from analysis.plotting.panels import LinePanel, Series

# Series differ in lightness, dashes and markers, so that they are told apart in grey print too.
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1.2)), (0, (9, 3)), "-")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
COLORS = ("#1b3a6b", "#e08214", "#4d9221", "#8c2d75", "#35978f", "#b2182b", "#7f6000")
_NEAR_ZERO = 1e-3  # of a symlog y: below it the scale is linear, so that 0 has a place
_LINE = 0.05  # of a panel's height: a line of text
_STRAND: dict[str, Any] = {"linewidth": 0.8, "alpha": 0.6}  # of so many lines all are to be seen
_MANY = 25  # points of a series that need smaller markers


def draw_lines(ax: Axes, panel: LinePanel, laid: Laid, labels: Sequence[str]) -> None:
    """The series as they are `laid` out; `labels`: all of the figure, which fix how each looks."""
    if panel.zero_line:
        ax.axhline(0, color="0.3", linewidth=1)
    for series in (one.series for one in laid.drawn):
        place = labels.index(series.in_legend)
        if panel.style == "strand":
            ax.plot(*_coordinates(series), color=COLORS[place % len(COLORS)], **_STRAND)
        elif panel.style == "points":
            # Many bands on top of each other would hide each other; their rims stay.
            alpha = 0.32 / max(2, len(panel.series))
            _draw_points(ax, series, place, panel.joined, alpha, _marks_another(series, panel))
        else:
            _draw_curve(ax, panel, series, place, len(labels))
    for remark in panel.remarks:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
        ax.text(remark.x, remark.y, remark.text, size=9, ha="center", va="center", bbox=box)
    _set_scales(ax, panel)
    if laid.y is not None:
        ax.set_ylim(*laid.y.shown)
    _draw_levels(ax, panel, labels)


def draw_strip(ax: Axes, panel: LinePanel, laid: Laid, labels: Sequence[str]) -> None:
    """The same series over their whole range, thin, and in grey what of it the panel shows.

    The strip shares the panel's x axis.
    """
    for series in (one.series for one in laid.drawn):
        x, y = _coordinates(series)
        place = labels.index(series.in_legend)
        points = panel.style == "points"
        color = _color(panel, place, len(labels))
        ax.plot(
            x,
            y,
            color=color,
            linestyle=_DASHES[place % len(_DASHES)] if panel.joined else "none",
            linewidth=1,
            marker=MARKERS[place % len(MARKERS)] if points else None,
            markersize=3,
        )
        if points:
            ax.vlines(*_bounds(series).T, color=color, linewidth=1)
    if laid.y is not None and laid.y.whole is not None:
        ax.axhspan(*laid.y.shown, color="0.9", linewidth=0, zorder=0)
        ax.set_ylim(*laid.y.whole)
    ax.yaxis.set_major_locator(MaxNLocator(2))
    ax.set_ylabel("whole\nrange", fontsize=9, rotation=0, ha="right", va="center")
    ax.grid(visible=False)


def _draw_levels(ax: Axes, panel: LinePanel, labels: Sequence[str]) -> None:
    """Lines across, each named at its right end, beyond the panel; needs the axes' final limits."""
    lowest = 0.0
    for level in sorted(panel.levels, key=lambda one: one.y):
        color = COLORS[labels.index(level.label) % len(COLORS)]
        ax.axhline(level.y, color=color, linewidth=1, linestyle=(0, (1, 2)))
        height = ax.transAxes.inverted().transform(ax.transData.transform((1.0, level.y)))[1]
        lowest = max(lowest, float(height))
        text = f"{level.label}: {level.y:.2g}".replace("$", r"\$")
        ax.text(1.01, lowest, text, transform=ax.transAxes, va="center", size=9, color=color)
        lowest += _LINE  # names of lines close to each other stand above each other


def _draw_curve(ax: Axes, panel: LinePanel, series: Series, place: int, of: int) -> None:
    x, y = _coordinates(series)
    color = _color(panel, place, of)
    every = max(1, len(x) // 8)
    outline, lone = panel.style == "outline", len(x) == 1
    ax.plot(
        x,
        y,
        color=color,
        linestyle="none" if lone else _DASHES[place % len(_DASHES)],
        marker=None if outline and not lone else MARKERS[place % len(MARKERS)],
        markersize=9 if outline else None,
        # Markers of different lines stand at different places, so as not to cover each other.
        markevery=slice(place * every // max(of, 1), None, every),
        markeredgecolor="white",
        markeredgewidth=0.5,
        label=series.in_legend,
    )
    _fill_band(ax, series, color, alpha=0.13)


def _marks_another(series: Series, panel: LinePanel) -> bool:
    """Whether it is one point that lies on another series, of several."""
    longer = [one for one in panel.series if len(one.points) > 1]
    return len(series.points) == 1 and any(
        point[:2] == series.points[0][:2] for one in longer for point in one.points
    )


def _draw_points(
    ax: Axes, series: Series, place: int, joined: bool, alpha: float, ring: bool
) -> None:
    x, y = _coordinates(series)
    color = COLORS[place % len(COLORS)]
    many = len(x) > _MANY and joined
    dashes = _DASHES[place % len(_DASHES)]
    ax.plot(
        x,
        y,
        color=color,
        linestyle=dashes if joined else "none",
        linewidth=1 if many else 1.6,
        marker=MARKERS[place % len(MARKERS)],
        markersize=13 if ring else 3 if many else 6,
        markerfacecolor="none" if ring else None,
        markeredgecolor=color if ring else "white",
        markeredgewidth=2 if ring else 0.5,
        label=series.in_legend,
    )
    if ring:  # around a point of a series that has this interval already
        return
    _fill_band(ax, series, color, alpha)
    # The dashed rims tell overlapping bands apart in grey; a lone point has only these.
    at, low, high = _bounds(series).T
    if len(at) == 1:
        ax.vlines(at, low, high, color=color)
    for rim in (low, high):
        ax.plot(at, rim, color=color, linestyle=dashes, linewidth=0.7)
    if lost := [point for point in series.points if point.diverged]:
        ax.plot(
            [point.x for point in lost],
            [point.y for point in lost],
            linestyle="none",
            marker="x",
            color="black",
            markersize=9,
            markeredgewidth=1.5,
            label="some models diverged",
        )


def _fill_band(ax: Axes, series: Series, color: str, alpha: float) -> None:
    ax.fill_between(*_bounds(series).T, color=color, alpha=alpha, linewidth=0)


def _coordinates(series: Series) -> tuple[np.ndarray, np.ndarray]:
    x, y = ([point[number] for point in series.points] for number in (0, 1))
    return np.array(x), np.array(y)


def _bounds(series: Series) -> np.ndarray:
    """x, low and high (points that have an interval, 3)."""
    found = [(one.x, one.low, one.high) for one in series.points if one.low is not None]
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _color(panel: LinePanel, place: int, of: int) -> str:
    return _shade(place, of) if panel.ordered else COLORS[place % len(COLORS)]


def _shade(place: int, of: int) -> str:
    """Dark to light in the order of the values, short of what white paper swallows."""
    return matplotlib.colors.to_hex(matplotlib.colormaps["viridis"](0.82 * place / max(of - 1, 1)))


def _set_scales(ax: Axes, panel: LinePanel) -> None:
    values = [point.x for series in panel.series for point in series.points]
    if panel.x_scale == "symlog":  # log with room for 0
        ax.set_xscale("symlog", linthresh=min((one for one in values if one > 0), default=1))
    elif panel.x_scale == "log2":
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_locator(FixedLocator(sorted(set(values))))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        ax.set_xscale(panel.x_scale)
    if panel.y_scale == "symlog":
        ax.set_yscale("symlog", linthresh=_NEAR_ZERO)
        ax.set_ylim(bottom=0)
    else:
        ax.set_yscale(panel.y_scale)
    for axis, ticks in ((ax.xaxis, panel.x_ticks), (ax.yaxis, panel.y_ticks)):
        if ticks:
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    if panel.y_limits:
        ax.set_ylim(*panel.y_limits)
    if panel.style == "outline":
        ax.set_aspect("equal", adjustable="datalim")
