"""Draws the values of `panels.py` with matplotlib: the layout of a figure, and its style."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from analysis.plotting.draw_dots import draw_dots, draw_spans
from analysis.plotting.draw_lines import draw_lines, draw_strip
from analysis.plotting.draw_maps import draw_blocks, draw_map
from analysis.plotting.draw_regions import draw_regions
from analysis.plotting.draw_text import wrapped
from analysis.plotting.layout import Laid, lay_out
from analysis.plotting.panels import (
    BlockPanel,
    DotPanel,
    LinePanel,
    MapPanel,
    Panel,
    Plot,
    SpanPanel,
)
from analysis.plotting.region_panel import RegionPanel

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.title_fontsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "svg.hashsalt": "figure",  # equal data give equal SVG files
}
# Inches. A figure is, from the top: title, subtitle, rows of panels, legend, notes.
_PANEL_WIDTH, _PANEL_HEIGHT = 5.4, 4.0
_MARGIN, _TITLE_LINE, _LINE = 0.15, 0.28, 0.2
_TITLE: dict[str, Any] = {"size": 14, "weight": "bold"}
_SUBTITLE, _NOTE = {"size": 10}, {"size": 9}
_DIGITS = 6  # of a panel's place, as a share of the figure
_STRIP = 0.24  # of the panel above it: a strip's height
_LETTERS = 12  # of a panel's title in an inch
_AROUND = 1.0  # about what a panel's title, labels and numbers take


def draw(plot: Plot, narrow: float | None = None) -> Figure:
    """The figure of `plot`, not tied to any window.

    `narrow`: inches of a small screen, where panels stand below each other and are as wide.
    """
    with matplotlib.rc_context(STYLE):
        columns = 1 if narrow else plot.columns or len(plot.panels)
        rows = math.ceil(len(plot.panels) / columns)
        width = narrow or max(_PANEL_WIDTH * columns, 7.0)
        panel_width = min(_PANEL_WIDTH, width)
        room = width - 2 * _MARGIN
        title = wrapped(plot.title, room, **_TITLE)
        subtitle = wrapped(plot.subtitle, room, **_SUBTITLE)
        layout = lay_out(plot.panels)
        said = (*plot.notes, *layout.notes)
        notes = [line for note in said for line in wrapped(note, room, **_NOTE)]
        figure = Figure(figsize=(width, 6.0), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
        labels = _series_labels(plot)
        tallest = max(map(_panel_height, plot.panels))
        for laid, ax in zip(layout.panels, axes, strict=False):
            _draw_panel(ax, laid, labels, panel_width, tallest)
        for ax in axes[len(plot.panels) :]:
            ax.remove()
        found = _handles(figure.axes)
        handles = {layout.legend.get(label, label): one for label, one in found.items()}
        entries, legend = _legend_size(list(handles), plot.legend_title, width)

        above = 1.5 * _MARGIN + _TITLE_LINE * len(title) + _LINE * len(subtitle)
        below = _MARGIN + _LINE * len(notes)
        panels = rows * tallest
        height = above + panels + legend + below
        figure.set_figheight(height)
        inside = (_MARGIN / width, (below + legend) / height)
        area = (*inside, 1 - 2 * inside[0], panels / height)
        figure.get_layout_engine().set(rect=area, wspace=0.05, hspace=0.05)  # type: ignore[union-attr, call-arg]
        if handles:
            figure.legend(
                list(handles.values()),
                list(map(_plain, handles)),
                title=_plain(plot.legend_title) or None,
                loc="lower center",
                bbox_to_anchor=(0.5, below / height),
                ncols=entries,
                frameon=False,
                handlelength=3.2,
                borderaxespad=0.2,
            )
        top = height - _MARGIN
        _write(figure, title, top, _TITLE_LINE, **_TITLE)
        _write(figure, subtitle, top - _TITLE_LINE * len(title), _LINE, color="0.25", **_SUBTITLE)
        _write(figure, notes, below - 0.4 * _MARGIN, _LINE, color="0.25", **_NOTE)
        _fix_layout(figure)
        return figure


def _fix_layout(figure: Figure) -> None:
    """Lays the panels out once and for all.

    The layout's last digits change from one run to the next, and with them names within SVG files.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        place = ax.get_position(original=True).get_points()
        ax.set_position(Bbox(place.round(_DIGITS)))


def _write(figure: Figure, lines: Sequence[str], top: float, step: float, **style: Any) -> None:
    """Lines of text from `top` downwards, `step` apart, in inches."""
    width, height = figure.get_size_inches()
    for number, line in enumerate(lines):
        figure.text(
            _MARGIN / width, (top - number * step) / height, _plain(line), va="top", **style
        )


def _plain(text: str) -> str:
    """The text as it is: between two dollars matplotlib would read a formula."""
    return text.replace("$", r"\$")


def _panel_height(panel: Panel) -> float:
    if isinstance(panel, MapPanel) and panel.style == "grid":
        return max(_PANEL_HEIGHT, 0.5 * len({cell.y for cell in panel.cells}) + 1.2)
    if isinstance(panel, DotPanel | SpanPanel):
        return max(_PANEL_HEIGHT, 0.62 * len(panel.rows) + 1.2)
    return _PANEL_HEIGHT


def _draw_panel(ax: Axes, laid: Laid, labels: Sequence[str], width: float, height: float) -> None:
    panel, strip = laid.panel, None
    if laid.y is not None and laid.y.whole is not None:
        ax, strip = _with_strip(ax)
    share = width / _PANEL_WIDTH
    colors = 0.7 if isinstance(panel, MapPanel) else 0.0  # inches of the room for a title
    room = int(_LETTERS * (width - _AROUND - colors))
    ax.set_title(_plain(textwrap.fill(panel.title, room)), loc="left")
    if panel.missing:
        text = _plain(textwrap.fill(panel.missing, int(share * 40)))
        ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color="0.25")
        ax.set_xticks([])
        ax.set_yticks([])
        return
    (strip or ax).set_xlabel(_plain(panel.x_label))
    ax.set_ylabel(_plain(panel.y_label))
    if isinstance(panel, DotPanel):
        draw_dots(ax, panel, *(72 * (size - _AROUND) for size in (width, height)))
        return
    if isinstance(panel, SpanPanel):
        draw_spans(ax, panel, labels)
        return
    if isinstance(panel, MapPanel):
        draw_map(ax, panel)
    elif isinstance(panel, BlockPanel):
        draw_blocks(ax, panel)
    elif isinstance(panel, RegionPanel):
        draw_regions(ax, panel)
    else:
        draw_lines(ax, panel, laid, labels)
        if strip is not None:
            draw_strip(strip, panel, laid, labels)


def _with_strip(ax: Axes) -> tuple[Axes, Axes]:
    """Two in the place of one: for the panel, and below it, with the same x, for its strip."""
    figure, place = ax.get_figure(), ax.get_subplotspec()
    assert isinstance(figure, Figure)  # axes of no other kind are drawn here
    assert place is not None
    ax.remove()
    grid = place.subgridspec(2, 1, height_ratios=(1, _STRIP), hspace=0.04)
    upper = figure.add_subplot(grid[0])
    lower = figure.add_subplot(grid[1], sharex=upper)
    upper.tick_params(labelbottom=False)
    return upper, lower


def _series_labels(plot: Plot) -> list[str]:
    """The labels of all panels, each once: a series looks the same in every panel."""
    labels: dict[str, None] = {}
    for panel in plot.panels:
        if isinstance(panel, SpanPanel):
            labels |= dict.fromkeys(series.label for series in panel.series)
        elif isinstance(panel, LinePanel):
            labels |= dict.fromkeys(series.in_legend for series in panel.series)
    return list(labels)


def _handles(axes: Sequence[Axes]) -> dict[str, Artist]:
    found: dict[str, Artist] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return found


def _legend_size(labels: Sequence[str], title: str, width: float) -> tuple[int, float]:
    """Columns that fit, and the height in inches that the rows then need."""
    if not labels:
        return 1, 0.0
    entries = [0.8 + 0.075 * len(label) for label in labels]
    room = width - 2 * _MARGIN
    columns = len(labels) if sum(entries) <= room else max(1, int(room / max(entries)))
    rows = math.ceil(len(labels) / columns)
    return columns, _LINE * (rows + bool(title)) + 0.12
