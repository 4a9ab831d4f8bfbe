"""Accuracy against a hyperparameter as values that plotly.js draws: means, intervals, every seed.

Everything is laid out here, so that the page's script only hands it on. Dimension letter: S seeds.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from analysis.comparison import Row, compare, swept
from analysis.record import SweepRecord
from analysis.stats import METHOD, Estimate

_COLORS = {"train": "#1b3a6b", "test": "#b35806"}
_SYMBOLS = {"train": "circle", "test": "square"}  # told apart in grey print too
_NAMES = {"train": "training", "test": "test"}
MOST_SEEDS = 200  # a configuration's points beyond these only hide each other
_MOST_TICKS = 12
_LONGEST = 60  # characters of a name in a hover text
_HALF = 0.42  # of the room between two values, the share that one side's points take
_DODGE = 0.06  # of that room: how far means stand off their value, so that bars do not hide bars


class Chart(NamedTuple):
    """`data` and `layout` are Plotly's; `notes`: what is not drawn, and why; `missing`: why there
    is nothing to draw.
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    notes: tuple[str, ...]
    missing: str


class _Axis(NamedTuple):
    """Where the values stand, how wide their room is, and what is written below them."""

    places: list[float]
    room: float
    layout: dict[str, Any]


def accuracy_chart(record: SweepRecord) -> Chart:
    """Training and test accuracy of a sweep of one hyperparameter."""
    if len(record.manifest.axes) != 1:
        return Chart(
            [], {}, (), f"{len(record.manifest.axes)} swept values: no single axis to draw"
        )
    rows = [row for row in compare(record) if not getattr(row.trial, "exchanged", "")]
    drawn = [row for row in rows if row.test.mean is not None and row.train.mean is not None]
    notes = _notes(record, rows)
    if not drawn:
        why = "every model diverged" if rows else "no trial is recorded"
        return Chart([], {}, notes, f"nothing to draw: {why}")
    axis = _axis(record, drawn)
    data = [
        *(_seeds(record, drawn, axis, part) for part in ("train", "test")),
        *(_means(drawn, axis, part) for part in ("train", "test")),
    ]
    layout = {
        "xaxis": axis.layout,
        "yaxis": {"title": {"text": "accuracy (%)"}, "zeroline": False},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "font": {"size": 14, "color": "#222"},
        "margin": {"t": 20, "r": 15, "l": 60, "b": 55},
    }
    return Chart(data, layout, notes, "")


def plain(text: str) -> str:
    """The text as it is: Plotly reads some HTML in the texts that it draws."""
    short = textwrap.shorten(text, _LONGEST, placeholder=" …") if " " in text else text
    short = short if len(short) <= _LONGEST else f"{short[:_LONGEST]}…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _axis(record: SweepRecord, rows: Sequence[Row]) -> _Axis:
    (axis,) = record.manifest.axes
    values = [swept(record, row.trial)[0] for row in rows]
    look: dict[str, Any] = {"title": {"text": plain(axis.label)}, "zeroline": False}
    places = list(map(float, values))
    if axis.log:
        # A log scale has no place for 0: it stands one step left of the least, and is marked so.
        positive = [value for value in values if value > 0]
        least = math.log10(min(positive, default=1))
        places = [math.log10(value) if value > 0 else least - 0.5 for value in values]
        ticks = dict(sorted(zip(places, values, strict=True)))
        if len(ticks) > _MOST_TICKS:
            inside = range(math.ceil(least), math.floor(max(places)) + 1)
            zero = {place: 0.0 for place, value in ticks.items() if value <= 0}
            ticks = zero | {float(power): 10.0**power for power in inside}
        look |= {"tickvals": list(ticks), "ticktext": [f"{value:g}" for value in ticks.values()]}
        look["title"] = {"text": f"{plain(axis.label)}, log scale"}
    gaps = np.diff(sorted(set(places)))
    reach = max(places) - min(places)
    room = max(float(gaps.min()), reach / 200) if len(gaps) else 1.0
    return _Axis(places, room, look)


def _seeds(record: SweepRecord, rows: Sequence[Row], axis: _Axis, part: str) -> dict[str, Any]:
    """Every model a point, training left and test right of its value, so that equal ones show."""
    x, y, texts = [], [], []
    side = -1 if part == "train" else 1
    for row, place in zip(rows, axis.places, strict=True):
        finals = 100 * record.final(row.trial, f"{part}/accuracy")[:MOST_SEEDS]
        for number, (seed, value) in enumerate(zip(row.trial.seeds, finals, strict=False)):
            if not np.isfinite(value):
                continue
            along = (number + 1) / (len(finals) + 1)
            x.append(round(place + side * axis.room * (_DODGE + (_HALF - _DODGE) * along), 10))
            y.append(round(float(value), 3))
            texts.append(
                f"<b>{plain(row.trial.name)}, seed {seed}</b><br>"
                f"{_NAMES[part]} {value:.2f} %<br>run {plain(row.run_id)}"
            )
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{_NAMES[part]}, one seed",
        "x": x,
        "y": y,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": _COLORS[part], "symbol": _SYMBOLS[part], "size": 6, "opacity": 0.3},
    }


def _means(rows: Sequence[Row], axis: _Axis, part: str) -> dict[str, Any]:
    found: list[Estimate] = [getattr(row, part) for row in rows]
    means = [100 * (one.mean or 0.0) for one in found]
    side = -1 if part == "train" else 1
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{_NAMES[part]}, mean",
        "x": [round(place + side * _DODGE * axis.room, 10) for place in axis.places],
        "y": [round(mean, 3) for mean in means],
        "text": [
            f"<b>{plain(row.trial.name)}</b><br>{_NAMES[part]} {interval_text(one)}<br>"
            f"{models_text(one)}<br>run {plain(row.run_id)}"
            for row, one in zip(rows, found, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": _COLORS[part], "width": 2, "dash": "solid" if side < 0 else "dash"},
        "marker": {"color": _COLORS[part], "symbol": _SYMBOLS[part], "size": 9},
    }
    if any(one.low is not None for one in found):
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [_side(one.high, mean) for one, mean in zip(found, means, strict=True)],
            "arrayminus": [_side(one.low, mean) for one, mean in zip(found, means, strict=True)],
            "color": _COLORS[part],
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
