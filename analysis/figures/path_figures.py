"""What becomes of the first layer's weights as a penalty grows: coefficient paths.

Hidden units have no order that two seeds share: unit 3 of one and unit 3 of another started from
other weights. So over seeds only what no order changes is averaged, the size of all weights that
leave an input. Within one seed each weight starts from the same number whatever λ is, so that it
can be followed.

Dimension letters: S seeds, H hidden units, F input features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.figures.by_sweep import present, to_point
from analysis.figures.captions import MOST_LINES, final_epoch_subtitle, sweep_plot
from analysis.figures.comparison import swept
from analysis.plotting.panels import LinePanel, Plot, Point, Scale, Series
from analysis.plotting.wording import counted
from analysis.reading.errors import Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import POSITIVE, estimate
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

_MOST_STRANDS = 400  # of the weights of one model: more make one dark stripe


class _First(NamedTuple):
    """Of each configuration, by its value, the first layer's weights (S, H, F) and which models
    did not diverge (S,); `names`: of its inputs.
    """

    weights: Mapping[Trial, Array]
    lasting: Mapping[Trial, NDArray[np.bool_]]
    names: Sequence[str]


def coefficient_paths(record: SweepRecord, title: str) -> Plot:
    """The size of what leaves each input, over seeds, and every weight of one seed, over log λ."""
    panels: tuple[LinePanel, ...]
    notes: tuple[str, ...] = ()
    try:
        panels, notes = _drawn(record, _first_layer(record))
    except Stop as stop:
        panels = (_panel(record, "weights of the first layer", "", (), missing=str(stop)),)
    subtitle = final_epoch_subtitle(record, "band")
    plot = sweep_plot(record, "paths", title, subtitle, panels)
    return replace(plot, notes=(*plot.notes, *notes), legend_title="input")


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


def _drawn(record: SweepRecord, first: _First) -> tuple[tuple[LinePanel, ...], tuple[str, ...]]:
    norms = {trial: np.linalg.norm(values, axis=1) for trial, values in first.weights.items()}
    alive = [norms[trial][first.lasting[trial]] for trial in norms if first.lasting[trial].any()]
    if not alive:
        lost = _panel(record, "weights of the first layer", "", (), missing="every model diverged")
        return (lost,), ()
    by_size = np.argsort(-alive[0].mean(axis=0), kind="stable")
    inputs = sorted(by_size[:MOST_LINES].tolist())
    panels = [
        _panel(
            record,
            "all weights that leave an input, mean of seeds",
            "root of their summed squares",
            [_of_input(record, first, norms, number) for number in inputs],
        )
    ]
    notes = [
        "hidden units have no order that seeds share, so that over seeds the size of all weights "
        "of an input is averaged; within one seed each weight starts from the same number at "
        "every value"
    ]
    if len(inputs) < len(first.names):
        notes.append(
            f"{len(inputs)} of {len(first.names)} inputs shown, the largest at the least value"
        )
    strands, note = _strands(record, first, inputs)
    return (*panels, strands), (*notes, *note)


def _of_input(
    record: SweepRecord, first: _First, norms: Mapping[Trial, Array], number: int
) -> Series:
    points = (
        to_point(
            swept(record, trial)[0],
            estimate(np.where(first.lasting[trial], sizes[:, number], np.nan), POSITIVE),
            1,
            record.run_of(trial),
        )
        for trial, sizes in norms.items()
    )
    return Series(first.names[number], present(points))


def _strands(
    record: SweepRecord, first: _First, inputs: Sequence[int]
) -> tuple[LinePanel, tuple[str, ...]]:
    """Every weight of the first seed whose models all lasted, or of that with most that did."""
    kept = np.array(list(first.lasting.values()))  # (configurations, S)
    place = int(kept.sum(axis=0).argmax())
    trials = [trial for trial in first.weights if first.lasting[trial][place]]
    values = np.array([first.weights[trial][place] for trial in trials])[:, :, inputs]
    sizes = np.abs(values).max(axis=0)  # (H, inputs)
    largest = np.sort(sizes.ravel())[::-1]
    least = largest[min(_MOST_STRANDS, len(largest)) - 1]
    series = [
        Series(
            f"{first.names[number]} to unit {unit + 1}",
            tuple(
                Point(swept(record, trial)[0], float(value), run_id=record.run_of(trial))
                for trial, value in zip(trials, values[:, unit, column], strict=True)
            ),
            kind=first.names[number],
        )
        for column, number in enumerate(inputs)
        for unit in range(values.shape[1])
        if sizes[unit, column] >= least
    ]
    shown = "every weight" if len(series) == sizes.size else "the largest weights"
    seed = trials[0].seeds[place]
    panel = _panel(
        record,
        f"seed {seed} alone: {shown} of the first layer",
        "weight",
        series,
        style="strand",
        zero_line=True,
    )
    few = len(series) < sizes.size
    note = f"right: {len(series)} of {counted(sizes.size, 'weight')}, the largest ones"
    return panel, (note,) if few else ()


def _panel(
    record: SweepRecord, title: str, y_label: str, series: Sequence[Series], **more: object
) -> LinePanel:
    panel = LinePanel(
        title=title,
        x_label=f"{record.manifest.axes[0].label}, log scale",
        y_label=y_label,
        series=tuple(series),
        style="points",
        x_scale=_log(record),
    )
    return replace(panel, **more)  # type: ignore[arg-type]


def _log(record: SweepRecord) -> Scale:
    """A log scale, with room for 0 where it is among the values."""
    return "symlog" if any(swept(record, one)[0] <= 0 for one in record.configurations) else "log"
