"""Accuracy against hyperparameters as values that plotly.js draws: means, intervals, every seed.

Everything is laid out here, so that the page's script only hands it on. Dimension letter: S seeds.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from analysis.figures.comparison import Row, compare, swept
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, Estimate
from trainables.record_format import Curve

MOST_SEEDS = 200  # a configuration's points beyond these only hide each other
# Groups differ in colour, mark and dash, so that they are told apart in grey print too.
_COLORS = ("#1b3a6b", "#b35806", "#2d6a1e", "#8c2d75", "#1f6f6a", "#8a1c1c")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MOST_TICKS = 12
_LONGEST = 60  # characters of a name in a hover text
_SPREAD = 0.84  # of the room between two values, the share that the points of all seeds take
_DODGE = 0.3  # how far means stand off their value, of the middle of their points: bars hide bars


class Chart(NamedTuple):
    """`data` and `layout` are Plotly's; `notes`: what is not drawn, and why; `missing`: why there
    is nothing to draw.
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    notes: tuple[str, ...]
    missing: str


class _Group(NamedTuple):
    """Marks of one look, joined by a line: an accuracy of some configurations."""

    label: str
    part: str
    rows: Sequence[Row]


class _Axis(NamedTuple):
    """Where each value stands, how wide their room is, and what is written below them."""

    places: dict[float, float]
    room: float
    layout: dict[str, Any]


def accuracy_chart(record: SweepRecord) -> Chart:
    """Training and test accuracy against the swept value.

    Of a sweep of two values, test accuracy against the first, a line for each of the second.
    """
    if len(record.manifest.axes) > 2:
        missing = f"{len(record.manifest.axes)} swept values: no chart has so many axes"
        return Chart([], {}, (), missing)
    rows = compare(record)
    drawn = [row for row in rows if row.test.mean is not None]
    notes = _notes(record, rows)
    if not drawn:
        why = "every model diverged" if rows else "no trial is recorded"
        return Chart([], {}, notes, f"nothing to draw: {why}")
    groups = _groups(record, drawn)
    if len(groups) > len(_COLORS):
        missing = f"{len(groups)} values of {record.manifest.axes[1].label}: too many lines"
        return Chart([], {}, notes, missing)
    axis, several = _axis(record, drawn), len(record.manifest.axes) > 1
    numbered = list(enumerate(groups))
    data = [
        *(_seeds(record, group, axis, number, len(groups)) for number, group in numbered),
        *(_means(record, group, axis, number, len(groups)) for number, group in numbered),
    ]
    layout = {
        "xaxis": axis.layout,
        "yaxis": {"title": {"text": f"{'test ' * several}accuracy (%)"}, "zeroline": False},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "font": {"size": 14, "color": "#222"},
        "margin": {"t": 20, "r": 15, "l": 60, "b": 55},
    }
    return Chart(data, layout, notes, "")


def _groups(record: SweepRecord, rows: Sequence[Row]) -> list[_Group]:
    if len(record.manifest.axes) == 1:
        return [_Group("training", "train", rows), _Group("test", "test", rows)]
    field = record.manifest.axes[1].field
    values = sorted({swept(record, row.trial)[1] for row in rows})
    return [
        _Group(
            f"{field} = {value:g}",
            "test",
            [row for row in rows if swept(record, row.trial)[1] == value],
        )
        for value in values
    ]


def plain(text: str) -> str:
    """The text as it is: Plotly reads some HTML in the texts that it draws."""
    short = textwrap.shorten(text, _LONGEST, placeholder=" …") if " " in text else text
    short = short if len(short) <= _LONGEST else f"{short[:_LONGEST]}…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _axis(record: SweepRecord, rows: Sequence[Row]) -> _Axis:
    axis = record.manifest.axes[0]
    values = sorted({float(swept(record, row.trial)[0]) for row in rows})
    look: dict[str, Any] = {"title": {"text": plain(axis.label)}, "zeroline": False}
    places = dict(zip(values, values, strict=True))
    if axis.log:
        # A log scale has no place for 0: it stands one step left of the least, and is marked so.
        least = math.log10(min((value for value in values if value > 0), default=1))
        places = {value: math.log10(value) if value > 0 else least - 0.5 for value in values}
        ticks = values
        if len(values) > _MOST_TICKS:
            powers = range(math.ceil(least), math.floor(max(places.values())) + 1)
            ticks = [*(value for value in values if value <= 0), *(10.0**power for power in powers)]
        at = [places[tick] if tick in places else math.log10(tick) for tick in ticks]
        look |= {"tickvals": at, "ticktext": [f"{tick:g}" for tick in ticks]}
        look["title"] = {"text": f"{plain(axis.label)}, log scale"}
    stand = sorted(places.values())
    gaps = np.diff(stand)
    reach = stand[-1] - stand[0]
    # Neither clouds of points as wide as the axis, nor so narrow that they are lines.
    room = float(np.clip(gaps.min(), reach / 200, reach / 6)) if len(gaps) else 1.0
    return _Axis(places, room, look)


def _slot(number: int, of: int) -> tuple[float, float]:
    """Left edge and width of a group's place around a value, in shares of the value's room."""
    return _SPREAD * (number / of - 0.5), _SPREAD / of


def _seeds(record: SweepRecord, group: _Group, axis: _Axis, number: int, of: int) -> dict[str, Any]:
    """Every model a point, side by side within the group's place, so that equal ones show."""
    x, y, texts = [], [], []
    left, width = _slot(number, of)
    for row in group.rows:
        place = axis.places[swept(record, row.trial)[0]]
        finals = 100 * record.final(row.trial, Curve.accuracy(group.part))[:MOST_SEEDS]
        for count, (seed, value) in enumerate(zip(row.trial.seeds, finals, strict=False)):
            if not np.isfinite(value):
                continue
            along = left + width * (count + 1) / (len(finals) + 1)
            x.append(round(place + axis.room * along, 10))
            y.append(round(float(value), 3))
            texts.append(
                f"<b>{plain(row.trial.name)}, seed {seed}</b><br>"
                f"{plain(group.label)}: {value:.2f} %<br>run {plain(row.run_id)}"
            )
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{plain(group.label)}, one seed",
        "legendgroup": str(number),
        "showlegend": False,
        "x": x,
        "y": y,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": _COLORS[number],
            "symbol": _SYMBOLS[number],
            "size": 6,
            "opacity": 0.3,
        },
    }


def _means(record: SweepRecord, group: _Group, axis: _Axis, number: int, of: int) -> dict[str, Any]:
    found: list[Estimate] = [getattr(row, group.part) for row in group.rows]
    means = [100 * (one.mean or 0.0) for one in found]
    left, width = _slot(number, of)
    off = _DODGE * (left + width / 2) * axis.room
    values = [swept(record, row.trial)[0] for row in group.rows]
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": plain(group.label),
        "legendgroup": str(number),
        "x": [round(axis.places[value] + off, 10) for value in values],
        "y": [round(mean, 3) for mean in means],
        "text": [
            f"<b>{plain(row.trial.name)}</b><br>{plain(group.label)}: {interval_text(one)}<br>"
            f"{models_text(one)}<br>run {plain(row.run_id)}"
            for row, one in zip(group.rows, found, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": _COLORS[number], "width": 2, "dash": _DASHES[number]},
        "marker": {"color": _COLORS[number], "symbol": _SYMBOLS[number], "size": 9},
    }
    if any(one.low is not None for one in found):
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [_side(one.high, mean) for one, mean in zip(found, means, strict=True)],
            "arrayminus": [_side(one.low, mean) for one, mean in zip(found, means, strict=True)],
            "color": _COLORS[number],
            "thickness": 1.5,
            "width": 4,
        }
    return trace


def _side(bound: float | None, mean: float) -> float | None:
    return None if bound is None else round(abs(100 * bound - mean), 3)


def interval_text(found: Estimate, form: str = ".2f") -> str:
    """`95.20 % [94.10, 96.30]`, or the word for what there is not."""
    if found.mean is None:
        return "diverged"
    text = f"{100 * found.mean:{form}} %"
    if found.low is None or found.high is None:
        return f"{text} (one seed: no interval)"
    return f"{text} [{100 * found.low:{form}}, {100 * found.high:{form}}]"


def models_text(found: Estimate) -> str:
    """`n = 10 seeds`, and how many models diverged."""
    text = f"n = {found.n} seed{'s' * (found.n != 1)}"
    return f"{text}, {found.diverged} diverged" if found.diverged else text


def _notes(record: SweepRecord, rows: Sequence[Row]) -> tuple[str, ...]:
    notes = []
    seeds = len(record.manifest.trials[0].seeds)
    notes.append("Faint points: single seeds. Strong marks: their means.")
    notes.append(f"Bars: {METHOD} over seeds." if seeds > 1 else "One seed: no interval.")
    if seeds > MOST_SEEDS:
        notes.append(f"Points: the first {MOST_SEEDS} of {seeds} seeds.")
    if lost := sum(row.test.diverged for row in rows):
        notes.append(f"Models that diverged and are left out: {lost}.")
    if gone := [row.trial.name for row in rows if row.test.mean is None]:
        notes.append(f"Not drawn, since every model diverged: {', '.join(gone)}.")
    if record.partial:
        notes.append(f"{record.partial.capitalize()}.")
    return tuple(notes)
