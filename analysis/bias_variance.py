"""How much of the error is bias, how much variance, against a penalty or the network's width?

    python analysis/bias_variance.py RUN_ID            # a sweep of one hyperparameter
    python analysis/bias_variance.py RUN_ID RUN_ID …   # sweeps that differ in their hidden units

Takes sweeps of `sweeps/seeds.py` with 200 seeds or more, 1,000 being a good number. The figure goes
into ./figures and to every sweep's MLflow run.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from analysis.figures.bias_variance_figure import parts_plot, points_of, show
from analysis.plotting.files import publish
from analysis.plotting.terminal import print_warnings
from analysis.reading.connection import open_store
from analysis.reading.errors import BAD_INPUT, Stop, exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import Places, parse
from trainables.commands.project_scripts import these_words


@dataclass(frozen=True, kw_only=True)
class BiasOptions(Places):
    """Options of the script on bias and variance."""

    sweeps: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN_ID RUN_ID …")
    ] = ()
    """Run ids of sweeps, their first 4 digits or more, or the sweeps' names."""


@exit_code
def main(options: BiasOptions) -> None:
    """Takes the error apart; the exit code, with one line on stderr unless it is 0."""
    if not options.sweeps:
        raise Stop(BAD_INPUT, f"needs the run id of a sweep, got none: {these_words()} RUN_ID …")
    client = open_store(options.tracking_uri)
    records = [load_sweep(client, "seeds", one, options.allow_partial) for one in options.sweeps]
    for record in records:
        print_warnings(record, f"{record.manifest.run_name}: ")
    found = points_of(records)
    show(records, found)
    publish(client, [parts_plot(records, found)], options, options.folder())


if __name__ == "__main__":
    sys.exit(main(parse(BiasOptions, __doc__)))
