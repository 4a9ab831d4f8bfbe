"""From a sweep's name to its answer: a table and a sentence in the terminal, and figures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from analysis.captions import seeds_and_method, spread
from analysis.comparison import Row, best, compare, reading, value_text
from analysis.connection import open_store, without_password
from analysis.errors import Stop
from analysis.options import Options
from analysis.outputs import add_to_store, save
from analysis.plots import Plot
from analysis.record import SweepRecord
from analysis.stats import Difference, Estimate
from analysis.store import load_sweep

_MOST_ROWS = 24  # of the table in the terminal; the CSV files have all


def answer(name: str, plots: Callable[[SweepRecord], Sequence[Plot]], options: Options) -> int:
    """Analyses the sweep `name`; the exit code, with one line on stderr unless it is 0."""
    try:
        client = open_store(options.tracking_uri)
        record = load_sweep(client, name, options.sweep, options.allow_partial)
        for warning in (*record.warnings, *([record.partial] if record.partial else [])):
            print(f"warning: {warning}", file=sys.stderr)
        rows = compare(record)
        show(record, rows)
        drawn = plots(record)
        files = save(drawn, options.out)
        show_files(files)
        if options.upload:
            add_to_store(client, drawn, files)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.code
    return 0


def show(record: SweepRecord, rows: Sequence[Row]) -> None:
    """Prints the table, the run that it is from, and what the numbers say."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 100  # in a pipe or a log there is no edge to fit
    kept = {trial.key for trial in spread(record, _MOST_ROWS - 1)}
    if top := best(rows):
        kept.add(top.trial.key)
    table = Table(
        title=record.manifest.question,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        show_edge=False,
    )
    table.add_column(", ".join(axis.field for axis in record.manifest.axes), no_wrap=True)
    for heading in ("n", "train %", "test %", "gap", "test − baseline"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("run", no_wrap=True)
    for row in rows:
        if row.trial.key in kept:
            table.add_row(*_texts(record, row))
    console.print(table)
    if len(kept) < len(rows):
        console.print(f"{len(kept)} of {len(rows)} configurations; the CSV files have all.")
    lost = any(row.test.diverged for row in rows)
    console.print(
        f"{seeds_and_method(record, '±')}; accuracy in %, gap and difference in points"
        + ("; n: models left of those trained, the others diverged" if lost else "")
    )
    where = without_password(record.tracking_uri)
    console.print(f"sweep {record.manifest.run_name}, MLflow run {record.run_id} in {where}")
    console.print(reading(record, rows), style="bold")


def _texts(record: SweepRecord, row: Row) -> tuple[str, ...]:
    n = f"{row.test.n}/{len(row.trial.seeds)}" if row.test.diverged else f"{row.test.n}"
    if row.difference is None:
        difference = "baseline" if row.trial == record.baseline else "–"
    else:
        difference = _text(row.difference, "+z.2")
    estimates = (_text(row.train, ".1"), _text(row.test, ".1"), _text(row.gap, "+z.2"))
    return (value_text(record, row.trial), n, *estimates, difference, row.run_id[:8])


def _text(found: Estimate | Difference, form: str) -> str:
    if found.mean is None:
        return "–"
    text = f"{100 * found.mean:{form}f}"
    if found.low is None:
        return text
    return f"{text} ± {100 * (found.mean - found.low):.{form[-1]}f}"


def show_files(files: dict[str, list[Path]]) -> None:
    """Prints where the figures are."""
    for paths in files.values():
        print(" ".join(map(str, paths)))
