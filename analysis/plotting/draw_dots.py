"""Draws numbers along x in rows: every model a dot, and means with intervals.

Dimension letters: S seeds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from analysis.plotting.draw_lines import COLORS, MARKERS
from analysis.plotting.panels import DotPanel, SpanPanel
from trainables.result import Array

_DOTS = (5.5, 4.5, 3.6, 3.0, 2.5, 2.1)  # points across a dot: the greatest that fits is taken
_WIDEST = 14  # dots are moved at most one so-manieth of the axis, so that values stay readable
_STACK = 0.78  # of a row's height is for its dots
_NAME_WIDTH = 22  # characters of a line beside a row
_GOLDEN = (5**0.5 - 1) / 2
_ROOM, _LEAST_ROOM = 0.04, 0.4  # left and right of the values, of their range; in their unit


def draw_dots(ax: Axes, panel: DotPanel, width: float, height: float) -> None:
    """Each row's dots upwards from its base line; the panel is about `width` × `height` points."""
    values = [np.array(row.values, dtype=np.float64) for row in panel.rows]
    present = np.concatenate(values)
    low, high = float(present.min()), float(present.max())
    room = max(_ROOM * (high - low), _LEAST_ROOM)
    unit = width / (high - low + 2 * room)
    step = height / len(panel.rows)
    size, stacked = _fitting(values, (low, high), unit, width, _STACK * step)
    low, high = low - room, high + room
    for place, (row, positions) in enumerate(zip(panel.rows, stacked, strict=True)):
        base = len(panel.rows) - 1 - place
        ax.axhline(base, color="0.75", linewidth=0.8, zorder=1)
        ax.plot(
            positions[:, 0],
            base + (positions[:, 1] + 0.5 * size) / step,
            linestyle="none",
            marker="o",
            markersize=size * 0.94,
            color=COLORS[0],
            markeredgewidth=0,
            alpha=0.8,
        )
        if row.diverged:
            text = f"{row.diverged} of {row.diverged + len(row.values)} diverged"
            ax.text(low + room / 2, base + 0.5, text, size=9, va="center")
    ax.set_xlim(low, high)
    ax.set_ylim(-0.12, len(panel.rows) - 0.05)
    ax.set_yticks(range(len(panel.rows)), [row.label for row in reversed(panel.rows)])
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")


def _fitting(
    values: Sequence[Array], ends: tuple[float, float], unit: float, width: float, height: float
) -> tuple[float, list[Array]]:
    """The size of the dots, the same in all rows, and their places: x in data, y in points.

    `ends`: the least and the greatest of all values. `unit`: points for each step of 1.
    """
    for size in _DOTS:
        for across in range(1, max(1, int(width / size / _WIDEST)) + 1):
            places = [stack(one, ends, size / unit, across) for one in values]
            levels = max(1 + float(one[:, 1].max()) for one in places if len(one))
            if levels * size <= height:
                return size, [one * (1.0, size) for one in places]
    # Where even the smallest dots do not fit, they overlap upwards.
    return size, [one * (1.0, (height - size) / (levels - 1)) for one in places]


def stack(values: Array, ends: tuple[float, float], size: float, across: int) -> Array:
    """(S, 2): where the dots of `values` (S,) stand: x, and the level above the base from 0.

    They stand in columns one dot (`size`) wide, from the lower of the `ends` on. Each is moved
    sideways by at most half of `across` columns and not beyond the `ends` where these leave room,
    so that models of equal accuracy stand beside each other and not in one high column.
    """
    low, high = ends
    order = np.argsort(values, kind="stable")
    # Multiples of the golden ratio spread the neighbours of any stretch evenly, without chance.
    shares = np.arange(len(values)) * _GOLDEN % 1 - 0.5
    moved = values[order] + shares * (across - 1) * size
    if high - low > across * size:  # elsewhere a block has no room but beyond the ends
        moved = high - np.abs(high - moved)
        moved = low + np.abs(moved - low)
    column = np.round((moved - low) / size).astype(np.int64)
    places = np.zeros((len(values), 2))
    by_column = np.argsort(column, kind="stable")
    first = np.searchsorted(column[by_column], column[by_column])
    places[order[by_column], 0] = low + column[by_column] * size
    places[order[by_column], 1] = np.arange(len(values)) - first
    return places


def draw_spans(ax: Axes, panel: SpanPanel, labels: Sequence[str]) -> None:
    """All series; `labels`: those of the whole figure, which fix how each looks."""
    if panel.least:  # as a line that is not seen: limits leave room beyond it
        ax.update_datalim([(-panel.least, 0), (panel.least, 0)], updatey=False)
    if panel.zero_line:
        ax.axvline(0, color="0.3", linewidth=1)
    count = len(panel.series)
    reach = 0.7 * (count - 1) / count if count > 1 else 0.0
    offsets = np.linspace(reach / 2, -reach / 2, count)
    for series, offset in zip(panel.series, offsets, strict=True):
        place = labels.index(series.label)
        color, marker = COLORS[place % len(COLORS)], MARKERS[place % len(MARKERS)]
        at = [len(panel.rows) - 1 - panel.rows.index(span.row) + offset for span in series.spans]
        for y, span in zip(at, series.spans, strict=True):
            if span.low is not None and span.high is not None:
                ax.hlines(y, span.low, span.high, color=color, linewidth=2)
        ax.plot(
            [span.x for span in series.spans],
            at,
            linestyle="none",
            marker=marker,
            markersize=6,
            color=color,
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=series.label,
        )
    for line in range(1, len(panel.rows)):
        ax.axhline(line - 0.5, color="0.9", linewidth=0.8)
    ax.set_ylim(-0.5, len(panel.rows) - 0.5)
    names = [textwrap.fill(row, _NAME_WIDTH).replace("$", r"\$") for row in reversed(panel.rows)]
    ax.set_yticks(range(len(panel.rows)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
