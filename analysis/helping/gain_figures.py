"""From gains to the values of two figures: what helps where, and how strong is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.figures.by_sweep import present, to_point
from analysis.helping.gains import EARLY, NAMES, Gain, Strength, Without, of_epochs, strengths
from analysis.helping.helping_sweeps import REGULARIZERS
from analysis.plotting.panels import (
    LinePanel,
    Panel,
    Plot,
    Scale,
    Series,
    Span,
    SpanPanel,
    SpanSeries,
)
from analysis.plotting.wording import counted, in_percent
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, Difference, Estimate
from trainables.hyperparameters import DECLARED
from trainables.setting import models_of, setting

_ROOM = 1.0  # points above the greatest gain
_GAIN = "gain in test accuracy (points)"


def gain_plot(
    records: Mapping[str, SweepRecord], found: Sequence[Gain], bare: Sequence[Without]
) -> Plot:
    """Accuracies without regularization, and what each regularizer gains over them."""
    levels = SpanPanel(
        title="Without regularization",
        x_label="accuracy (%)",
        y_label="data",
        rows=tuple(records),
        series=(
            SpanSeries("training rows", _spans([(one.dataset, one.train) for one in bare])),
            SpanSeries("test rows", _spans([(one.dataset, one.test) for one in bare])),
        ),
    )
    changes = SpanPanel(
        title="With it minus without, seed by seed",
        x_label=_GAIN,
        y_label="",
        rows=tuple(records),
        series=tuple(
            SpanSeries(
                name,
                _spans([(one.dataset, one.gain) for one in found if one.regularizer == kind]),
            )
            for kind, name in NAMES.items()
        ),
        zero_line=True,
    )
    return figure_of(
        records,
        "gains",
        "Where regularization helps",
        "its strength is the best for the first half of the seeds (of early stopping each "
        "network's own epoch, by folds of its training rows), shown is the other half; "
        f"bar: {METHOD}",
        (levels, changes),
    )


def strength_plot(records: Mapping[str, SweepRecord]) -> Plot:
    """The gain over none against the strength of each regularizer, and against the epochs."""
    panels = [
        _against(
            NAMES[name],
            DECLARED[name].label,
            {data: strengths(record, name) for data, record in records.items()},
            "linear" if name in ("dropout", "noise") else "log",
        )
        for name in REGULARIZERS
    ]
    epochs = {data: of_epochs(record) for data, record in records.items()}
    label = "epochs of training without it"
    panels.append(replace(_against(NAMES[EARLY], label, epochs, "log"), style="curve"))
    return figure_of(
        records,
        "strengths",
        "How strong is right: what is gained over none",
        f"all seeds, band: {METHOD}; panels reach as far down as up, what loses more is below",
        [replace(panel, y_limits=_limits(panel)) for panel in panels],
        columns=3,
    )


def _against(
    title: str, x_label: str, found: Mapping[str, Sequence[Strength]], scale: Scale
) -> LinePanel:
    return LinePanel(
        title=title,
        x_label=x_label,
        y_label=_GAIN,
        series=tuple(
            Series(data, present(to_point(at, gain, 100, run_id) for at, gain, run_id in each))
            for data, each in found.items()
        ),
        style="points",
        x_scale=scale,
        zero_line=True,
    )


def _limits(panel: LinePanel) -> tuple[float, float]:
    """Room for all that is gained, and for as much of what is lost."""
    tops = [point.high or point.y for one in panel.series for point in one.points]
    top = max(tops, default=0.0) + _ROOM
    return -top, top


def _spans(found: Sequence[tuple[str, Estimate | Difference]]) -> tuple[Span, ...]:
    """Those that have a mean, by data set, in %."""
    return tuple(
        Span(
            data,
            100 * one.mean,
            in_percent(one.low),
            in_percent(one.high),
            one.n,
            one.diverged if isinstance(one, Estimate) else 0,
            METHOD,
        )
        for data, one in found
        if one.mean is not None
    )


def figure_of(
    records: Mapping[str, SweepRecord],
    name: str,
    title: str,
    subtitle: str,
    panels: Sequence[Panel],
    columns: int | None = None,
) -> Plot:
    """A figure of sweeps by data set, `where_it_helps_<name>`, with what made each."""
    return Plot(
        name=f"where_it_helps_{name}",
        title=title,
        subtitle=subtitle,
        panels=tuple(panels),
        notes=tuple(
            f"{setting(models_of(record.manifest)).removeprefix('all models: ')}; "
            f"{counted(len(record.manifest.trials[0].seeds), 'seed')}; sweep "
            f"{record.manifest.run_name}, MLflow run {record.run_id}"
            + (f" ({record.partial})" if record.partial else "")
            for record in records.values()
        ),
        run_ids=tuple(record.run_id for record in records.values()),
        columns=columns,
    )
