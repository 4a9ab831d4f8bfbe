"""From the MLflow store to one sweep's checked tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
from mlflow import MlflowClient
from mlflow.entities import Run

from analysis.reading.connection import store_errors
from analysis.reading.errors import INCOMPLETE, STORE, Stop
from analysis.reading.finding import find_sweep, remedy, restore, sweep_of
from analysis.reading.finished_trials import some, trial_runs
from analysis.reading.part_tables import read_curves, read_weights
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.run_ids import is_deleted
from trainables.manifest import Manifest, checked_manifest
from trainables.record_format import Artifact, Column, Metric, Tag


def load_sweep(
    client: MlflowClient, name: str | None, run_id: str | None = None, allow_partial: bool = False
) -> SweepRecord:
    """The sweep that `run_id` means, see `sweep_of`, or else the newest finished one called `name`.

    Raises `Stop` when there is none, when the store cannot be read, when its files are not those
    that were recorded, and, unless `allow_partial`, when the sweep is deleted or lacks trials that
    its manifest promises.
    """
    with store_errors(client.tracking_uri):
        others: tuple[str, ...] = ()
        if run_id is not None:
            parent = sweep_of(client, run_id, name)
        elif name is not None:
            parent, others = find_sweep(client, name, allow_partial)
        else:
            raise ValueError("load_sweep needs a name or a run_id, got neither")
        if is_deleted(parent) and not allow_partial:
            raise Stop(
                INCOMPLETE,
                f"sweep {parent.info.run_name} is deleted: {restore(parent)}, or give "
                "--allow-partial to read what is left of it",
            )
        record = _read(client, parent, others)
    if record.lacking and not allow_partial:
        raise Stop(INCOMPLETE, _lacking(client, parent, record))
    if not record.configurations:
        raise Stop(INCOMPLETE, f"sweep {record.manifest.run_name} has no complete trial")
    return record


def _lacking(client: MlflowClient, parent: Run, record: SweepRecord) -> str:
    named = [f"{config} ({problem})" for config, problem in record.lacking.items()]
    running = "is still RUNNING and " if parent.info.status == "RUNNING" else ""
    failed = any(problem.startswith("failed") for problem in record.lacking.values())
    return (
        f"sweep {record.manifest.run_name} {running}lacks {len(named)} of "
        f"{len(record.manifest.trials)} trials: {some(named)}; "
        f"{remedy(client, parent, ' --retry-failed' if failed else '')}, or give --allow-partial "
        "to go on without them"
    )


def _read(client: MlflowClient, parent: Run, others: tuple[str, ...]) -> SweepRecord:
    run_id = parent.info.run_id
    with tempfile.TemporaryDirectory() as temporary:

        def artifact(path: str) -> Path:
            return Path(client.download_artifacts(run_id, path, temporary))

        sweep_json = artifact(Artifact.MANIFEST).read_bytes()
        manifest = _manifest(parent, sweep_json)
        runs = trial_runs(client, parent, manifest)
        finished = [trial for trial in manifest.trials if trial.key in runs.finished]
        curves, weights = pd.DataFrame(), pa.table({})
        torn: dict[str, str] = {}
        if finished:  # a sweep that has just begun has no curves yet
            try:
                curves, torn = read_curves(artifact(Artifact.CURVES), finished)
                weights = read_weights(artifact(Artifact.WEIGHTS), finished)
            except (ValueError, pa.ArrowException) as error:
                running = parent.info.status == "RUNNING"  # a file may be half written just now
                again = "; the sweep is still RUNNING, so try again" if running else ""
                line = f"curves or weights of {parent.info.run_name}: {error}{again}"
                raise Stop(STORE, line) from error
    problems = {**runs.problems, **torn}
    good = {key: run for key, run in runs.finished.items() if key not in torn}
    return SweepRecord(
        tracking_uri=client.tracking_uri,
        run_id=run_id,
        manifest=manifest,
        sweep_json=sweep_json,
        trials=_trial_table(manifest, good),
        curves=curves,
        weights=weights,
        lacking={t.name: problems[t.key] for t in manifest.trials if t.key in problems},
        warnings=(*_oddities(parent, bool(problems)), *runs.warnings),
        others=others,
        confirmed_by=parent.data.tags.get(Tag.CONFIRMED_BY, ""),
    )


def _manifest(parent: Run, content: bytes) -> Manifest:
    try:
        return checked_manifest(content, parent.data.tags)
    except ValueError as error:
        raise Stop(STORE, f"{Artifact.MANIFEST} of {parent.info.run_name} {error}") from error


def _oddities(parent: Run, lacks_trials: bool) -> list[str]:
    odd = []
    if is_deleted(parent):
        odd.append(f"sweep {parent.info.run_name} is deleted: {restore(parent)}")
    if parent.info.status == "RUNNING":
        state = "this is what it has so far" if lacks_trials else "but all its trials are recorded"
        odd.append(f"sweep {parent.info.run_name} is still RUNNING; {state}")
    return odd


def _trial_table(manifest: Manifest, runs: dict[str, Run]) -> pd.DataFrame:
    rows = []
    for trial in manifest.trials:
        if run := runs.get(trial.key):
            finals = {k: v for k, v in run.data.metrics.items() if k.startswith(Metric.FINAL)}
            row = {
                Column.TRIAL_KEY: trial.key,
                Column.CONFIG: trial.name,
                Column.RUN_ID: run.info.run_id,
            }
            rows.append(row | trial.hyperparameters.as_dict() | finals)
    return pd.DataFrame(
        rows, columns=None if rows else [Column.TRIAL_KEY, Column.CONFIG, Column.RUN_ID]
    )
