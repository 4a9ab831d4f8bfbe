"""From a recorded sweep to the values of its figures.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from analysis.figures.captions import (
    axes_label,
    baseline_label,
    curve_subtitle,
    final_subtitle,
    row_worth,
    spread,
    sweep_plot,
    trial_label,
)
from analysis.figures.comparison import Row, compare, swept
from analysis.plotting.panels import LinePanel, Plot, Point, Scale, Series
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import (
    POSITIVE,
    SHARE,
    SMOOTHING,
    Difference,
    Estimate,
    estimate_by_epoch,
    moving_average,
)
from trainables.hyperparameters import DECLARED
from trainables.manifest import RecordedAxis
from trainables.record_format import Curve
from trainables.trial import Trial

_NAMES = {Curve.TRAIN_ACCURACY: "training accuracy", Curve.TEST_ACCURACY: "test accuracy"}


def accuracy_against_epoch(record: SweepRecord, title: str) -> Plot:
    """Two panels, training and test accuracy, one smoothed line for each configuration."""
    shown = spread(record)
    panels = [
        LinePanel(
            title=_NAMES[metric],
            x_label="epoch",
            y_label="accuracy (%)",
            series=_lines(record, shown, metric, 100),
            style="curve",
            ordered=True,
            least=row_worth(record),
        )
        for metric in _NAMES
    ]
    plot = sweep_plot(record, "accuracy_by_epoch", title, curve_subtitle(record, shown), panels)
    return replace(plot, legend_title=axes_label(record))


def loss_against_epoch(record: SweepRecord, title: str) -> Plot:
    """Training loss, one smoothed line for each configuration."""
    shown = spread(record)
    panel = LinePanel(
        title="training loss, without the penalty",
        x_label="epoch",
        y_label="cross-entropy (nats)",
        series=_lines(record, shown, Curve.TRAIN_LOSS, 1),
        style="curve",
        ordered=True,
    )
    plot = sweep_plot(record, "loss_by_epoch", title, curve_subtitle(record, shown), [panel])
    return replace(plot, legend_title=axes_label(record))


def accuracy_against_value(
    record: SweepRecord,
    title: str,
    second: Literal["gap", "difference"] = "difference",
) -> Plot:
    """Training and test accuracy against the swept value.

    The second panel has their gap, or the difference of test accuracy to the baseline in pairs.
    """
    rows = compare(record)
    if second == "gap":
        other = _against_value(
            record,
            "generalization gap",
            "training − test accuracy (points)",
            [_by_value(record, rows, "training − test", lambda row: row.gap)],
        )
    else:
        other = _against_value(
            record,
            f"test accuracy minus that of {baseline_label(record)}, by seed",
            "difference (points)",
            [
                _by_value(
                    record,
                    rows,
                    "test − baseline",
                    lambda row: row.difference or to_itself(record, row),
                )
            ],
        )
        if not record.baseline:
            other = replace(other, missing="the baseline is missing: no differences")
    panels = [training_and_test(record, rows), replace(other, zero_line=True)]
    return sweep_plot(record, "accuracy", title, final_subtitle(record, "band"), panels)


def training_and_test(record: SweepRecord, rows: Sequence[Row]) -> LinePanel:
    """Training and test accuracy against the swept value."""
    series = [
        _by_value(record, rows, "training", lambda row: row.train),
        _by_value(record, rows, "test", lambda row: row.test),
    ]
    return _against_value(record, "training and test accuracy", "accuracy (%)", series)


def accuracy_by_second_value(record: SweepRecord, rows: Sequence[Row]) -> LinePanel:
    """Test accuracy against the first swept value, a series for each of the second."""
    field = record.manifest.axes[1].field
    grouped: dict[float, list[Row]] = {}
    for row in rows:
        grouped.setdefault(swept(record, row.trial)[1], []).append(row)
    series = [
        _by_value(record, grouped[value], f"{field} = {value:g}", lambda row: row.test)
        for value in sorted(grouped)
    ]
    return _against_value(record, "test accuracy", "test accuracy (%)", series)


def _against_value(
    record: SweepRecord, title: str, y_label: str, series: Sequence[Series]
) -> LinePanel:
    axis = record.manifest.axes[0]
    values = [swept(record, trial)[0] for trial in record.configurations]
    return LinePanel(
        title=title,
        x_label=axis.label,
        y_label=y_label,
        series=tuple(series),
        style="points",
        x_scale=value_scale(axis, values),
        least=row_worth(record),
    )


def _by_value(
    record: SweepRecord,
    rows: Sequence[Row],
    label: str,
    of: Callable[[Row], Estimate | Difference | None],
) -> Series:
    """A number of each configuration at the first of its swept values."""
    points = (to_point(swept(record, row.trial)[0], of(row), 100, row.run_id) for row in rows)
    return Series(label, present(points))


def value_scale(axis: RecordedAxis, values: Collection[float]) -> Scale:
    """The scale on which values of a swept hyperparameter are drawn."""
    if not axis.log:
        return "linear"
    if DECLARED[axis.field].scale == "log2":
        return "log2"
    return "symlog" if 0 in values else "log"


def _lines(
    record: SweepRecord, shown: Sequence[Trial], metric: str, factor: float
) -> tuple[Series, ...]:
    series = []
    possible = SHARE if metric in _NAMES else POSITIVE
    for trial in shown:
        smooth = moving_average(record.curve(trial, metric), SMOOTHING)
        by_epoch = enumerate(estimate_by_epoch(smooth, possible), start=1)
        run_id = record.run_of(trial)
        points = present(to_point(epoch, one, factor, run_id) for epoch, one in by_epoch)
        if points:
            series.append(Series(trial_label(record, trial), points))
    return tuple(series)


def present(points: Iterable[Point | None]) -> tuple[Point, ...]:
    """The points that there are."""
    return tuple(point for point in points if point)


def to_point(
    x: float, found: Estimate | Difference | None, factor: float, run_id: str
) -> Point | None:
    """The mean times `factor`, and its interval, at `x`; None when there is no mean."""
    if found is None or found.mean is None:
        return None
    low, high = _scaled(found.low, factor), _scaled(found.high, factor)
    diverged = found.diverged if isinstance(found, Estimate) else 0
    return Point(x, found.mean * factor, low, high, found.n, diverged, run_id)


def to_itself(record: SweepRecord, row: Row) -> Difference | None:
    """The baseline's difference to itself, so that it has its place on the axis."""
    if row.trial != record.baseline or row.test.mean is None:
        return None
    return Difference(0.0, 0.0, 0.0, row.test.n, None, "the baseline itself")


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
