"""Which classes a sweep's models take for which, against what was swept.

Dimension letters: S seeds, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from analysis.figures.by_sweep import present, to_point, value_scale
from analysis.figures.captions import fields_label, final_epoch_subtitle, spread, sweep_plot
from analysis.figures.comparison import swept
from analysis.plotting.panels import Cell, LinePanel, MapPanel, Panel, Plot, Series
from analysis.reading.errors import Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.predictions import confusions
from analysis.stats.seeds import POSITIVE, estimate
from trainables.result import Array
from trainables.trial import Trial

_MATRICES = 4  # one less beside the panel of errors
_MOST_PAIRS = 6


def confusion_matrices(record: SweepRecord, title: str) -> Plot:
    """Test rows by class and by what they are taken for: each error against the swept value, and
    whole matrices of the least, the greatest and a middle one.
    """
    panels: list[Panel]
    try:
        counts = {trial: confusions(record, trial) for trial in _ordered(record)}
    except Stop as stop:
        panels = [_matrix("test rows", (), (), missing=str(stop))]
        notes: tuple[str, ...] = ()
    else:
        panels, notes = _drawn(record, counts)
    subtitle = final_epoch_subtitle(record, "band")
    plot = sweep_plot(record, "confusion", title, subtitle, panels)
    columns = 2 if len(panels) > 2 else None
    return replace(plot, notes=(*plot.notes, *notes), columns=columns)


def _ordered(record: SweepRecord) -> Sequence[Trial]:
    return sorted(record.configurations, key=lambda trial: swept(record, trial))


def _drawn(
    record: SweepRecord, counts: Mapping[Trial, Array]
) -> tuple[list[Panel], tuple[str, ...]]:
    classes = next(iter(counts.values())).shape[1]
    names = record.manifest.dataset.get("class_names") or ()
    if len(names) != classes:
        names = [f"class {number}" for number in range(1, classes + 1)]
    lasting = [values[np.isfinite(values).all(axis=(1, 2))] for values in counts.values()]
    if not any(map(len, lasting)):
        return [_matrix("test rows", names, (), missing="every model diverged")], ()
    most = max(float(values.mean(axis=0).max()) for values in lasting if len(values))
    panels: list[Panel] = []
    if len(record.manifest.axes) == 1:
        panels.append(_errors(record, counts, names))
    shown = spread(record, _MATRICES - len(panels))
    for trial in shown:
        cells = _cells(counts[trial], record.run_of(trial))
        n = cells[0].n if cells else 0
        panels.append(
            replace(
                _matrix(f"{fields_label(record, trial)}, n = {n}", names, cells),
                limits=(0.0, most),
                missing="" if cells else f"{trial.name}: every model diverged",
            )
        )
    rows = int(lasting[0][0].sum()) if len(lasting[0]) else 0
    note = f"test rows of a model{f': {rows}' if rows else ''}; in the matrices ± is the "
    few = f"matrices of {len(shown)} of {len(counts)} configurations, spread evenly"
    deviation = f"{note}standard deviation over seeds"
    return panels, (deviation, few) if len(shown) < len(counts) else (deviation,)


def _cells(counts: Array, run_id: str) -> tuple[Cell, ...]:
    """Mean counts; `low` and `high` one standard deviation over seeds away, none of one seed."""
    kept = counts[np.isfinite(counts).all(axis=(1, 2))]
    if not len(kept):
        return ()
    mean = kept.mean(axis=0)
    spread_ = kept.std(axis=0, ddof=1) if len(kept) > 1 else None
    lost = len(counts) - len(kept)
    cells = []
    for true, taken in np.ndindex(*mean.shape):
        value = float(mean[true, taken])
        away = None if spread_ is None else float(spread_[true, taken])
        low, high = (None, None) if away is None else (value - away, value + away)
        cells.append(Cell(taken, true, value, low, high, len(kept), lost, run_id))
    return tuple(cells)


def _matrix(title: str, names: Sequence[str], cells: Sequence[Cell], missing: str = "") -> MapPanel:
    return MapPanel(
        title=title,
        x_label="taken for",
        y_label="is",
        value_label="test rows",
        cells=tuple(cells),
        style="grid",
        x_names=tuple(names),
        y_names=tuple(names),
        missing=missing,
    )


def _errors(record: SweepRecord, counts: Mapping[Trial, Array], names: Sequence[str]) -> LinePanel:
    """The pairs of classes that are confused, those that are so most often, at every value."""
    axis = record.manifest.axes[0]
    pairs = list(permutations(range(len(names)), 2))
    lasting = [values[np.isfinite(values).all(axis=(1, 2))] for values in counts.values()]
    means = np.max([values.mean(axis=0) for values in lasting if len(values)], axis=0)  # (C, C)
    worst = {pair: float(means[pair]) for pair in pairs}
    ranked = sorted((pair for pair in pairs if worst[pair] > 0), key=lambda one: -worst[one])
    series = []
    for true, taken in ranked[:_MOST_PAIRS]:
        points = (
            to_point(
                swept(record, trial)[0],
                estimate(values[:, true, taken], POSITIVE),
                1,
                record.run_of(trial),
            )
            for trial, values in counts.items()
        )
        series.append(Series(f"{names[true]} taken for {names[taken]}", present(points)))
    more = f", the {_MOST_PAIRS} most frequent of {len(ranked)}"
    return LinePanel(
        title=f"errors{more if len(ranked) > _MOST_PAIRS else ''}",
        x_label=axis.label,
        y_label="test rows, mean",
        series=tuple(series),
        style="points",
        x_scale=value_scale(axis, [swept(record, one)[0] for one in record.configurations]),
        missing="" if series else "no model makes an error",
    )
