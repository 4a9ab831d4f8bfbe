"""How far do results vary with the seed, and which differences are more than luck?

    python analysis/robustness.py

Reads the newest finished sweep `seeds`, or --sweep RUN_ID of any sweep: every sweep has seeds.
Figures and the table go into a folder of ./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.plotting.csv_files import write_csv
from analysis.plotting.files import folder_of, publish, writing_into
from analysis.plotting.panels import Plot
from analysis.plotting.terminal import new_console, print_warnings
from analysis.reading.connection import open_store
from analysis.reading.errors import exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import AnalysisOptions, parse
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.seed_number_figures import ranks, seeds_needed
from analysis.seed_study.study import SourceShares, Studied, by_source, study
from analysis.seed_study.study_figures import distribution, variance_sources
from analysis.seed_study.study_reading import reading
from analysis.seed_study.study_tables import show, show_sources, statistics
from trainables.commands.project_scripts import words

_HOW = "variance by source: this sweep has no exchanged trials, which are recorded by"


def plots(
    record: SweepRecord, studied: Sequence[Studied], shares: Sequence[SourceShares]
) -> list[Plot]:
    """The figures; that of the sources only where the sweep exchanged them."""
    drawn = [distribution(record, studied), seeds_needed(record, studied), ranks(record, studied)]
    return [*drawn, variance_sources(record, shares)] if shares else drawn


def print_study(
    record: SweepRecord, studied: Sequence[Studied], shares: Sequence[SourceShares]
) -> None:
    """The tables and, in sentences, what they say."""
    console = new_console()
    show(console, record, studied)
    if shares:
        show_sources(console, record, shares)
    console.print()
    for line in reading(record, studied, shares):
        console.print(line, style="bold")
    if not shares:
        console.print(f"{_HOW}  {words('sweeps', 'seeds')} --by-source …")


@exit_code
def main(options: AnalysisOptions) -> None:
    """Analyses the sweep; the exit code, with one line on stderr unless it is 0."""
    client = open_store(options.tracking_uri)
    name = None if options.sweep else "seeds"
    record = load_sweep(client, name, options.sweep, options.allow_partial)
    print_warnings(record)
    studied, shares = study(record), by_source(record)
    print_study(record, studied, shares)
    drawn = plots(record, studied, shares)
    out = folder_of(record, options)
    publish(client, drawn, options, out, _save_table(studied, out))


def _save_table(studied: Sequence[Studied], out: Path) -> Path:
    path = out / "robustness_table.csv"
    with writing_into(out, "the table"):
        write_csv(statistics(studied), path)
    return path


if __name__ == "__main__":
    sys.exit(main(parse(AnalysisOptions, __doc__)))
