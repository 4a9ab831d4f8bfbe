"""From a sweep's name to its answer: a table and a sentence in the terminal, and figures."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.captions import seeds_and_method, spread
from analysis.figures.comparison import Row, best, compare, reading, value_text
from analysis.figures.confirmed import confirmed_reading, held_out_reading
from analysis.figures.of_sweeps import plots_of
from analysis.plotting.files import folder_of, publish
from analysis.plotting.terminal import (
    new_console,
    new_table,
    print_origin,
    print_table,
    print_warnings,
)
from analysis.plotting.wording import NONE, models_left, with_half_width
from analysis.reading.connection import open_store
from analysis.reading.errors import exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import AnalysisOptions
from analysis.reading.sweep_record import SweepRecord

_MOST_ROWS = 24  # of the table in the terminal; the CSV files have all


@exit_code
def answer(name: str, options: AnalysisOptions) -> None:
    """Analyses the sweep `name`; the exit code, with one line on stderr unless it is 0."""
    client = open_store(options.tracking_uri)
    record = load_sweep(client, name, options.sweep, options.allow_partial)
    print_warnings(record)
    rows = compare(record)
    show(record, rows, name, confirmed_reading(client, record))
    publish(client, plots_of(record), options, folder_of(record, options))


def show(record: SweepRecord, rows: Sequence[Row], script: str, confirmed: str) -> None:
    """Prints the table, the run that it is from, and what the numbers say.

    `confirmed`: what fresh seeds say of its best, if they were asked.
    """
    console = new_console()
    kept = {trial.key for trial in spread(record, _MOST_ROWS - 1)}
    if top := best(rows):
        kept.add(top.trial.key)
    fields = ", ".join(axis.field for axis in record.manifest.axes)
    table = new_table(
        record.manifest.question,
        fields,
        right=("n", "train %", "test %", "gap", "test − baseline"),
    )
    table.add_column("run", no_wrap=True)
    for row in rows:
        if row.trial.key in kept:
            table.add_row(*_texts(record, row))
    print_table(console, table)
    if len(kept) < len(rows):
        console.print(f"{len(kept)} of {len(rows)} configurations; the CSV files have all.")
    lost = any(row.test.diverged for row in rows)
    console.print(
        f"{seeds_and_method(record, '±')}; accuracy in %, gap and difference in points"
        + ("; n: models left of those trained, the others diverged" if lost else "")
    )
    print_origin(console, record, script)
    console.print(reading(record, rows), style="bold")
    if held_out := held_out_reading(record, [top.trial] if top else []):
        console.print(held_out, style="bold")
    if confirmed:
        console.print(confirmed, style="bold")


def _texts(record: SweepRecord, row: Row) -> tuple[str, ...]:
    if row.difference is None:
        difference = "baseline" if row.trial == record.baseline else NONE
    else:
        difference = with_half_width(row.difference, "+.2")
    estimates = (
        with_half_width(row.train, ".1"),
        with_half_width(row.test, ".1"),
        with_half_width(row.gap, "+.2"),
    )
    n = models_left(row.test)
    return (value_text(record, row.trial), n, *estimates, difference, row.run_id[:8])
