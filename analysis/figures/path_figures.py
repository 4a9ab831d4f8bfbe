"""What becomes of the first layer's weights as penalties grow: coefficient paths.

Hidden units have no order that two seeds share: unit 3 of one and unit 3 of another started from
other weights. So over seeds only what no order changes is averaged, the size of all weights that
leave an input. Within one seed each weight starts from the same number whatever λ is, so that it
can be followed.

Dimension letters: S seeds, H hidden units, F input features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.figures.by_sweep import present, to_point
from analysis.figures.captions import MOST_LINES, final_epoch_subtitle, sweep_plot
from analysis.figures.comparison import swept
from analysis.figures.penalty_rays import Ray, rays
from analysis.plotting.panels import Cell, LinePanel, MapPanel, Panel, Plot, Point, Series
from analysis.plotting.wording import counted
from analysis.reading.errors import Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import POSITIVE, Estimate, estimate
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

_MOST_STRANDS = 400  # of the weights of one model: more make one dark stripe
_MOST_MAPS = 4
_SIZE = "root of their summed squares"


class _First(NamedTuple):
    """Of each configuration, by its values, the first layer's weights (S, H, F) and which models
    did not diverge (S,); `names`: of its inputs.
    """

    weights: Mapping[Trial, Array]
    lasting: Mapping[Trial, NDArray[np.bool_]]
    names: Sequence[str]

    def size(self, trial: Trial, number: int) -> Estimate:
        """Of all weights that leave an input, over the models that did not diverge."""
        norms = np.linalg.norm(self.weights[trial][:, :, number], axis=1)
        return estimate(np.where(self.lasting[trial], norms, np.nan), POSITIVE)


def coefficient_paths(record: SweepRecord, title: str) -> Plot:
    """The size of what leaves each input, over seeds, and every weight of one seed, over log λ.

    Of two penalties for each mixture of them that has a path. Where none has, since both were drawn
    at random, a map of each input's size over both.
    """
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    along = rays(record)
    try:
        panels, notes = _drawn(record, _first_layer(record), along)
    except Stop as stop:
        panels = (_empty(str(stop)),)
    subtitle = final_epoch_subtitle(record, "band" if along else "interval in the table")
    plot = sweep_plot(record, "paths", title, subtitle, panels)
    columns = len(along) if len(along) > 1 else None if along else 2
    return replace(
        plot,
        notes=(*plot.notes, *notes),
        legend_title="input" if along else "",
        columns=columns if len(panels) > 1 else None,
    )


def _first_layer(record: SweepRecord) -> _First:
    trials = sorted(record.configurations, key=lambda one: swept(record, one))
    weights: dict[Trial, Array] = {
        trial: record.parameter(trial, "0.weight").astype(np.float64) for trial in trials
    }
    lasting: dict[Trial, NDArray[np.bool_]] = {
        trial: np.asarray(np.isfinite(record.curve(trial, Curve.TEST_LOSS)).all(axis=1))
        for trial in trials
    }
    features = weights[trials[0]].shape[2]
    names = record.manifest.dataset.get("feature_names") or ()
    if len(names) != features:
        names = [f"input {number}" for number in range(1, features + 1)]
    return _First(weights, lasting, names)


def _drawn(
    record: SweepRecord, first: _First, along: Sequence[Ray]
) -> tuple[tuple[Panel, ...], tuple[str, ...]]:
    alive = [trial for trial in first.weights if first.lasting[trial].any()]
    if not alive:
        return (_empty("every model diverged"),), ()
    features = range(len(first.names))
    least = [first.size(alive[0], number).mean or 0.0 for number in features]
    most = MOST_LINES if along else _MOST_MAPS
    inputs = sorted(sorted(features, key=lambda number: -least[number])[:most])
    notes = [
        "hidden units have no order that seeds share, so that over seeds the size of all weights "
        "of an input is averaged"
    ]
    if along:
        notes[0] += "; within one seed each weight starts from the same number at every value"
    if len(inputs) < len(first.names):
        notes.append(
            f"{len(inputs)} of {len(first.names)} inputs shown, the largest at the least value"
        )
    if not along:
        notes.append("no mixture of both has a path: no two configurations are of one ratio")
        return _maps(record, first, inputs), tuple(notes)
    kept = np.array(list(first.lasting.values()))  # (configurations, S)
    place = int(kept.sum(axis=0).argmax())  # the first seed of which most models lasted
    strands = [_strands(record, first, ray, inputs, place) for ray in along]
    sizes = [_sizes(record, first, ray, inputs) for ray in along]
    said = dict.fromkeys(note for _, note in strands if note)
    return (*sizes, *(panel for panel, _ in strands)), (*notes, *said)


def _sizes(record: SweepRecord, first: _First, ray: Ray, inputs: Sequence[int]) -> LinePanel:
    series = []
    for number in inputs:
        points = (
            to_point(x, first.size(trial, number), 1, record.run_of(trial))
            for trial, x in ray.at.items()
        )
        series.append(Series(first.names[number], present(points)))
    title = "all weights that leave an input, mean of seeds"
    return LinePanel(
        title=f"{ray.name}: {title}" if ray.name else title,
        x_label=ray.x_label,
        y_label=_SIZE,
        series=tuple(series),
        style="points",
        x_scale=ray.scale,
        x_ticks=ray.ticks,
    )


def _strands(
    record: SweepRecord, first: _First, ray: Ray, inputs: Sequence[int], place: int
) -> tuple[LinePanel, str]:
    """Every weight of one seed's models, and what is to be said where there are too many."""
    trials = [trial for trial in ray.at if first.lasting[trial][place]]
    units = first.weights[next(iter(ray.at))].shape[1]
    values = np.array([first.weights[trial][place] for trial in trials])
    values = values.reshape(len(trials), units, len(first.names))[:, :, inputs]
    sizes = np.abs(values).max(axis=0, initial=0.0)  # (H, inputs)
    largest = np.sort(sizes.ravel())[::-1]
    least = largest[min(_MOST_STRANDS, len(largest)) - 1]
    series = [
        Series(
            f"{first.names[number]} to unit {unit + 1}",
            tuple(
                Point(ray.at[trial], float(value), run_id=record.run_of(trial))
                for trial, value in zip(trials, values[:, unit, column], strict=True)
            ),
            kind=first.names[number],
        )
        for column, number in enumerate(inputs)
        for unit in range(units)
        if sizes[unit, column] >= least
    ]
    few = len(series) < sizes.size
    seed = next(iter(ray.at)).seeds[place]
    which = f"{ray.name}, seed {seed}" if ray.name else f"seed {seed} alone"
    panel = LinePanel(
        title=f"{which}: {'the largest weights' if few else 'every weight'} of the first layer",
        x_label=ray.x_label,
        y_label="weight",
        series=tuple(series),
        style="strand",
        x_scale=ray.scale,
        x_ticks=ray.ticks,
        zero_line=True,
        missing="" if trials else "every model of this seed diverged",
    )
    said = f"of one seed {len(series)} of {counted(sizes.size, 'weight')}, the largest ones"
    return panel, said if few else ""


def _maps(record: SweepRecord, first: _First, inputs: Sequence[int]) -> tuple[MapPanel, ...]:
    x_axis, y_axis = record.manifest.axes[:2]
    cells: dict[int, list[Cell]] = {number: [] for number in inputs}
    for number, trial in product(inputs, first.weights):
        x, y = swept(record, trial)[:2]
        mean, low, high, n, diverged = first.size(trial, number)
        if mean is not None:
            cells[number].append(Cell(x, y, mean, low, high, n, diverged, record.run_of(trial)))
    values = [cell.value for each in cells.values() for cell in each]
    return tuple(
        MapPanel(
            title=f"{first.names[number]}: all weights that leave it",
            x_label=x_axis.label,
            y_label=y_axis.label,
            value_label=_SIZE,
            cells=tuple(each),
            style="scatter",
            limits=(min(values), max(values)),
        )
        for number, each in cells.items()
    )


def _empty(why: str) -> LinePanel:
    return LinePanel("weights of the first layer", "", "", (), "points", missing=why)
