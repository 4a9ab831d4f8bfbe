"""One folder with a sweep's results, for somebody who has neither MLflow nor this project.

    python analysis/export.py RUN_ID

Takes the run id of the sweep, its first digits, or the sweep's name. README.txt in the folder
explains its files; nothing is added to MLflow. The same command again renews the folder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from analysis.exporting.export_folder import export
from analysis.figures.of_sweeps import plots_of
from analysis.plotting.file_names import file_name
from analysis.plotting.terminal import print_warnings
from analysis.reading.connection import open_store
from analysis.reading.errors import exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import parse


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of the script that exports a sweep."""

    sweep: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN_ID")]
    """Run id of the sweep, its first 4 digits or more, or the sweep's name."""

    tracking_uri: str | None = None
    """MLflow store; by default MLFLOW_TRACKING_URI, else mlflow.db in the current folder."""

    out: Path | None = None
    """Folder to write; by default export- and the sweep's name, in the current folder."""

    allow_partial: bool = False
    """Go on when the sweep lacks trials; the export then says so."""


@exit_code
def main(options: ExportOptions) -> None:
    """Writes the folder; the exit code, with one line on stderr unless it is 0."""
    client = open_store(options.tracking_uri)
    record = load_sweep(client, None, options.sweep, options.allow_partial)
    print_warnings(record)
    out = options.out or Path(f"export-{file_name(record.manifest.run_name)}")
    export(record, plots_of(record), out)
    print(f"{out}: begin with {out / 'README.txt'}")


if __name__ == "__main__":
    sys.exit(main(parse(ExportOptions, __doc__)))
