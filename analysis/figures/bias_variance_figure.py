"""From recorded sweeps to the figure and the table of bias and variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analysis.figures.by_sweep import present, to_point
from analysis.plotting.panels import LinePanel, Plot, Scale, Series
from analysis.plotting.terminal import new_console, new_table, print_table
from analysis.plotting.wording import plus_minus
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.bias_variance import GROUPS, Parts, parts
from analysis.stats.seeds import METHOD, SHARE, Estimate, estimate
from trainables.hyperparameters import DECLARED
from trainables.record_format import Curve
from trainables.setting import models_of, setting

_PARTS = {"error": "squared error", "bias": "bias²", "variance": "variance"}


class Point(NamedTuple):
    """A configuration: its place on the x axis, the parts of its error, its test accuracy."""

    x: float
    found: Parts
    accuracy: Estimate
    run_id: str


class Found(NamedTuple):
    """What the x axis is, and its points from left to right."""

    field: str
    label: str
    points: tuple[Point, ...]


def points_of(records: Sequence[SweepRecord]) -> Found:
    """Of one sweep its swept values, of several their widths; raises `Stop` for what is neither."""
    trials = [(record, trial) for record in records for trial in record.configurations]
    if len(records) == 1:
        fields = [axis.field for axis in records[0].manifest.axes]
        if len(fields) != 1:
            raise Stop(BAD_INPUT, f"needs a sweep of one hyperparameter, got {', '.join(fields)}")
        field, label = fields[0], records[0].manifest.axes[0].label
        places = [float(getattr(trial.hyperparameters, field)) for _, trial in trials]
    else:
        field, label = "hidden", "units of the hidden layer"
        widths = [trial.hyperparameters.hidden for _, trial in trials]
        if len(set(widths)) < len(widths) or any(len(one) != 1 for one in widths):
            raise Stop(
                BAD_INPUT,
                "several sweeps need one configuration each, with one hidden layer of another "
                f"width, got {', '.join(map(str, widths))}",
            )
        places = [float(one[0]) for one in widths]
    points = [
        Point(
            x,
            parts(record, trial),
            estimate(record.final(trial, Curve.TEST_ACCURACY), SHARE),
            record.run_of(trial),
        )
        for x, (record, trial) in zip(places, trials, strict=True)
    ]
    return Found(field, label, tuple(sorted(points, key=lambda one: one.x)))


def parts_plot(records: Sequence[SweepRecord], found: Found) -> Plot:
    """The squared error and its two parts, and test accuracy beside them."""
    scale = _scale(found)
    errors = LinePanel(
        title="Squared error of the probabilities, and its parts",
        x_label=found.label,
        y_label="sum over classes, mean over rows",
        series=tuple(
            Series(
                label,
                present(
                    to_point(one.x, getattr(one.found, part), 1, one.run_id) for one in found.points
                ),
            )
            for part, label in _PARTS.items()
        ),
        style="points",
        x_scale=scale,
    )
    accuracy = LinePanel(
        title="Test accuracy",
        x_label=found.label,
        y_label="accuracy (%)",
        series=(
            Series(
                "test accuracy",
                present(to_point(one.x, one.accuracy, 100, one.run_id) for one in found.points),
            ),
        ),
        style="points",
        x_scale=scale,
    )
    manifest = records[0].manifest
    seeds = len(manifest.trials[0].seeds)
    ids = "_".join(record.run_id[:4] for record in records[:4])
    return Plot(
        name=f"bias_variance_{found.field}_{ids}",
        title=f"Bias and variance over {seeds} training sets: {manifest.dataset['name']}",
        subtitle=f"rows that a model did not train on; band: {METHOD}, of {GROUPS} groups of seeds",
        panels=(errors, accuracy),
        notes=tuple(
            f"{setting(models_of(record.manifest))}; sweep {record.manifest.run_name}, MLflow run "
            f"{record.run_id}"
            for record in records
        ),
        run_ids=tuple(record.run_id for record in records),
    )


def show(records: Sequence[SweepRecord], found: Found) -> None:
    """Prints a line for each configuration, and where the error is least."""
    console = new_console()
    table = new_table(
        f"Bias and variance of {records[0].manifest.dataset['name']}",
        found.label,
        right=("squared error", "bias²", "variance", "accuracy %"),
    )
    for one in found.points:
        numbers = [plus_minus(getattr(one.found, part)[:3], ".4") for part in _PARTS]
        accuracy = [None if each is None else 100 * each for each in one.accuracy[:3]]
        table.add_row(f"{one.x:g}", *numbers, plus_minus((*accuracy,), ".1"))  # type: ignore[arg-type]
    print_table(console, table)
    best = min(found.points, key=lambda one: one.found.error.mean or 0.0)
    console.print(
        f"The error is least at {found.label} {best.x:g}. Of rows that a model did not train on; "
        "noise of the labels counts as bias²."
    )


def _scale(found: Found) -> Scale:
    values = [one.x for one in found.points]
    if found.field == "hidden" or DECLARED[found.field].scale == "log2":
        return "log2"
    above = [value for value in values if value > 0]
    if not above or max(above) < 10 * min(above):
        return "linear"
    return "log" if len(above) == len(values) else "symlog"
