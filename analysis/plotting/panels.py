"""What a figure shows, as plain values: no matplotlib, no MLflow. Tests compare these.

Numbers stand here as they are plotted (accuracies in %), and `table` gives them for the CSV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from analysis.plotting.region_panel import RegionPanel

Scale = Literal["linear", "log", "log2", "symlog"]


class Point(NamedTuple):
    """A mean with its interval: `low` and `high` are None without one.

    `n`: models it is the mean of; `diverged`: models left out; `run_id`: the MLflow run it is from.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    n: int = 1
    diverged: int = 0
    run_id: str = ""


class Dots(NamedTuple):
    """A configuration's models: each one's number, by seed. `diverged`: models that have none."""

    label: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    diverged: int = 0
    run_id: str = ""


class Series(NamedTuple):
    """Points that belong together, in the order in which they are joined.

    `models`: of each point those that it is the mean of, for a page where each is pointed at; a
    figure on paper leaves them out. `kind`: series of one kind look alike and stand in the legend
    once, under its name; by default each is its own.
    """

    label: str
    points: tuple[Point, ...]
    models: tuple[Dots, ...] = ()
    kind: str = ""

    @property
    def in_legend(self) -> str:
        """What it is called in the legend."""
        return self.kind or self.label


class Remark(NamedTuple):
    """Words at a place of a panel."""

    x: float
    y: float
    text: str


class Level(NamedTuple):
    """A height that the series `label` is to be held against, as a line across the panel."""

    label: str
    y: float


@dataclass(frozen=True)
class LinePanel:
    """Series against a common x.

    `style`: `points` (each of its own), `curve` (a line of many), `outline` (a shape, equal
    scales on both axes) or `strand` (one of very many lines), the first two with a band.
    `joined`: whether a line joins points. `ordered`: the series are steps of one value, shaded in
    that order. `zero_line`: a line at y = 0. `least`: y spans at least this much to either side, of
    0 where there is a line, so that what is less than it looks small. `y_limits`: as they are; else
    `y_ranges.py` has the rule. `levels`: lines to hold series against. `x_ticks`, `y_ticks`: where
    the axes are numbered, by default where matplotlib does. `missing`: why nothing is shown.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    style: Literal["points", "curve", "outline", "strand"]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    y_limits: tuple[float, float] | None = None
    joined: bool = True
    ordered: bool = False
    zero_line: bool = False
    least: float = 0.0
    remarks: tuple[Remark, ...] = ()
    levels: tuple[Level, ...] = ()
    x_ticks: tuple[float, ...] = ()
    y_ticks: tuple[float, ...] = ()
    missing: str = ""

    def table(self) -> pd.DataFrame:
        """One row per point, then one per level, which has no x."""
        rows: list[dict[str, object]] = [
            {"panel": self.title, "series": one.label, **point._asdict()}
            for one in self.series
            for point in one.points
        ]
        rows += [
            {"panel": self.title, "series": f"{level.label}: level", "y": level.y}
            for level in self.levels
        ]
        return pd.DataFrame(rows, columns=["panel", "series", *Point._fields])


class Cell(NamedTuple):
    """A value at a place of a map.

    `mark`: -1 below, 1 above, 0 not told apart from what the panel's values are held against.
    `words`: what stands in the cell instead of its number.
    """

    x: float
    y: float
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 1
    diverged: int = 0
    run_id: str = ""
    mark: int = 0
    words: str = ""


@dataclass(frozen=True)
class MapPanel:
    """Values over two axes: `grid` (a heat map with numbers), `scatter` or `image` (no numbers).

    `signed`: values are differences, coloured from 0 both ways, to `least` at the least. `grey`:
    what it means that a cell's mark is 0, for such cells are grey; empty where none is. `limits`:
    of the colours, when panels are to share them. `x_names`, `y_names`: of a grid, what stands at
    0, 1, … instead of the numbers; named rows are read from the top. `decimals`: of the numbers in
    a grid.
    """

    title: str
    x_label: str
    y_label: str
    value_label: str
    cells: tuple[Cell, ...]
    style: Literal["grid", "scatter", "image"]
    signed: bool = False
    least: float = 0.0
    grey: str = ""
    limits: tuple[float, float] | None = None
    x_names: tuple[str, ...] = ()
    y_names: tuple[str, ...] = ()
    decimals: int = 1
    missing: str = ""

    def table(self) -> pd.DataFrame:
        """One row per cell."""
        rows = [{"panel": self.title, **cell._asdict()} for cell in self.cells]
        return pd.DataFrame(rows, columns=["panel", *Cell._fields])


class Block(NamedTuple):
    """Rows `start` to `stop` of an epoch, in one mini-batch; `left_out` when drop_last drops it."""

    batch_size: int
    start: int
    stop: int
    left_out: bool


@dataclass(frozen=True)
class BlockPanel:
    """An epoch's rows in mini-batches, one bar for each batch size."""

    title: str
    x_label: str
    y_label: str
    blocks: tuple[Block, ...]
    missing: str = ""

    def table(self) -> pd.DataFrame:
        """One row per mini-batch."""
        rows = [{"panel": self.title, **block._asdict()} for block in self.blocks]
        return pd.DataFrame(rows, columns=["panel", *Block._fields])


@dataclass(frozen=True)
class DotPanel:
    """Every model a dot along x, in a row for each configuration, stacked where they coincide."""

    title: str
    x_label: str
    y_label: str
    rows: tuple[Dots, ...]
    missing: str = ""

    def table(self) -> pd.DataFrame:
        """One row per model."""
        tables = [
            pd.DataFrame(
                {
                    "panel": self.title,
                    "series": row.label,
                    "seed": row.seeds,
                    "x": row.values,
                    "diverged": row.diverged,
                    "run_id": row.run_id,
                }
            )
            for row in self.rows
            if row.values
        ]
        columns = ["panel", "series", "seed", "x", "diverged", "run_id"]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


class Span(NamedTuple):
    """A number with its interval, in the row `row` of a panel; `method`: the interval's."""

    row: str
    x: float
    low: float | None = None
    high: float | None = None
    n: int = 1
    diverged: int = 0
    method: str = ""
    run_id: str = ""


class SpanSeries(NamedTuple):
    """The spans of one kind, at most one in each row."""

    label: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class SpanPanel:
    """Numbers with intervals along x, in `rows` from the top; series lie below each other in each.

    `zero_line`: a line at x = 0; `least`: x then spans at least this much to either side of it.
    """

    title: str
    x_label: str
    y_label: str
    rows: tuple[str, ...]
    series: tuple[SpanSeries, ...]
    zero_line: bool = False
    least: float = 0.0
    missing: str = ""

    def table(self) -> pd.DataFrame:
        """One row per span."""
        found = [(one.label, span) for one in self.series for span in one.spans]
        rows = [{"panel": self.title, "series": name, **span._asdict()} for name, span in found]
        return pd.DataFrame(rows, columns=["panel", "series", *Span._fields])


Panel = LinePanel | MapPanel | BlockPanel | DotPanel | SpanPanel | RegionPanel


@dataclass(frozen=True)
class Plot:
    """A figure: panels under a title, `columns` of them in a row, by default all.

    `name`: of its files. `subtitle`: what the numbers are, with n and the interval's method.
    `notes`: what a reader must know besides (diverged models, missing trials, the run).
    `run_ids`: the sweeps (parent runs) whose data it shows.
    """

    name: str
    title: str
    subtitle: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    legend_title: str = ""
    run_ids: tuple[str, ...] = ()
    columns: int | None = None

    def table(self) -> pd.DataFrame:
        """Every number on the figure, panel after panel."""
        tables = [panel.table() for panel in self.panels]
        columns = dict.fromkeys(name for one in tables for name in one.columns)
        # Without empty columns, which have no type for what they are joined to.
        filled = [one.dropna(axis="columns", how="all") for one in tables if len(one)]
        return pd.concat(filled or tables, ignore_index=True).reindex(columns=[*columns])
