"""Series that nobody could tell apart are drawn once, and said to coincide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analysis.plotting.panels import LinePanel, Point, Series
from trainables.y_range import APART

_NAMED = 8  # series in one note
_LONGEST = 60  # characters of labels together in a legend


class Drawn(NamedTuple):
    """A series that is drawn, with those that lie on it and are not; `apart`: at most, in y."""

    series: Series
    others: tuple[Series, ...] = ()
    apart: float = 0.0


def drawn_once(panel: LinePanel, height: float) -> tuple[Drawn, ...]:
    """The series to draw of a panel that is `height` high in y: the first of those that coincide.

    Series coincide where they have the same x, and means and intervals are everywhere less apart
    than a line is wide. Shapes, and strands of which none is named, are drawn one and all.
    """
    if panel.style in ("outline", "strand"):
        return tuple(map(Drawn, panel.series))
    found: list[Drawn] = []
    for series in panel.series:
        for place, one in enumerate(found):
            apart = _apart(one.series, series)
            if apart is not None and apart <= APART * height:
                together = (*one.others, series)
                found[place] = Drawn(one.series, together, max(one.apart, apart))
                break
        else:
            found.append(Drawn(series))
    return tuple(found)


def _apart(one: Series, other: Series) -> float | None:
    """The greatest distance of means and bounds; None where the points cannot be set in pairs."""
    if len(one.points) != len(other.points) or not one.points:
        return None
    greatest = 0.0
    for mine, its in zip(one.points, other.points, strict=True):
        if mine.x != its.x or bool(mine.diverged) != bool(its.diverged):
            return None
        for a, b in zip(_numbers(mine), _numbers(its), strict=True):
            if (a is None) != (b is None):
                return None
            if a is not None and b is not None:
                greatest = max(greatest, abs(a - b))
    return greatest


def _numbers(point: Point) -> tuple[float | None, float | None, float | None]:
    return point.y, point.low, point.high


def said_of(panel: LinePanel, drawn: Sequence[Drawn]) -> list[str]:
    """A line for each series that others lie on."""
    return [
        f"{panel.title}: one line for {_listed([one.series, *one.others])}, which {_how_near(one)}"
        for one in drawn
        if one.others
    ]


def _how_near(one: Drawn) -> str:
    if one.apart == 0:
        return "are equal"
    return f"coincide: nowhere more than {_rounded_up(one.apart)} apart"


def _listed(series: Sequence[Series]) -> str:
    labels = [one.label for one in series]
    if len(labels) > _NAMED:
        return f"{', '.join(labels[:_NAMED])} and {len(labels) - _NAMED} more"
    return f"{', '.join(labels[:-1])} and {labels[-1]}"


def _rounded_up(apart: float) -> str:
    """Two digits, and never less than it is; what is rounding alone is 0."""
    if apart < 1e-9:
        return "0"
    text = f"{apart:.1e}"
    step = 10.0 ** (int(text.split("e")[1]) - 1)
    below = float(text) < apart * (1 - 1e-9)
    return f"{float(text) + step * below:.2g}"


def legend_labels(panels: Sequence[Sequence[Drawn]]) -> dict[str, str]:
    """What the legend says of each drawn label: with the labels that are drawn in no panel.

    Where all of them would be too long it says how many they are; notes name them.
    """
    labels = {one.series.label: [one.series.label] for panel in panels for one in panel}
    placed = set(labels)
    for panel in panels:
        for one in panel:
            for other in one.others:
                if other.label not in placed:
                    placed.add(other.label)
                    labels[one.series.label].append(other.label)
    return {label: _together(mine) for label, mine in labels.items()}


def _together(labels: Sequence[str]) -> str:
    text = " = ".join(labels)
    if len(labels) == 1 or len(text) <= _LONGEST:
        return text
    return f"{labels[0]} (+ {len(labels) - 1})"
