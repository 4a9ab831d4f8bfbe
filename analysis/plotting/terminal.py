"""How results stand in the terminal: tables, warnings, paths."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from analysis.reading.connection import store_flag, without_password
from analysis.reading.finished_trials import some
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.project_scripts import words

_NO_EDGE = 10_000  # columns


def new_console() -> Console:
    """A console that shows text as it is: names are data, not markup.

    A terminal's lines end between words; in a pipe or a log there is no edge to fit.
    """
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.soft_wrap, console.width = True, 100
    return console


def new_table(title: str, *left: str, right: tuple[str, ...] = ()) -> Table:
    """A table with columns of text, `left`, and then of numbers, `right`."""
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        show_edge=False,
    )
    for heading in left:
        table.add_column(heading, no_wrap=True)
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def print_table(console: Console, table: Table) -> None:
    """Prints the table whole: a terminal that is narrower breaks its lines."""
    width = console.width
    console.width = max(width, Console(width=_NO_EDGE).measure(table).maximum)
    console.print(table)
    console.width = width


def print_warnings(record: SweepRecord, before: str = "") -> None:
    """Prints what is odd about a sweep to stderr, a line each."""
    for warning in (*record.warnings, *([record.partial] if record.partial else [])):
        print(f"warning: {before}{warning}", file=sys.stderr)


def print_origin(console: Console, record: SweepRecord, script: str) -> None:
    """Prints which sweep was read and, of several, how the script reads another."""
    where = without_password(record.tracking_uri)
    console.print(f"sweep {record.manifest.run_name}, MLflow run {record.run_id} in {where}")
    if record.others:
        flag = store_flag(record.tracking_uri)
        console.print(
            f"the newest of {len(record.others) + 1} finished ones; the others: "
            f"{some(record.others)}; to read one of them:  "
            f"{words('analysis', script)} --sweep {record.others[0]}{flag}"
        )


def of_how_many(record: SweepRecord) -> str:
    """What goes after the name of a sweep that is not the only one of its kind."""
    return f", the newest of {len(record.others) + 1} finished ones" if record.others else ""


def show_files(files: dict[str, list[Path]]) -> None:
    """Prints where the figures are."""
    for paths in files.values():
        print(" ".join(map(str, paths)))
