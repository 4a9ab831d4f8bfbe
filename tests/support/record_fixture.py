"""A sweep as `sweeps/` records it, written without training, for the tests of `analysis/`.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import DECLARED, TRAINER_VERSION, Hyperparameters
from trainables.result import CURVES, Array
from trainables.trial import Trial

LABELS = {name: declared.label for name, declared in DECLARED.items()} | {
    "l1": "L1 penalty λ",
    "l2": "L2 penalty λ",
    "dropout": "dropout rate p",
    "batch_size": "batch size",
}
DATASET = {
    "name": "iris",
    "digest": "0" * 16,
    "rows": 150,
    "train": 120,
    "test": 30,
    "features": 4,
    "classes": 3,
    "class_names": ["setosa", "versicolor", "virginica"],
    "feature_names": ["sepal length", "sepal width", "petal length", "petal width"],
}


@dataclass(frozen=True)
class Recorded:
    """A trial with its models' curves, (S, E) by metric, and parameters, (S, …) by name."""

    trial: Trial
    curves: Mapping[str, Array]
    weights: Mapping[str, Array]


@dataclass(frozen=True)
class Faults:
    """What is wrong with a record; trials by name.

    `unrecorded`: no child run and no rows. `no_run`: rows, but no child run. `failed`: a failed
    child run without rows. `running`: a child run that has not ended. `deleted`: a finished child
    run that somebody deleted. `twice_run`: two finished child runs. `twice_rows`: the same rows in
    a second file. `twice_in_file`: the same rows in the first file again. `conflicting`: other
    numbers in a second file. `torn`: the last seed's rows are gone.
    """

    unrecorded: Collection[str] = ()
    no_run: Collection[str] = ()
    failed: Collection[str] = ()
    running: Collection[str] = ()
    deleted: Collection[str] = ()
    twice_run: Collection[str] = ()
    twice_rows: Collection[str] = ()
    twice_in_file: Collection[str] = ()
    conflicting: Collection[str] = ()
    torn: Collection[str] = ()


def configuration_name(fields: Sequence[str], hyperparameters: Hyperparameters) -> str:
    """`l2=0.012300`, or `l1=0.000500 l2=0.020000` for two fields."""
    values = [(field, getattr(hyperparameters, field)) for field in fields]
    return " ".join(
        f"{field}={value:.6f}" if isinstance(value, float) else f"{field}={value}"
        for field, value in values
    )


def made_up(trial: Trial, level: float, spread: float = 0.02) -> Recorded:
    """Learning curves that rise to about `level` test accuracy, and weights; exact float32."""
    rng = np.random.default_rng(int(trial.key, 16))
    seeds, epochs = len(trial.seeds), trial.hyperparameters.epochs
    rise = 1 - np.exp(-np.arange(1, epochs + 1) / (epochs / 5))
    test = level * rise + rng.normal(0, spread, (seeds, 1)) + rng.normal(0, 0.01, (seeds, epochs))
    curves = {name: np.clip(test, 0, 1) for name in CURVES}
    curves["train/accuracy"] = np.clip(test + 0.01, 0, 1)
    if trial.folds:
        curves["cv/accuracy"] = np.clip(test + rng.normal(0, spread, (seeds, 1)) - 0.01, 0, 1)
    if trial.hyperparameters.hold_out:
        held_out = test + rng.normal(0, spread, (seeds, 1)) - 0.02
        curves["held_out/accuracy"] = np.clip(held_out, 0, 1)
    more = ["held_out"] if trial.hyperparameters.hold_out else []
    for part in ("train", "test", *more, *(["cv"] if trial.folds else [])):
        curves[f"{part}/loss"] = 1.1 - curves[f"{part}/accuracy"]
    shapes = {"0.weight": (32, 4), "0.bias": (32,), "1.weight": (3, 32), "1.bias": (3,)}
    return Recorded(
        trial,
        {name: values.astype(np.float32) for name, values in curves.items()},
        {
            name: rng.normal(0, 0.5, (seeds, *shape)).astype(np.float32)
            for name, shape in shapes.items()
        },
    )


def diverging(one: Recorded, model: int, epoch: int) -> Recorded:
    """The same trial with one model lost from `epoch` (counted from 0) on."""
    curves = {name: values.copy() for name, values in one.curves.items()}
    for values in curves.values():
        values[model, epoch:] = np.nan
    return Recorded(one.trial, curves, one.weights)


def made_up_sweep(
    fields: Sequence[str],
    points: Sequence[Mapping[str, object]],
    seeds: int = 3,
    epochs: int = 40,
    first_seed: int = 0,
    names: Sequence[str] = (),
    folds: int = 0,
) -> list[Recorded]:
    """One made-up trial for each of `points`; the first is the best and stands as baseline.

    `names`: of the first trials, instead of those that a sweep gives.
    """
    sweep = []
    for number, point in enumerate(points):
        hyperparameters = Hyperparameters(epochs=epochs, **point)  # type: ignore[arg-type]
        name = dict(enumerate(names)).get(number, configuration_name(fields, hyperparameters))
        seeds_of_all = tuple(range(first_seed, first_seed + seeds))
        trial = Trial(name, hyperparameters, seeds_of_all, folds=folds)
        sweep.append(made_up(trial, level=0.95 - 0.03 * number))
    return sweep


def new_store(folder: Path) -> str:
    """The tracking URI of an empty store in `folder`."""
    shutil.copy(_empty_database(), folder / "mlflow.db")
    return f"sqlite:///{folder}/mlflow.db"


@cache
def _empty_database() -> Path:
    # MLflow takes seconds to lay out a database: once is enough for all tests.
    file = Path(tempfile.mkdtemp(prefix="empty-store-")) / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


def write_sweep(
    tracking_uri: str,
    artifacts: Path,
    name: str,
    fields: Sequence[str],
    sweep: Sequence[Recorded],
    run_name: str | None = None,
    faults: Faults | None = None,
    status: str = "FINISHED",
    experiment: str | None = None,
    changes: Mapping[str, object] | None = None,
) -> str:
    """Records the sweep and returns its run id; the first trial is the baseline.

    `changes`: of fields of `sweep.json`.
    """
    client = MlflowClient(tracking_uri)
    faults = faults or Faults()
    run_name = run_name or f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    known = client.get_experiment_by_name(experiment or name)
    experiment_id = (
        known.experiment_id
        if known
        else client.create_experiment(
            experiment or name, artifact_location=(artifacts / (experiment or name)).as_uri()
        )
    )
    parent = client.create_run(
        experiment_id,
        run_name=run_name,
        tags={"kind": "sweep", "sweep": run_name, "sweep.name": name},
    ).info.run_id
    for one in sweep:
        if one.trial.name not in {*faults.unrecorded, *faults.no_run}:
            _write_trial(client, experiment_id, parent, run_name, one, faults)
    with tempfile.TemporaryDirectory() as folder:
        manifest = _manifest(name, run_name, fields, sweep) | dict(changes or {})
        content = json.dumps(manifest).encode()
        (Path(folder) / "sweep.json").write_bytes(content)
        client.set_tag(parent, "manifest.sha256", hashlib.sha256(content).hexdigest())
        _write_artifacts(Path(folder), sweep, faults)
        client.log_artifacts(parent, folder)
    for option, value in dict(manifest["options"]).items():  # type: ignore[call-overload]
        client.log_param(parent, f"sweep.{option}", value)
    if status != "RUNNING":
        client.set_terminated(parent, status)
    return str(parent)


def _write_trial(
    client: MlflowClient, experiment_id: str, parent: str, sweep: str, one: Recorded, faults: Faults
) -> None:
    trial = one.trial
    tags = {"kind": "trial", "sweep": sweep, "config": trial.name, "trial.key": trial.key}
    tags["mlflow.parentRunId"] = parent
    for _ in range(2 if trial.name in faults.twice_run else 1):
        run = client.create_run(experiment_id, run_name=trial.name, tags=tags).info.run_id
        params = [Param(k, str(v)) for k, v in trial.hyperparameters.as_dict().items()]
        now = int(time.time() * 1000)
        final = float(one.curves["test/accuracy"][:, -1].mean())
        metrics = [Metric("final/test_accuracy", final, now, 0)] if np.isfinite(final) else []
        client.log_batch(run, metrics=metrics, params=params)
        if trial.name in faults.failed:
            client.set_tag(run, "error", "worker died")
        if trial.name not in faults.running:
            client.set_terminated(run, "FAILED" if trial.name in faults.failed else "FINISHED")
        if trial.name in faults.deleted:
            client.delete_run(run)


def copy_runs(tracking_uri: str, first: Recorded, others: Sequence[Recorded]) -> None:
    """Child runs of `others`, copied in the database from that of `first`.

    Through MLflow thousands of them would take minutes.
    """
    with sqlite3.connect(tracking_uri.removeprefix("sqlite:///")) as database:
        (run_id,) = database.execute(
            "select run_uuid from tags where key = 'trial.key' and value = ?", [first.trial.key]
        ).fetchone()
        copies = [(uuid.uuid4().hex, one.trial) for one in others]
        for table in ("runs", "tags", "params", "latest_metrics"):
            columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
            rest = ", ".join(name for name in columns if name != "run_uuid")
            database.executemany(
                f"insert into {table} (run_uuid, {rest}) "
                f"select ?, {rest} from {table} where run_uuid = ?",
                [(new, run_id) for new, _ in copies],
            )
        for key, values in (
            ("trial.key", [(trial.key, new) for new, trial in copies]),
            ("config", [(trial.name, new) for new, trial in copies]),
        ):
            database.executemany(
                f"update tags set value = ? where key = '{key}' and run_uuid = ?", values
            )
    database.close()


def _manifest(
    name: str, run_name: str, fields: Sequence[str], sweep: Sequence[Recorded]
) -> dict[str, object]:
    epochs = sweep[0].trial.hyperparameters.epochs
    hold_out = sweep[0].trial.hyperparameters.hold_out
    return {
        "version": 1,
        "name": name,
        "run_name": run_name,
        "question": f"What does {name} do?",
        "axes": [_axis(field, sweep) for field in fields],
        "baseline": sweep[0].trial.key,
        "summary_epochs": [epochs // 2, epochs * 19 // 20],
        "trials": [one.trial.as_dict() for one in sweep],
        "options": {"folds": sweep[0].trial.folds},
        "command": f"python sweeps/{name}.py",
        "commit": "0" * 40,
        "dirty": False,
        "versions": {},
        "machine": {},
        "dataset": DATASET | DATASETS["iris"].without(hold_out)._asdict(),
        "trainer_version": TRAINER_VERSION,
    }


def _write_artifacts(folder: Path, sweep: Sequence[Recorded], faults: Faults) -> None:
    for kind in ("curves", "weights"):
        (folder / kind).mkdir()
    gone = {*faults.unrecorded, *faults.failed}
    present = [one for one in sweep if one.trial.name not in gone]
    half = (len(present) + 1) // 2
    again = [one for one in present if one.trial.name in faults.twice_in_file]
    files = [present[:half] + again, present[half:]]
    files.append([one for one in present if one.trial.name in faults.twice_rows])
    files.append([_shifted(one) for one in present if one.trial.name in faults.conflicting])
    for number, part in enumerate(files):
        if part:
            curves = pd.concat([_curve_rows(one, one.trial.name in faults.torn) for one in part])
            curves.to_parquet(folder / "curves" / f"{number}.parquet", index=False)
            rows = [row for one in part for row in _weight_rows(one)]
            pq.write_table(pa.Table.from_pylist(rows), folder / "weights" / f"{number}.parquet")


def _axis(field: str, sweep: Sequence[Recorded]) -> dict[str, object]:
    values = [getattr(one.trial.hyperparameters, field) for one in sweep]
    return {
        "field": field,
        "label": LABELS[field],
        "low": min(values),
        "high": max(values),
        "log": False,
        "decimals": 0 if field == "batch_size" else 6,
    }


def _shifted(one: Recorded) -> Recorded:
    return Recorded(one.trial, {k: v + np.float32(0.1) for k, v in one.curves.items()}, one.weights)


def _curve_rows(one: Recorded, torn: bool) -> pd.DataFrame:
    seeds = one.trial.seeds[:-1] if torn else one.trial.seeds
    epochs = one.trial.hyperparameters.epochs
    frame: dict[str, object] = {
        "trial_key": one.trial.key,
        "config": one.trial.name,
        "seed": np.repeat(seeds, epochs),
        "epoch": np.tile(np.arange(1, epochs + 1), len(seeds)),
    }
    frame |= {name: values[: len(seeds)].ravel() for name, values in one.curves.items()}
    return pd.DataFrame(frame)


def _weight_rows(one: Recorded) -> list[dict[str, object]]:
    rows = []
    for index, seed in enumerate(one.trial.seeds):
        row: dict[str, object] = {"trial_key": one.trial.key, "config": one.trial.name}
        row["seed"] = seed
        for name, values in one.weights.items():
            row[name] = values[index].ravel()
            row[f"{name}.shape"] = list(values[index].shape)
        rows.append(row)
    return rows
