"""The sweep's own run: made with the promise, closed with the answer."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sweeps.record.lock import Owner
from sweeps.record.runs.finished_run import final_points, spread
from sweeps.record.runs.run_numbers import place
from sweeps.record.runs.tables import write_csv
from trainables.manifest import Manifest
from trainables.record_format import Artifact, Column, Kind, Parameter, Tag, tagged
from trainables.result import Interval

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def create(client: MlflowClient, experiment_id: str, manifest: Manifest, owner: Owner) -> Run:
    """The sweep's run, RUNNING and owned. Raises what the store raises; may be repeated."""
    from mlflow.entities import Param

    text = manifest.to_json()
    named = tagged({Tag.KIND: Kind.SWEEP, Tag.SWEEP: manifest.run_name})
    # An earlier call may have made it and lost the answer.
    found = client.search_runs([experiment_id], named, max_results=1)
    run: Run = (
        found[0]
        if found
        else client.create_run(
            experiment_id,
            run_name=manifest.run_name,
            tags={
                Tag.KIND: Kind.SWEEP,
                Tag.SWEEP: manifest.run_name,
                Tag.NAME: manifest.name,
                Tag.PROMISE: manifest.promise,
                Tag.MANIFEST_SHA256: hashlib.sha256(text.encode()).hexdigest(),
                Tag.LOCK: owner.to_tag(),
                Tag.SOURCE_NAME: f"sweeps/{manifest.name}.py",
                Tag.SOURCE_TYPE: "LOCAL",
                Tag.COMMIT: manifest.commit,
                Tag.DIRTY: str(manifest.dirty).lower(),
                Tag.COMMAND: manifest.command[:5000],
                Tag.NOTE: f"{manifest.question}\n\nRunning.",
                **_origin(manifest),
            },
        )
    )
    run_id = run.info.run_id
    # First of all: without its promise a sweep cannot be resumed.
    log_text(client, run_id, Artifact.MANIFEST, text)
    options = [Param(f"{Parameter.OPTION}{name}", value) for name, value in _flat(manifest.options)]
    client.log_batch(run_id, params=options)
    client.log_inputs(run_id, [_dataset_input(manifest.dataset)])
    return run


def _origin(manifest: Manifest) -> dict[str, str]:
    """The sweep that the configurations come from, and that which it confirms, if there is one."""
    run_id = manifest.options.get("from_run")
    source = {Tag.SOURCE: run_id} if run_id else {}
    return source | ({Tag.CONFIRMS: manifest.confirms} if manifest.confirms else {})


def _dataset_input(facts: Mapping[str, Any]) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=facts["name"],
        digest=facts["digest"],
        source_type="code",
        source=json.dumps({"function": f"sklearn.datasets.load_{facts['name']}"}),
        profile=json.dumps({"num_rows": facts["rows"]}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def finish(
    client: MlflowClient,
    run_id: str,
    status: str,
    note: str,
    numbers: Mapping[str, float],
    failed: int,
    now: int,
) -> None:
    """Writes the answer and closes the run.

    May be repeated with the same `now` (milliseconds since 1970), the time of the numbers.
    """
    from mlflow.entities import Metric

    run = client.get_run(run_id)
    known = run.data
    if failed:
        client.set_tag(run_id, Tag.FAILED_TRIALS, str(failed))
    elif Tag.FAILED_TRIALS in known.tags:  # tried again, with success
        client.delete_tag(run_id, Tag.FAILED_TRIALS)
    client.set_tag(run_id, Tag.NOTE, note)
    if run.info.end_time:
        now = max(
            now, run.info.end_time + 1
        )  # the clock may have been set back since it was last closed
    # A sweep that was closed before has them already; again they would be a second point.
    new = [point for point in final_points(numbers) if known.metrics.get(point.name) != point.value]
    metrics = [Metric(name, value, now, step) for name, value, step in new]
    client.log_batch(run_id, metrics=metrics)
    client.set_terminated(run_id, status)


def log_results(
    client: MlflowClient,
    run_id: str,
    manifest: Manifest,
    run_ids: Mapping[str, str],
    summaries: Mapping[str, Mapping[str, Interval]],
) -> None:
    """`results.csv`: a row per trial, in the manifest's order; `run_ids` by trial key."""
    kept = [trial for trial in manifest.trials if trial.key in summaries]
    swept = [axis.field for axis in manifest.axes]
    rows = [
        {Column.CONFIG: trial.name, Column.RUN_ID: run_ids[trial.key]}
        | {name: trial.hyperparameters.as_dict()[name] for name in swept}
        | dict(spread(summaries[trial.key]))
        for trial in kept
    ]
    leading = [Column.CONFIG, Column.RUN_ID, *swept]
    numbers = {name for row in rows for name in row} - set(leading)
    columns = [*leading, *sorted(numbers, key=place)]
    with artifact(client, run_id, "", Artifact.RESULTS) as path:
        write_csv(pa.table({name: [row.get(name) for row in rows] for name in columns}), path)


def log_text(client: MlflowClient, run_id: str, name: str, text: str) -> None:
    """Stores `text` as the run's artifact."""
    with artifact(client, run_id, "", name) as path:
        path.write_text(text, encoding="utf-8")


@contextmanager
def artifact(client: MlflowClient, run_id: str, folder: str, name: str) -> Iterator[Path]:
    """A path to write to, which is then stored as the run's artifact."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as scratch:
        path = Path(scratch) / name
        yield path
        client.log_artifact(run_id, str(path), folder or None)


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def _flat(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        yield name, " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
