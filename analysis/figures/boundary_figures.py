"""Where a sweep's models change from one class to another, in a plane through the data.

Dimension letters: S seeds, C classes, G places along a side.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.figures.captions import fields_label, spread, sweep_plot
from analysis.plotting.panels import Plot
from analysis.plotting.region_panel import QUANTILES, RegionPanel, Row
from analysis.reading.dataset_rows import rows_of
from analysis.reading.errors import Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.networks import Networks, networks, scores
from analysis.recorded_models.plane import plane_of_most_variance
from trainables.data import Dataset
from trainables.result import Array

_PANELS = 4
_PLACES = 60  # along each side of a panel


def decision_boundaries(record: SweepRecord, title: str) -> Plot:
    """The class that models give each place of a plane, at a few of the swept values."""
    try:
        dataset = rows_of(record)
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
    plane = plane_of_most_variance(dataset, record.usable[0].hyperparameters.standardize)
    x, y = plane.sides(_PLACES)
    across, up = np.meshgrid(x, y)
    places = plane.origin + np.stack([across.ravel(), up.ravel()], axis=1) @ plane.along
    rows = tuple(
        Row(float(at[0]), float(at[1]), int(of))
        for at, of in zip(plane.points, dataset.y, strict=True)
    )
    panels = []
    shown = spread(record, _PANELS)
    for trial in shown:
        models = networks(record, trial, dataset)
        n = int(models.sound.sum())
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
                diverged=len(models.sound) - n,
                run_id=record.run_of(trial),
                missing="" if n else f"{trial.name}: every model diverged",
            )
        )
    left = len(record.configurations) - len(shown)
    few = f"{len(shown)} of {len(record.configurations)} configurations, spread evenly"
    words = f"{plane.about} A row stands where it falls onto the plane: its own side may differ"
    return panels, (words, *([few] if left else []))


def _votes(models: Networks, places: Array, classes: int) -> tuple[Array, Array]:
    """(C, G²): of the models that did not diverge how many, from 0 to 1, give each class there; and
    (quantiles, C, G²) of how far its score is above the highest of the others.
    """
    lasting = np.flatnonzero(models.sound)
    margins = np.zeros((max(len(lasting), 1), classes, len(places)), dtype=np.float32)
    for number, place in enumerate(lasting):
        margins[number] = _above_others(scores(models, int(place), places)).T
    shares: Array = (margins > 0).mean(axis=0)
    return shares, np.quantile(margins, QUANTILES, axis=0)


def _above_others(found: Array) -> Array:
    """(N, C): each score minus the highest of the other classes."""
    by_size = np.sort(found, axis=1)
    first, second = by_size[:, -1:], by_size[:, -2:-1]
    above: Array = found - np.where(found == first, second, first)
    return above
