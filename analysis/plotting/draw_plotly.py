"""Draws the values of `panels.py` for plotly.js: traces and layout in plain dicts.

A page that is pointed at has room for what paper has not: every model behind a point. Of the
panels, `LinePanel` in the style `points` is drawn, the one that a page shows so far. Everything is
laid out here, so that a page's script only hands it on. Plotly's package is not imported.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from analysis.plotting.coinciding import Drawn
from analysis.plotting.layout import lay_out
from analysis.plotting.panels import LinePanel, Series
from trainables.y_range import YRange

# Series differ in colour, mark and dash, so that they are told apart in grey print too. The colours
# are darker than those of figures, since many faint dots have to be seen on a screen.
_COLORS = ("#1b3a6b", "#b35806", "#2d6a1e", "#8c2d75", "#1f6f6a", "#8a1c1c")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_SERIES = len(_COLORS)
_NOT_DRAWN = ("y_limits", "ordered", "remarks", "levels", "x_ticks", "y_ticks", "missing")
_MOST_TICKS = 12
_LONGEST = 60  # characters of a name
_SPREAD = 0.84  # of the room between two values, the share that the dots of all models take
_STRIP, _BETWEEN = 0.16, 0.05  # of the height: for the whole range of y, and free above it
_DODGE = 0.3  # how far means stand off their value, of the middle of their dots: bars hide bars


class Drawing(NamedTuple):
    """`data` and `layout` as `Plotly.newPlot` takes them; `notes`: what is to be said of both."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    notes: tuple[str, ...]


class _Axis(NamedTuple):
    """Where each value stands, how wide their room is, and what is written below them."""

    places: dict[float, float]
    room: float
    layout: dict[str, Any]


class _Look(NamedTuple):
    """A series' colour, mark and dash, and its place around a value, in shares of a value's room.

    `left`, `width`: of the place.
    """

    number: int
    left: float
    width: float

    @property
    def color(self) -> str:
        return _COLORS[self.number]

    @property
    def symbol(self) -> str:
        return _SYMBOLS[self.number]


def draw_points(
    panel: LinePanel,
    of_point: Callable[[Series, int], Sequence[str]],
    of_model: Callable[[Series, int, int], Sequence[str]],
) -> Drawing:
    """Points with bars for their intervals, and faint dots for their models.

    What is said where a mark is pointed at, in lines, the first bold: `of_point` gets a series and
    a point's place in it, `of_model` also the place of a model behind that point.
    Raises `ValueError` for a panel of another style, without points, with more than `MOST_SERIES`
    series, or with something else that is not drawn here.
    """
    if panel.style != "points" or panel.y_scale != "linear":
        raise ValueError(f"needs points on a linear y, got {panel.style}, {panel.y_scale}")
    if beyond := [name for name in _NOT_DRAWN if getattr(panel, name)]:
        raise ValueError(f"needs a panel of series alone, got {', '.join(beyond)}")
    count = len(panel.series)
    if count > MOST_SERIES:
        raise ValueError(f"needs at most {MOST_SERIES} series, got {count}")
    if not any(series.points for series in panel.series):
        raise ValueError("needs a point, got none")
    axis, width = _axis(panel), _SPREAD / count
    looks = [_Look(number, _SPREAD * (number / count - 0.5), width) for number in range(count)]
    of = dict(zip([series.label for series in panel.series], looks, strict=True))
    ((_, y, drawn),), legend, notes = lay_out([panel])
    data = [
        # Dots first, so that means lie on top of them.
        *(_models(one, of[one.label], axis, of_model) for one in panel.series if one.models),
        *(_means(one, legend, of, axis, of_point, panel.joined) for one in drawn),
    ]
    layout: dict[str, Any] = {
        "xaxis": axis.layout,
        "yaxis": {"title": {"text": _plain(panel.y_label)}, "zeroline": panel.zero_line},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "font": {"size": 14, "color": "#222"},
        "margin": {"t": 20, "r": 15, "l": 60, "b": 55},
    }
    if y is not None:
        layout["yaxis"] |= {"range": list(y.shown)}
        if y.whole is not None:
            data += [
                _in_strip(one.series, of[one.series.label], axis, panel.joined) for one in drawn
            ]
            layout["xaxis"] |= {"anchor": "y2"}
            layout["yaxis"] |= {"domain": [_STRIP + _BETWEEN, 1]}
            layout |= _strip(y)
    return Drawing(data, layout, notes)


def _strip(y: YRange) -> dict[str, Any]:
    """The axis of the strip below, and in grey what of it is shown above."""
    axis = {
        "domain": [0, _STRIP],
        "range": list(y.whole or y.shown),
        "zeroline": False,
        "nticks": 3,
    }
    grey = {
        "type": "rect",
        "layer": "below",
        "xref": "paper",
        "yref": "y2",
        "x0": 0,
        "x1": 1,
        "y0": y.shown[0],
        "y1": y.shown[1],
        "fillcolor": "#ddd",
        "line": {"width": 0},
    }
    return {"yaxis2": axis, "shapes": [grey]}


def _in_strip(series: Series, look: _Look, axis: _Axis, joined: bool) -> dict[str, Any]:
    """The means once more, and how far their models, or else their intervals, reach."""
    reach: list[tuple[float | None, float | None]] = [
        (min(models.values, default=point.y), max(models.values, default=point.y))
        for point, models in zip(series.points, series.models, strict=False)
    ] or [(point.low, point.high) for point in series.points]
    return {
        "type": "scatter",
        "mode": "lines+markers" if joined else "markers",
        "legendgroup": str(look.number),
        "showlegend": False,
        "hoverinfo": "skip",
        "yaxis": "y2",
        "x": [axis.places[point.x] for point in series.points],
        "y": [round(point.y, 3) for point in series.points],
        "line": {"color": look.color, "width": 1, "dash": _DASHES[look.number]},
        "marker": {"color": look.color, "symbol": look.symbol, "size": 4},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [_side(high, p.y) for (_, high), p in zip(reach, series.points, strict=True)],
            "arrayminus": [
                _side(low, p.y) for (low, _), p in zip(reach, series.points, strict=True)
            ],
            "color": look.color,
            "thickness": 1,
            "width": 0,
        },
    }


def shortened(text: str) -> str:
    """The text, or its start where it is longer than a label has room for."""
    short = textwrap.shorten(text, _LONGEST, placeholder=" …") if " " in text else text
    return short if len(short) <= _LONGEST else f"{short[:_LONGEST]}…"


def _escaped(text: str) -> str:
    """The text as it is: Plotly reads some HTML in the texts that it draws."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    return _escaped(shortened(text))


def _said(lines: Sequence[str]) -> str:
    first, *rest = map(_escaped, lines)
    return "<br>".join([f"<b>{first}</b>", *rest])


def _axis(panel: LinePanel) -> _Axis:
    values = sorted({float(point.x) for series in panel.series for point in series.points})
    look: dict[str, Any] = {"title": {"text": _plain(panel.x_label)}, "zeroline": False}
    places = dict(zip(values, values, strict=True))
    if panel.x_scale != "linear":
        # A log scale has no place for 0: it stands one step left of the least, and is marked so.
        least = math.log10(min((value for value in values if value > 0), default=1))
        places = {value: math.log10(value) if value > 0 else least - 0.5 for value in values}
        ticks = values
        if len(values) > _MOST_TICKS:
            powers = range(math.ceil(least), math.floor(max(places.values())) + 1)
            ticks = [*(value for value in values if value <= 0), *(10.0**power for power in powers)]
        at = [places[tick] if tick in places else math.log10(tick) for tick in ticks]
        look |= {"tickvals": at, "ticktext": [f"{tick:g}" for tick in ticks]}
        look["title"] = {"text": f"{_plain(panel.x_label)}, log scale"}
    stand = sorted(places.values())
    gaps = np.diff(stand)
    reach = stand[-1] - stand[0]
    # Neither clouds of dots as wide as the axis, nor so narrow that they are lines.
    room = float(np.clip(gaps.min(), reach / 200, reach / 6)) if len(gaps) else 1.0
    return _Axis(places, room, look)


def _models(
    series: Series, look: _Look, axis: _Axis, said: Callable[[Series, int, int], Sequence[str]]
) -> dict[str, Any]:
    """Every model a dot, side by side within the series' place, so that equal ones show."""
    x, y, texts = [], [], []
    for place, (point, models) in enumerate(zip(series.points, series.models, strict=True)):
        for number, value in enumerate(models.values):
            along = look.left + look.width * (number + 1) / (len(models.values) + 1)
            x.append(round(axis.places[point.x] + axis.room * along, 10))
            y.append(round(value, 3))
            texts.append(_said(said(series, place, number)))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{_plain(series.label)}, one seed",
        "legendgroup": str(look.number),
        "showlegend": False,
        "x": x,
        "y": y,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": look.color, "symbol": look.symbol, "size": 6, "opacity": 0.3},
    }


def _means(
    drawn: Drawn,
    legend: Mapping[str, str],
    looks: Mapping[str, _Look],
    axis: _Axis,
    said: Callable[[Series, int], Sequence[str]],
    joined: bool,
) -> dict[str, Any]:
    series = drawn.series
    points, look = series.points, looks[series.label]
    off = _DODGE * (look.left + look.width / 2) * axis.room
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if joined else "markers",
        "name": _plain(legend[series.label]),
        "legendgroup": str(look.number),
        "x": [round(axis.places[point.x] + off, 10) for point in points],
        "y": [round(point.y, 3) for point in points],
        "text": [
            "<br>".join(_said(said(one, place)) for one in (series, *drawn.others))
            for place in range(len(points))
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": look.color, "width": 2, "dash": _DASHES[look.number]},
        "marker": {"color": look.color, "symbol": look.symbol, "size": 9},
    }
    if any(point.low is not None for point in points):
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [_side(point.high, point.y) for point in points],
            "arrayminus": [_side(point.low, point.y) for point in points],
            "color": look.color,
            "thickness": 1.5,
            "width": 4,
        }
    return trace


def _side(bound: float | None, mean: float) -> float | None:
    return None if bound is None else round(abs(bound - mean), 3)
