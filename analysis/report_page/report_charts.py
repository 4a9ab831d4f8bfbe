"""The report's interactive charts: which values they show, and what is said at each mark.

The values are those of the figures; here every model behind them is added, to be pointed at.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from analysis.figures.by_sweep import accuracy_by_second_value, training_and_test
from analysis.figures.comparison import Row, compare
from analysis.plotting.draw_plotly import MOST_SERIES, draw_points, shortened
from analysis.plotting.panels import Dots, LinePanel, Series
from analysis.plotting.wording import ONE_SEED, with_interval
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD
from trainables.record_format import Curve
from trainables.trial import Trial

MOST_SEEDS = 200  # a configuration's dots beyond these only hide each other


class Chart(NamedTuple):
    """`data` and `layout` are Plotly's, `narrow` is the layout for a small screen; `notes`: what is
    not drawn, and why; `missing`: why there is nothing to draw.
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    narrow: dict[str, Any]
    notes: tuple[str, ...]
    missing: str


def accuracy_chart(record: SweepRecord) -> Chart:
    """Training and test accuracy against the swept value.

    Of a sweep of two values, test accuracy against the first, a line for each of the second.
    """
    axes = record.manifest.axes
    if len(axes) > 2:
        return Chart([], {}, {}, (), f"{len(axes)} swept values: no chart has so many axes")
    rows = compare(record)
    drawn = [row for row in rows if row.test.mean is not None]
    notes = _notes(record, rows)
    if not drawn:
        why = "every model diverged" if rows else "no trial is recorded"
        return Chart([], {}, {}, notes, f"nothing to draw: {why}")
    if len(axes) == 1:
        panel = training_and_test(record, drawn)
        metrics = [Curve.TRAIN_ACCURACY, Curve.TEST_ACCURACY]
    else:
        panel = accuracy_by_second_value(record, drawn)
        metrics = [Curve.TEST_ACCURACY] * len(panel.series)
    if len(panel.series) > MOST_SERIES:
        missing = f"{len(panel.series)} values of {axes[1].label}: too many lines"
        return Chart([], {}, {}, notes, missing)
    found = draw_points(_with_models(record, panel, metrics), _point_said, _model_said)
    # As sentences, like the other notes.
    said = [f"{note[:1].upper()}{note[1:]}." for note in found.notes]
    narrow = _narrowed(found.layout, len(panel.series))
    return Chart(found.data, found.layout, narrow, (*notes, *said), "")


def _narrowed(layout: Mapping[str, Any], entries: int) -> dict[str, Any]:
    """The layout for a screen of 390 pixels: its legend below, an entry to a line."""
    said = layout["xaxis"]["title"]["text"]
    below = {"orientation": "v", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    return {
        **layout,
        "xaxis": {
            **layout["xaxis"],
            "title": {"text": "<br>".join(textwrap.wrap(said, 42, break_long_words=False))},
        },
        "legend": below,
        "font": {**layout["font"], "size": 12},
        "margin": {"t": 10, "r": 8, "l": 52, "b": 62 + 19 * entries},
    }


def _with_models(record: SweepRecord, panel: LinePanel, metrics: Sequence[str]) -> LinePanel:
    """The panel with the models behind every point; `metrics`: what each series is the mean of."""
    trials = {record.run_of(trial): trial for trial in record.configurations}
    series = tuple(
        one._replace(models=tuple(_models(record, trials[p.run_id], metric) for p in one.points))
        for one, metric in zip(panel.series, metrics, strict=True)
    )
    return replace(panel, series=series)


def _models(record: SweepRecord, trial: Trial, metric: str) -> Dots:
    finals = 100 * record.final(trial, metric)
    alive = np.isfinite(finals)
    shown = np.flatnonzero(alive[:MOST_SEEDS])
    return Dots(
        label=trial.name,
        seeds=tuple(trial.seeds[number] for number in shown),
        values=tuple(finals[shown].tolist()),
        diverged=int((~alive).sum()),
        run_id=record.run_of(trial),
    )


def _point_said(series: Series, place: int) -> tuple[str, ...]:
    point = series.points[place]
    models = f"n = {point.n} seed{'s' * (point.n != 1)}"
    text = with_interval((point.y, point.low, point.high), ".2", " %", ONE_SEED)
    return (
        shortened(series.models[place].label),
        f"{shortened(series.label)}: {text}",
        models + f", {point.diverged} diverged" * (point.diverged > 0),
        f"run {shortened(point.run_id)}",
    )


def _model_said(series: Series, place: int, number: int) -> tuple[str, ...]:
    models = series.models[place]
    return (
        f"{shortened(models.label)}, seed {models.seeds[number]}",
        f"{shortened(series.label)}: {models.values[number]:.2f} %",
        f"run {shortened(models.run_id)}",
    )


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
