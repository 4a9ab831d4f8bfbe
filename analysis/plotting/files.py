"""Figures as files, and beside the sweep's other artifacts in MLflow."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from mlflow import MlflowClient

from analysis.plotting.csv_files import write_csv
from analysis.plotting.draw import STYLE, draw
from analysis.plotting.file_names import file_name
from analysis.plotting.panels import Plot
from analysis.plotting.terminal import show_files
from analysis.reading.connection import upload
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.finished_trials import some
from analysis.reading.script_options import Places
from analysis.reading.sweep_record import SweepRecord

_DPI = 150


def folder_of(record: SweepRecord, places: Places) -> Path:
    """Where a sweep's figures go: a folder of its own, since those of all sweeps of a name are
    called the same, here as in the artifacts of their runs."""
    return places.folder(file_name(record.manifest.run_name))


def publish(
    client: MlflowClient,
    plots: Sequence[Plot],
    places: Places,
    out: Path,
    table: Path | None = None,
) -> None:
    """Saves the plots, prints where they are, and adds them to their sweeps' runs if wanted.

    `table`: a file beside them, which goes where the first plot goes.
    """
    files = save(plots, out)
    show_files(files if table is None else {**files, table.stem: [table]})
    if places.upload:
        add_to_store(client, plots, files)
        if table is not None:
            upload(client, plots[0].run_ids, [table])


def save(plots: Sequence[Plot], out: Path) -> dict[str, list[Path]]:
    """Writes PNG, SVG and CSV of each plot into `out`; their paths, by the plot's name."""
    files: dict[str, list[Path]] = {}
    with writing_into(out, "figures"):
        for plot in plots:
            figure = draw(plot)
            paths = [out / f"{plot.name}.{kind}" for kind in ("png", "svg", "csv")]
            with matplotlib.rc_context(STYLE):
                figure.savefig(paths[0], dpi=_DPI)
                figure.savefig(paths[1], metadata={"Date": None})
            write_csv(plot.table(), paths[2])
            files[plot.name] = paths
    return files


def save_page(page: str, out: Path, name: str) -> Path:
    """Where the page now is: `name`.html in `out`. Raises `Stop` when it cannot be written."""
    file = out / f"{name}.html"
    with writing_into(out, f"the {name}"):
        file.write_text(page, encoding="utf-8")
    return file


@contextmanager
def writing_into(out: Path, what: str) -> Iterator[None]:
    """The folder is there, and `what` may be written into it; raises `Stop` when it cannot.

    Says on stderr which of its files had other content before: nothing goes silently.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = _digests(out)
        yield
        after = _digests(out)
    except OSError as error:
        raise Stop(BAD_INPUT, f"cannot write {what} to {out}: {error}") from error
    changed = sorted(path.name for path in before if after.get(path) != before[path])
    if changed:
        print(
            f"replaced in {out}, where they said something else: {some(changed)}", file=sys.stderr
        )


def _digests(folder: Path) -> dict[Path, bytes]:
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in files}


def add_to_store(client: MlflowClient, plots: Sequence[Plot], files: dict[str, list[Path]]) -> None:
    """Adds each plot's files to the artifacts of the sweeps that it shows, under `figures/`."""
    for plot in plots:
        upload(client, plot.run_ids, files[plot.name])
