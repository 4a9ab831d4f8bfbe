"""From several recorded sweeps to the values of one figure that compares them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from analysis.figures.by_sweep import present, to_point
from analysis.figures.captions import row_worth, run_notes, seeds_and_method
from analysis.figures.comparison import compare, swept
from analysis.figures.maps import NOISE, map_style, side, to_cell
from analysis.plotting.file_names import file_name
from analysis.plotting.panels import Cell, LinePanel, MapPanel, Plot, Scale, Series
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.side_by_side.shared_configurations import Pairing
from analysis.side_by_side.sweep_labels import unsaid
from analysis.stats.seeds import METHOD
from trainables.hyperparameters import DECLARED
from trainables.setting import models_of, settings

_DECADE = 10  # the greatest value over the median of those above 0, from where on a log axis helps


class Compared(NamedTuple):
    """A sweep as it is compared: its record, its label, its pairs with the first of all.

    `pairing` is None for the first sweep itself.
    """

    record: SweepRecord
    label: str
    pairing: Pairing | None


def require_common_axes(records: Sequence[SweepRecord]) -> None:
    """Raises `Stop` unless every sweep varies one hyperparameter or all vary the same two."""
    fields = [_fields(record) for record in records]
    if all(len(one) == 1 for one in fields) or (len(set(fields)) == 1 and len(fields[0]) == 2):
        return
    varied = "; ".join(
        f"{record.manifest.run_name} varies {' and '.join(one)}"
        for record, one in zip(records, fields, strict=True)
    )
    raise Stop(
        BAD_INPUT,
        "sweeps can share a figure when each varies one hyperparameter or all vary the same two; "
        f"{varied}",
    )


def comparison_plot(compared: Sequence[Compared]) -> Plot:
    """Test and training accuracy against the swept value, one series per sweep.

    Sweeps of one field share a panel, those of other fields stand beside it with the same y axis.
    Where configurations exist in several sweeps, panels below give their differences seed by seed.
    Sweeps of two fields are maps.
    """
    records = [one.record for one in compared]
    require_common_axes(records)
    if len(_fields(records[0])) == 2:
        maps = _maps(compared)
        return _plot(compared, maps, columns=3 if len(maps) == 3 else 2)
    fields = list(dict.fromkeys(_fields(record)[0] for record in records))
    if len(fields) > 1:
        panels = [
            _accuracy(compared, part, field) for part in ("test", "train") for field in fields
        ]
        return _plot(compared, panels, columns=len(fields))
    accuracies = [_accuracy(compared, part, fields[0]) for part in ("test", "train")]
    differences = [_differences(compared, part, fields[0]) for part in ("test", "train")]
    shown = differences if any(panel.series for panel in differences) else []
    return _plot(compared, [*accuracies, *shown], columns=2)


def _fields(record: SweepRecord) -> tuple[str, ...]:
    return tuple(axis.field for axis in record.manifest.axes)


def _accuracy(compared: Sequence[Compared], part: str, field: str) -> LinePanel:
    mine = [one for one in compared if _fields(one.record) == (field,)]
    series = []
    for one in mine:
        points = present(
            to_point(
                swept(one.record, row.trial)[0],
                row.test if part == "test" else row.train,
                100,
                row.run_id,
            )
            for row in compare(one.record)
        )
        series.append(Series(one.label, points))
    return LinePanel(
        title="test accuracy" if part == "test" else "training accuracy",
        x_label=mine[0].record.manifest.axes[0].label,
        y_label="accuracy (%)",
        series=tuple(one for one in series if one.points),
        style="points",
        x_scale=_scale(field, _values(mine)),
        least=row_worth(*(one.record for one in mine)),
        missing="" if any(one.points for one in series) else "every model diverged",
    )


def _differences(compared: Sequence[Compared], part: str, field: str) -> LinePanel:
    """Each other sweep minus the first, where they share more than a lone configuration."""
    series = []
    for one in compared[1:]:
        shared = one.pairing.shared if one.pairing else ()
        points = present(
            to_point(
                getattr(each.other.hyperparameters, field),
                each.test if part == "test" else each.train,
                100,
                one.record.run_of(each.other),
            )
            for each in shared
        )
        if len(points) > 1:
            series.append(Series(one.label, points))
    first = compared[0]
    return LinePanel(
        title=f"{'test' if part == 'test' else 'training'} accuracy minus that of {first.label}",
        x_label=first.record.manifest.axes[0].label,
        y_label="difference by seed (points)",
        series=tuple(series),
        style="points",
        x_scale=_scale(field, _values(compared)),
        zero_line=True,
        least=row_worth(*(one.record for one in compared)),
    )


def _values(compared: Sequence[Compared]) -> list[float]:
    return [swept(one.record, trial)[0] for one in compared for trial in one.record.configurations]


def _scale(field: str, values: Iterable[float]) -> Scale:
    """Log where the values span decades, with a place for 0 where it is among them."""
    if DECLARED[field].scale == "log2":
        return "log2"
    found = sorted(values)
    above = [value for value in found if value > 0]
    if not above or above[-1] < _DECADE * above[len(above) // 2]:
        return "linear"
    return "log" if len(above) == len(found) else "symlog"


def _maps(compared: Sequence[Compared]) -> list[MapPanel]:
    """Test accuracy of each sweep in the same colours, then differences to the first."""
    tables = [compare(one.record) for one in compared]
    means = [100 * row.test.mean for rows in tables for row in rows if row.test.mean is not None]
    limits = (min(means), max(*means, min(means) + 1e-9)) if means else None
    panels = []
    for one, rows in zip(compared, tables, strict=True):
        places = [(row, swept(one.record, row.trial)) for row in rows]
        cells = [to_cell(place, row, row.test, 0) for row, place in places]
        panels.append(_map(one, one.label, "%", [cell for cell in cells if cell], limits=limits))
    for one, rows in zip(compared, tables, strict=True):
        by_key = {row.trial.key: row for row in rows}
        cells = []
        for each in one.pairing.shared if one.pairing else ():
            row = by_key[each.other.key]
            cells.append(to_cell(swept(one.record, each.other), row, each.test, side(each.test)))
        if found := [cell for cell in cells if cell]:
            title = f"{one.label} minus {compared[0].label}"
            panels.append(_map(one, title, "points, seed by seed", found, signed=True))
    return panels


def _map(
    one: Compared,
    title: str,
    value_label: str,
    cells: Sequence[Cell],
    limits: tuple[float, float] | None = None,
    signed: bool = False,
) -> MapPanel:
    x_axis, y_axis = one.record.manifest.axes
    return MapPanel(
        title=title,
        x_label=x_axis.label,
        y_label=y_axis.label,
        value_label=value_label,
        cells=tuple(cells),
        style=map_style(one.record),
        signed=signed,
        least=row_worth(one.record),
        grey=f"{NOISE} includes 0" if signed else "",
        limits=limits,
        missing="" if cells else "every model diverged",
    )


def _plot(
    compared: Sequence[Compared], panels: Sequence[LinePanel | MapPanel], columns: int
) -> Plot:
    records = [one.record for one in compared]
    names = list(dict.fromkeys(record.manifest.name for record in records))
    title = f"{len(records)} sweeps of {names[0]}" if len(names) == 1 else " against ".join(names)
    windows = {record.manifest.summary_epochs for record in records}
    shared, own = settings({one.label: models_of(one.record.manifest) for one in compared})
    lines = [shared] if shared else []
    for one in compared:
        first, *more = run_notes(one.record)
        summed = f", {window(one.record)}" if len(windows) > 1 else ""
        setting = unsaid(one.label, own[one.label])
        first = "; ".join([*([setting] if setting else []), f"{first}{summed}"])
        lines += [f"{one.label}: {line}" for line in (first, *more)]
        if one.pairing and one.pairing.obstacle:
            lines.append(
                f"{one.label}: no pairs with {compared[0].label}, for {one.pairing.obstacle}"
            )
    ids = "_".join(f"{file_name(one.manifest.name)}-{one.run_id[:4]}" for one in records)
    return Plot(
        name=f"compare_{ids}_accuracy",
        title=f"{title}: final accuracy",
        subtitle=_subtitle(compared),
        panels=tuple(panels),
        notes=tuple(lines),
        run_ids=tuple(record.run_id for record in records),
        columns=min(columns, len(panels)),
    )


def _subtitle(compared: Sequence[Compared]) -> str:
    records = [one.record for one in compared]
    parts = [f"{one.label} is {one.record.partial}" for one in compared if one.record.partial]
    parts.append(" and ".join(dict.fromkeys(each.manifest.dataset["name"] for each in records)))
    drawn = "±" if len(_fields(records[0])) == 2 else "band"
    if len({len(record.manifest.trials[0].seeds) for record in records}) == 1:
        parts.append(seeds_and_method(records[0], drawn))
    else:
        parts.append(f"means over each sweep's seeds, {drawn}: {METHOD}")
    if len({record.manifest.summary_epochs for record in records}) == 1:
        parts.append(window(records[0]))
    return "; ".join(parts)


def window(record: SweepRecord) -> str:
    """Over which epochs the sweep's final numbers are taken, in words."""
    epochs = record.manifest.summary_epochs
    return f"mean of epochs {epochs.start + 1} to {epochs.stop}"
