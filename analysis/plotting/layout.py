"""What every back end does alike with a figure's panels: y ranges, what is drawn once, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analysis.plotting.coinciding import Drawn, drawn_once, legend_labels, said_of
from analysis.plotting.panels import LinePanel, MapPanel, Panel
from analysis.plotting.y_ranges import y_ranges
from trainables.y_range import STRIP_SAYS, YRange


class Laid(NamedTuple):
    """A panel's y range, None where the drawing finds it, and the series that it draws."""

    panel: Panel
    y: YRange | None = None
    drawn: tuple[Drawn, ...] = ()


class Layout(NamedTuple):
    """The panels, the legend's words for each drawn label, and what is to be said of it all."""

    panels: tuple[Laid, ...]
    legend: dict[str, str]
    notes: tuple[str, ...]


def lay_out(panels: Sequence[Panel]) -> Layout:
    """How the panels of one figure are drawn."""
    laid = []
    for panel, y in zip(panels, y_ranges(panels), strict=True):
        drawn = drawn_once(panel, _height(panel, y)) if isinstance(panel, LinePanel) else ()
        laid.append(Laid(panel, y, drawn))
    return Layout(tuple(laid), legend_labels([one.drawn for one in laid]), tuple(_notes(laid)))


def _height(panel: LinePanel, y: YRange | None) -> float:
    """Of y in the panel; 0 on scales where equal distances do not look equal."""
    if y is not None:
        return y.height
    if panel.y_limits is None or panel.y_scale != "linear":
        return 0.0
    return panel.y_limits[1] - panel.y_limits[0]


def _notes(laid: Sequence[Laid]) -> list[str]:
    notes = []
    if any(one.y is not None and one.y.whole is not None for one in laid):
        notes.append(STRIP_SAYS)
    beyond: dict[str, list[str]] = {}
    for one in laid:
        if said := _beyond(one):
            beyond.setdefault(said, []).append(one.panel.title)
    notes += [f"{' and '.join(titles)}: {said}" for said, titles in beyond.items()]
    for one in laid:
        if isinstance(one.panel, LinePanel):
            notes += said_of(one.panel, one.drawn)
        elif isinstance(one.panel, MapPanel) and one.panel.grey and not one.panel.missing:
            notes.append(f"{one.panel.title}, grey: {one.panel.grey}")
    return notes


def _beyond(laid: Laid) -> str:
    """Which series no part of is on the panel above its strip, or within its limits."""
    if not isinstance(laid.panel, LinePanel):
        return ""
    limits = laid.panel.y_limits if laid.y is None else laid.y.shown
    if limits is None:
        return ""
    out = [
        series.label
        for series in laid.panel.series
        if series.points and not any(limits[0] <= one.y <= limits[1] for one in series.points)
    ]
    where = "not on it" if laid.y is None else "in its strip alone"
    return f"beyond what the panel shows, so {where}: {'; '.join(out)}" if out else ""
