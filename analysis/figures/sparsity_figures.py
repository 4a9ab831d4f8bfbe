"""How large a sweep's weights are and how many of them are near zero, against what was swept.

Dimension letters: S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.figures.by_sweep import present, to_point, value_scale
from analysis.figures.captions import final_epoch_subtitle, sweep_plot, trial_label
from analysis.figures.comparison import swept
from analysis.figures.maps import map_style
from analysis.plotting.panels import Cell, LinePanel, MapPanel, Panel, Plot, Series
from analysis.plotting.wording import ONE_SEED, with_interval
from analysis.reading.errors import Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.weight_evidence import weights
from analysis.stats.seeds import POSITIVE, Bounds, Estimate, estimate
from trainables.record_format import Final, Metric
from trainables.trial import Trial

_PERCENT: Bounds = (0.0, 100.0)
_ZEROS = "all weights"
_LIVE = "weights of units that are not silent"
_SILENT = "hidden units that are silent"
_NORM = "norm of all weights"
_WITHIN: Mapping[str, Bounds] = {
    _ZEROS: _PERCENT,
    _LIVE: _PERCENT,
    _SILENT: _PERCENT,
    _NORM: POSITIVE,
}
_WORDS = (
    "near zero: a weight below 1/1000 of its layer's largest, as "
    f"{Metric.FINAL}{Final.SPARSITY} counts",
    "silent: a hidden unit whose weights in times weights out are below 1/1000 of its layer's "
    "strongest",
)
_LOST = "every model diverged"

Sizes = Mapping[str, Estimate]


def weights_against_value(record: SweepRecord, title: str) -> Plot:
    """The share of weights near zero, of all and of those that matter, and the norm of all.

    Over two swept values as maps, else as lines.
    """
    missing, found = "", {}
    try:
        found = _sizes(record)
    except Stop as stop:
        missing = str(stop)
    drawn = _maps if len(record.manifest.axes) > 1 else _lines
    panels = [replace(one, missing=missing or one.missing) for one in drawn(record, found)]
    grid = len(record.manifest.axes) > 1 and map_style(record) == "grid"
    subtitle = final_epoch_subtitle(record, "±" if grid else "band")
    plot = sweep_plot(record, "weights", title, subtitle, panels)
    return replace(plot, notes=(*plot.notes, "; ".join(_WORDS)))


def weights_against_value_reading(record: SweepRecord) -> str:
    """Weights near zero and their norm, the baseline beside the greatest value."""
    try:
        found = {trial: sizes for trial, sizes in _sizes(record).items() if sizes[_NORM].n}
    except Stop as stop:
        return f"No weights can be read: {stop}."
    if not found:
        return "Every model diverged, so there are no weights."
    greatest = max(found, key=lambda trial: swept(record, trial))
    said = []
    for trial in dict.fromkeys((*(one for one in found if one == record.baseline), greatest)):
        zeros, norm = found[trial][_ZEROS], found[trial][_NORM]
        said.append(
            f"{with_interval(zeros[:3], '.2', ' %', ONE_SEED)} of the weights are near zero and "
            f"the norm is {with_interval(norm[:3], '.3', '', ONE_SEED)} at "
            f"{trial_label(record, trial)}"
        )
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _sizes(record: SweepRecord) -> dict[Trial, Sizes]:
    """Of each configuration, by its swept values, the means over its models with intervals."""
    found: dict[Trial, Sizes] = {}
    for trial in sorted(record.configurations, key=lambda one: swept(record, one)):
        values = dict(zip((_NORM, _ZEROS, _LIVE, _SILENT), weights(record, trial), strict=True))
        found[trial] = {name: estimate(values[name], _WITHIN[name]) for name in _WITHIN}
    return found


def _lines(record: SweepRecord, found: Mapping[Trial, Sizes]) -> list[Panel]:
    axis = record.manifest.axes[0]

    def panel(title: str, y_label: str, names: Sequence[str]) -> LinePanel:
        series = []
        for name in names:
            points = (
                to_point(swept(record, trial)[0], sizes[name], 1, record.run_of(trial))
                for trial, sizes in found.items()
            )
            series.append(Series(name, present(points)))
        return LinePanel(
            title=title,
            x_label=axis.label,
            y_label=y_label,
            series=tuple(series),
            missing="" if any(one.points for one in series) else _LOST,
            style="points",
            x_scale=value_scale(axis, [swept(record, one)[0] for one in record.configurations]),
        )

    return [
        panel("weights near zero, and silent units", "share (%)", (_ZEROS, _LIVE, _SILENT)),
        panel(_NORM, "root of the summed squares", (_NORM,)),
    ]


def _maps(record: SweepRecord, found: Mapping[Trial, Sizes]) -> list[Panel]:
    x_axis, y_axis = record.manifest.axes[:2]

    def panel(title: str, unit: str, name: str, decimals: int = 1) -> MapPanel:
        cells = []
        for trial, sizes in found.items():
            x, y, *_ = swept(record, trial)
            mean, low, high, n, diverged = sizes[name]
            if mean is not None:
                cells.append(Cell(x, y, mean, low, high, n, diverged, record.run_of(trial)))
        return MapPanel(
            title=title,
            x_label=x_axis.label,
            y_label=y_axis.label,
            value_label=unit,
            cells=tuple(cells),
            style=map_style(record),
            decimals=decimals,
            missing="" if cells else _LOST,
        )

    return [
        panel("weights near zero, of all", "%", _ZEROS),
        panel("weights near zero, of units that are not silent", "%", _LIVE),
        panel(_NORM, "", _NORM, 2),
    ]
