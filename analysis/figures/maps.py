"""Test accuracy over two swept values: maps, in which what is within noise is grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.figures.by_sweep import to_itself
from analysis.figures.captions import baseline_label, final_subtitle, row_worth, sweep_plot
from analysis.figures.comparison import Row, best, compare, swept
from analysis.plotting.panels import Cell, MapPanel, Plot
from analysis.plotting.wording import in_percent
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, OF_SHARES, Difference, Estimate, paired_difference
from trainables.record_format import Curve
from trainables.trial import Trial

NOISE = f"the {METHOD}, in pairs and for one comparison,"  # of what a map greys


def accuracy_map(record: SweepRecord, title: str) -> Plot:
    """Test accuracy over two swept values, and its difference to the baseline."""
    rows = compare(record)
    style = map_style(record)
    x_axis, y_axis = record.manifest.axes[:2]
    sides = _sides_of_best(record, rows)
    accuracy, differences = [], []
    for row in rows:
        place = swept(record, row.trial)
        if cell := to_cell(place, row, row.test, sides[row.trial]):
            accuracy.append(cell)
        difference = row.difference or to_itself(record, row)
        if difference and (cell := to_cell(place, row, difference, side(difference))):
            words = "baseline" if row.trial == record.baseline else ""
            differences.append(cell._replace(words=words))
    panels = [
        MapPanel(
            title="test accuracy",
            x_label=x_axis.label,
            y_label=y_axis.label,
            value_label="%",
            cells=tuple(accuracy),
            style=style,
            grey=f"{NOISE} of the difference to the best includes 0; where that is so of any, the "
            "best is grey with them",
        ),
        MapPanel(
            title=f"difference to {baseline_label(record)}",
            x_label=x_axis.label,
            y_label=y_axis.label,
            value_label="points",
            cells=tuple(differences),
            style=style,
            signed=True,
            least=row_worth(record),
            grey=f"{NOISE} includes 0",
            missing="" if differences else "the baseline is missing: no differences",
        ),
    ]
    drawn = "±" if style == "grid" else "interval of the difference"
    subtitle = f"{final_subtitle(record, drawn)}; differences seed by seed"
    return sweep_plot(record, "accuracy", title, subtitle, panels)


def side(difference: Difference) -> int:
    """1 where the interval lies above 0, -1 where below, else 0."""
    if not difference.excludes_zero:
        return 0
    return 1 if (difference.mean or 0) > 0 else -1


def _sides_of_best(record: SweepRecord, rows: Sequence[Row]) -> dict[Trial, int]:
    """-1 where the interval of the difference to the best lies below 0, else 0; of the best 1, but
    0 where another cannot be told from it: a lone bright cell would say that it is ahead.
    """
    top = best(rows)
    if top is None:
        return dict.fromkeys((row.trial for row in rows), 0)
    highest = record.final(top.trial, Curve.TEST_ACCURACY)
    found = {
        row.trial: side(
            paired_difference(record.final(row.trial, Curve.TEST_ACCURACY), highest, OF_SHARES)
        )
        for row in rows
        if row is not top
    }
    known = {row.trial for row in rows if row.test.mean is not None}
    return found | {top.trial: int(all(found[one] for one in found if one in known))}


def map_style(record: SweepRecord) -> Literal["grid", "scatter"]:
    """A grid where the promised values are all combinations of some on either axis."""
    configurations = record.manifest.configurations
    promised = {swept(record, trial) for trial in configurations}
    full = len(promised) == np.prod([len({place[n] for place in promised}) for n in (0, 1)])
    usable = {swept(record, trial) for trial in record.configurations}
    narrowest = min(len({place[n] for place in usable}) for n in (0, 1))
    return "grid" if full and narrowest > 1 else "scatter"


def to_cell(
    place: tuple[float, ...], row: Row, found: Estimate | Difference, mark: int
) -> Cell | None:
    """The mean in % and its interval at that place of a map; None when there is no mean."""
    if found.mean is None:
        return None
    low, high = in_percent(found.low), in_percent(found.high)
    value, lost = found.mean * 100, row.test.diverged
    return Cell(place[0], place[1], value, low, high, found.n, lost, row.run_id, mark)
