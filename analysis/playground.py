"""What does λ do to the network? A page with a slider that moves a recorded sweep.

    python analysis/playground.py [RUN_ID]

Reads the newest finished sweep `l2`, and of `dropout` if there is one, or the sweeps whose run ids
or names are given: any that varies one number. `playground.html` goes into a folder of ./figures
named for the first, and to every sweep's MLflow run; it needs no network and no other file.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import tyro
from mlflow import MlflowClient

from analysis.playground_page.page import playground_page
from analysis.plotting.files import folder_of, save_page
from analysis.plotting.terminal import of_how_many, print_warnings
from analysis.reading.connection import open_store, upload
from analysis.reading.errors import BAD_INPUT, NoFinishedSweep, Stop, exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import Places, parse
from analysis.reading.sweep_record import SweepRecord

_FIRST, _SECOND = "l2", "dropout"  # what is shown where nothing is said
_MOST = 4  # sweeps: with more, each has room for few seeds


@dataclass(frozen=True, kw_only=True)
class PlaygroundOptions(Places):
    """Options of the playground."""

    sweeps: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[RUN_ID …]")
    ] = ()
    """Run ids of sweeps that vary one number each, their first 4 digits or more, or the sweeps'
    names."""

    features: tuple[str, str] | None = None
    """Two features that span the map of decisions; by default the first two principal components
    of all rows do."""


@exit_code
def main(options: PlaygroundOptions) -> None:
    """Writes the page; the exit code, with one line on stderr unless it is 0."""
    if len(options.sweeps) > _MOST:
        raise Stop(BAD_INPUT, f"takes up to {_MOST} sweeps, got {len(options.sweeps)}")
    client = open_store(options.tracking_uri)
    records = _asked_for(client, options) if options.sweeps else _newest(client, options)
    for record in records:
        print_warnings(record, f"{record.manifest.run_name}: " if len(records) > 1 else "")
    page = playground_page(records, options.features or ())
    file = save_page(page, folder_of(records[0], options), "playground")
    for record in records:
        print(f"{record.manifest.run_name}{of_how_many(record)}")
    print(file)
    if options.upload:
        upload(client, [record.run_id for record in records], [file], "playground")


def _asked_for(client: MlflowClient, options: PlaygroundOptions) -> list[SweepRecord]:
    found = [load_sweep(client, None, sweep, options.allow_partial) for sweep in options.sweeps]
    return list({record.run_id: record for record in found}.values())


def _newest(client: MlflowClient, options: PlaygroundOptions) -> list[SweepRecord]:
    records = [load_sweep(client, _FIRST, None, options.allow_partial)]
    with suppress(NoFinishedSweep):
        records.append(load_sweep(client, _SECOND, None, options.allow_partial))
    return records


if __name__ == "__main__":
    sys.exit(main(parse(PlaygroundOptions, __doc__)))
