"""How do sweeps differ: L1 against L2, a small network against a large one, two datasets?

    python analysis/compare.py RUN_ID RUN_ID …

Takes the run ids of the sweeps, the first digits of these, or the sweeps' names. The figure, named
for the sweeps, goes into ./figures and to every sweep's MLflow run; differences are to the sweep
that is named first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from analysis.plotting.files import publish
from analysis.plotting.terminal import print_warnings
from analysis.reading.connection import open_store
from analysis.reading.errors import BAD_INPUT, Stop, exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import Places, parse
from analysis.reading.sweep_record import SweepRecord
from analysis.side_by_side.compare_figures import Compared, comparison_plot, require_common_axes
from analysis.side_by_side.compare_tables import show
from analysis.side_by_side.shared_configurations import pair
from analysis.side_by_side.sweep_labels import labels
from trainables.commands.project_scripts import these_words

_MOST = 7  # more series than these cannot be told apart in one panel


@dataclass(frozen=True, kw_only=True)
class CompareOptions(Places):
    """Options of the script that compares sweeps."""

    sweeps: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN_ID RUN_ID …")
    ] = ()
    """Run ids of two or more sweeps, their first 4 digits or more, or the sweeps' names."""


def compared(records: Sequence[SweepRecord]) -> tuple[Compared, ...]:
    """The sweeps with their labels and, from the second on, their pairs with the first."""
    return tuple(
        Compared(record, label, pair(records[0], record) if number else None)
        for number, (record, label) in enumerate(zip(records, labels(records), strict=True))
    )


@exit_code
def main(options: CompareOptions) -> None:
    """Compares the sweeps; the exit code, with one line on stderr unless it is 0."""
    _require_sweeps(options.sweeps)
    client = open_store(options.tracking_uri)
    records = [load_sweep(client, None, sweep, options.allow_partial) for sweep in options.sweeps]
    _require_different(records)
    require_common_axes(records)
    for record in records:
        print_warnings(record, f"{record.manifest.run_name}: ")
    found = compared(records)
    show(found)
    drawn = [comparison_plot(found)]
    publish(client, drawn, options, options.folder())


def _require_sweeps(sweeps: Sequence[str]) -> None:
    if not 2 <= len(sweeps) <= _MOST:
        raise Stop(
            BAD_INPUT,
            f"needs the run ids of 2 to {_MOST} sweeps, got {len(sweeps)}: "
            f"{these_words()} RUN_ID RUN_ID …",
        )


def _require_different(records: Sequence[SweepRecord]) -> None:
    run_ids = [record.run_id for record in records]
    if twice := [run_id for run_id in run_ids if run_ids.count(run_id) > 1]:
        raise Stop(BAD_INPUT, f"needs different sweeps, got {twice[0]} more than once")


if __name__ == "__main__":
    sys.exit(main(parse(CompareOptions, __doc__)))
