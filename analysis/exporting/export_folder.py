"""Writes an export: tables, figures, origin and an explanation, all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.exporting.export_readme import readme
from analysis.exporting.export_tables import seed_table, trial_table, weight_table
from analysis.plotting.csv_files import write_csv
from analysis.plotting.files import save
from analysis.plotting.panels import Plot
from analysis.reading.connection import without_password
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD
from trainables.record_format import Artifact

_FORMAT = "export of a regularization sweep"
_META = "meta.json"


def export(record: SweepRecord, plots: Sequence[Plot], out: Path) -> None:
    """Writes the record and its figures into the folder `out`.

    Raises `Stop` when `out` holds anything but an earlier export, whose files are then replaced
    (files that others put beside them stay), and when it cannot be written.
    """
    earlier = _files_of_earlier(out)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        # Beside its place and moved there when whole: a half of an export looks like all of one.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=out.absolute().parent) as scratch:
            folder = Path(scratch) / "export"
            folder.mkdir()
            _write(record, plots, folder)
            _move(folder, out, earlier)
    except OSError as error:
        raise Stop(BAD_INPUT, f"cannot write the export to {out}: {error}") from error


def _files_of_earlier(out: Path) -> list[str]:
    """The files of the export in `out`; raises `Stop` when something else is there."""
    try:
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            return []
        found = json.loads((out / _META).read_text(encoding="utf-8"))
        if found["format"] == _FORMAT:
            return list(map(str, found["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise Stop(
        BAD_INPUT,
        f"--out needs a new or empty folder or one of an earlier export, got {out}",
    )


def _move(folder: Path, out: Path, earlier: Sequence[str]) -> None:
    if not out.exists():
        os.rename(folder, out)
        return
    inside = out.resolve()
    for name in earlier:
        file = out / name
        if file.resolve().is_relative_to(inside) and file.is_file():
            file.unlink()
    for source in sorted(path for path in folder.rglob("*") if path.is_file()):
        target = out / source.relative_to(folder)
        target.parent.mkdir(exist_ok=True)
        shutil.move(source, target)


def _write(record: SweepRecord, plots: Sequence[Plot], folder: Path) -> None:
    write_csv(trial_table(record), folder / "trials.csv")
    write_csv(seed_table(record), folder / "seeds.csv")
    write_csv(record.curves, folder / "curves.csv.gz")
    curves = pa.Table.from_pandas(record.curves, preserve_index=False)
    pq.write_table(curves.replace_schema_metadata(), folder / "curves.parquet", compression="zstd")
    pq.write_table(weight_table(record), folder / "weights.parquet", compression="zstd")
    (folder / Artifact.MANIFEST).write_bytes(record.sweep_json)
    save(plots, folder / "figures")
    text = readme(record)
    (folder / "README.txt").write_text(text, encoding="utf-8")
    meta = json.dumps(_meta(record, folder), indent=1, ensure_ascii=False)
    (folder / _META).write_text(meta, encoding="utf-8")


def _meta(record: SweepRecord, folder: Path) -> dict[str, Any]:
    manifest = record.manifest
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return {
        "format": _FORMAT,
        "sweep": manifest.run_name,
        "name": manifest.name,
        "question": manifest.question,
        "mlflow_run_id": record.run_id,
        "command": without_password(manifest.command),
        "commit": manifest.commit,
        "dirty": manifest.dirty,
        "versions": manifest.versions,
        "trainer_version": manifest.trainer_version,
        # Not its name, its user's folders or its store: those are nobody else's business.
        "machine": {name: manifest.machine.get(name) for name in ("system", "cpu", "cores")},
        "dataset": manifest.dataset["name"],
        "dataset_digest": manifest.dataset["digest"],
        "summary_epochs": [manifest.summary_epochs.start + 1, manifest.summary_epochs.stop],
        "intervals": METHOD,
        "baseline": record.baseline.name if record.baseline else None,
        "trials": len(record.usable),
        "lacking": dict(record.lacking),
        "warnings": list(record.warnings),
        "files": {**dict(zip(names, digests, strict=True)), _META: None},
    }
