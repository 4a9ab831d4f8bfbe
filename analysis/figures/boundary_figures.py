"""Where a sweep's models change from one class to another, in a plane through the data.

Dimension letters: S seeds, D rows of the dataset, F features, C classes, G places along an axis.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.figures.captions import fields_label, spread, sweep_plot
from analysis.plotting.panels import Plot
from analysis.plotting.region_panel import QUANTILES, RegionPanel, Row
from analysis.reading.errors import Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.predictions import Models, dataset_of, models_of
from trainables.data import Dataset
from trainables.result import Array

_PANELS = 4
_PLACES = 60  # along each axis
_ROOM = 0.06  # around the rows, of their range


class _Plane(NamedTuple):
    """A plane through the data: a place (u, v) of it is the row centre + (u, v) @ directions,
    `rows` (D, 2) are where the data's rows stand on it, `labels` what its axes are called.
    """

    centre: Array  # (F,)
    directions: Array  # (2, F)
    rows: Array
    labels: tuple[str, str]
    words: str


def decision_boundaries(record: SweepRecord, title: str) -> Plot:
    """The class that models give each place of a plane, at a few of the swept values."""
    try:
        dataset = dataset_of(record)
        panels, words = _drawn(record, dataset)
    except Stop as stop:
        empty = np.zeros(0)
        panels = [RegionPanel("classes", "", "", (), (), (), empty, empty, (), missing=str(stop))]
        words = ()
    seeds = len(record.manifest.trials[0].seeds)
    subtitle = f"the models of {seeds} seeds" if seeds > 1 else "1 seed"
    plot = sweep_plot(record, "boundaries", title, f"{subtitle} after their last epoch", panels)
    columns = 2 if len(panels) > 1 else None
    return replace(plot, notes=(*plot.notes, *words), columns=columns)


def _drawn(record: SweepRecord, dataset: Dataset) -> tuple[list[RegionPanel], tuple[str, ...]]:
    plane = _plane(dataset, record.usable[0].hyperparameters.standardize)
    low, high = plane.rows.min(axis=0), plane.rows.max(axis=0)
    room = _ROOM * (high - low)
    x, y = np.linspace(low - room, high + room, _PLACES).T
    across, up = np.meshgrid(x, y)
    places = plane.centre + np.stack([across.ravel(), up.ravel()], axis=1) @ plane.directions
    rows = tuple(
        Row(float(at[0]), float(at[1]), int(of))
        for at, of in zip(plane.rows, dataset.y, strict=True)
    )
    panels = []
    shown = spread(record, _PANELS)
    for trial in shown:
        models = models_of(record, trial)
        n = int(models.lasting.sum())
        shares, margins = _votes(models, places, len(dataset.class_names))
        panels.append(
            RegionPanel(
                title=f"{fields_label(record, trial)}, n = {n}",
                x_label=plane.labels[0],
                y_label=plane.labels[1],
                classes=dataset.class_names,
                x=tuple(x.tolist()),
                y=tuple(y.tolist()),
                shares=shares.reshape(-1, _PLACES, _PLACES),
                margins=margins.reshape(len(QUANTILES), -1, _PLACES, _PLACES),
                rows=rows,
                n=n,
                diverged=len(models.lasting) - n,
                run_id=record.run_of(trial),
                missing="" if n else f"{trial.name}: every model diverged",
            )
        )
    left = len(record.configurations) - len(shown)
    few = f"{len(shown)} of {len(record.configurations)} configurations, spread evenly"
    return panels, (plane.words, *([few] if left else []))


def _votes(models: Models, places: Array, classes: int) -> tuple[Array, Array]:
    """(C, G²): of the models that did not diverge how many, from 0 to 1, give each class there; and
    (quantiles, C, G²) of how far its score is above the highest of the others.
    """
    lasting = np.flatnonzero(models.lasting)
    margins = np.zeros((max(len(lasting), 1), classes, len(places)), dtype=np.float32)
    for number, place in enumerate(lasting):
        scores = models.scores(int(place), places)  # (G², C)
        margins[number] = _above_others(scores).T
    shares: Array = (margins > 0).mean(axis=0)
    return shares, np.quantile(margins, QUANTILES, axis=0)


def _above_others(scores: Array) -> Array:
    """(N, C): each score minus the highest of the other classes."""
    by_size = np.sort(scores, axis=1)
    first, second = by_size[:, -1:], by_size[:, -2:-1]
    above: Array = scores - np.where(scores == first, second, first)
    return above


def _plane(dataset: Dataset, standardize: bool) -> _Plane:
    """The plane of the two features, or of the first two principal components of all rows.

    Of standardised models the components are those of standardised rows.
    """
    x = dataset.x
    names = dataset.feature_names
    if x.shape[1] == 2:
        words = "dots: all rows of the data"
        return _Plane(np.zeros(2), np.eye(2), x, (names[0], names[1]), words)
    centre, scale = x.mean(axis=0), np.ones(x.shape[1])
    if standardize:
        deviation = x.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
    _, strengths, components = np.linalg.svd((x - centre) / scale, full_matrices=False)
    components = components[:2]
    # A component has no sign of its own: its largest part is positive.
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(2), largest])[:, None]
    parts = strengths**2 / (strengths**2).sum()
    labels = [
        f"{word} principal component ({100 * part:.0f} % of the variance)"
        for word, part in zip(("first", "second"), parts, strict=False)
    ]
    words = (
        "the plane of the first two principal components of all rows, through their mean; a row "
        "stands where it falls onto the plane, and may be on the other side of a boundary itself"
    )
    rows = (x - centre) / scale @ components.T
    return _Plane(centre, components * scale, rows, (labels[0], labels[1]), words)
