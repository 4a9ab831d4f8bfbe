"""From sweeps with folds to the figure of early stopping: validation rows, and who stops when."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.figures.by_sweep import present, to_point
from analysis.helping.gain_figures import figure_of
from analysis.helping.helping_sweeps import Stopping
from analysis.helping.stopping import stops
from analysis.plotting.panels import DotPanel, Dots, LinePanel, Panel, Plot, Series
from analysis.plotting.wording import counted
from analysis.stats.seeds import METHOD, SHARE, SMOOTHING, estimate_by_epoch, moving_average
from trainables.record_format import Curve
from trainables.y_range import row_share

_NAMES = {Curve.CV_ACCURACY: "validation rows (folds)", Curve.TEST_ACCURACY: "test rows"}


def stopping_plot(found: Mapping[str, Stopping]) -> Plot:
    """Validation and test accuracy by epoch for each data set, and the epoch of each network."""
    panels: list[Panel] = [_curves(data, one) for data, one in found.items()]
    return figure_of(
        {data: one.record for data, one in found.items()},
        "stopping",
        "Early stopping: where validation rows of the training part say so",
        f"mean of all seeds, band: {METHOD}; moving average of {SMOOTHING} epochs. Each network "
        "stops by its own validation rows, not smoothed; its test rows judge",
        [*panels, _epochs(found)],
        columns=min(3, len(panels) + 1),
    )


def _curves(data: str, one: Stopping) -> LinePanel:
    record, trial = one
    series = []
    for metric, name in _NAMES.items():
        smooth = moving_average(record.curve(trial, metric), SMOOTHING)
        by_epoch = enumerate(estimate_by_epoch(smooth, SHARE), start=1)
        points = present(to_point(at, found, 100, record.run_of(trial)) for at, found in by_epoch)
        series.append(Series(name, points))
    return LinePanel(
        title=data,
        x_label="epoch",
        y_label=f"accuracy (%) on {data}",  # a range of its own: data sets are not compared here
        series=tuple(series),
        style="curve",
        least=100 * row_share(record.manifest),
        missing="" if any(one.points for one in series) else "every model diverged",
    )


def _epochs(found: Mapping[str, Stopping]) -> DotPanel:
    """The share of all epochs after which each network stops."""
    rows = []
    for data, (record, trial) in found.items():
        each = stops(Stopping(record, trial)).epochs
        known = np.flatnonzero(np.isfinite(each))
        rows.append(
            Dots(
                f"{data}, of {counted(record.manifest.epochs, 'epoch')}",
                tuple(trial.seeds[place] for place in known),
                tuple((100 * each[known] / record.manifest.epochs).tolist()),
                len(each) - len(known),
                record.run_of(trial),
            )
        )
    return DotPanel(
        "the epoch at which each network stops",
        "% of the epochs; 100: it trains to the end",
        "",
        tuple(rows),
        "" if any(row.values for row in rows) else "every model diverged",
    )
