"""What has to be true of a store after a sweep has ended, whatever happened to it meanwhile.

I1 one run per promised trial, no duplicates; I2 nothing RUNNING; I3 every curve complete and, where
there is something to compare with, equal to a fault-free run's; I4 no run without the sweep's tags;
I5 params equal the manifest; I6 FAILED exactly where an error is recorded; I7 no process, lock or
temporary file left behind.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run

from support.everything import Everything, all_runs, differences, download, everything, key_of
from support.sweep_process import SweepProcess
from trainables.result import recorded_curves
from trainables.trial import Trial


def check_invariants(
    store: Path | str,
    manifest: Mapping[str, Any] | None = None,
    *,
    experiment: str | None = None,
    complete: bool = True,
    reference: Everything | None = None,
    process: SweepProcess | None = None,
) -> Everything | None:
    """Raises AssertionError that begins with the name of an invariant that does not hold.

    `store`: a tracking URI, or the folder of an `mlflow.db`. `manifest`: what was promised; without
    it, the newest sweep's own `sweep.json`. `experiment`: where to look, by default everywhere.
    `complete`: all that was promised has to be there; else what is there has to be right, as after
    an interruption. `reference`: a fault-free sweep with the same flags. `process`: the script,
    which has ended. Returns everything that was found, unless it is not complete.
    """
    uri = store if isinstance(store, str) else f"sqlite:///{store}/mlflow.db"
    client = MlflowClient(uri)
    runs = all_runs(client, experiment)
    _check_tags(runs)
    parent = next(run for run in runs if run.data.tags["kind"] == "sweep")
    mine = [run for run in runs if run.data.tags["sweep"] == parent.data.tags["sweep"]]
    with tempfile.TemporaryDirectory(prefix="invariants-") as folder:
        text = (download(client, parent.info.run_id, Path(folder)) / "sweep.json").read_bytes()
    promised = manifest or json.loads(text)
    trials = {one["key"]: Trial.from_dict(one) for one in promised["trials"]}
    _check_counts(mine, trials, complete, log_seeds=promised["options"]["log_seeds"])
    for run in runs:
        assert run.info.status != "RUNNING", f"I2: {run.info.run_name} is RUNNING"
    if recorded := parent.data.tags.get("manifest.sha256"):
        assert recorded == hashlib.sha256(text).hexdigest(), "I5: sweep.json is not as it was made"
    _check_params(mine, trials)
    _check_errors(mine)
    found = None
    if complete:
        found = everything(client, parent.data.tags["sweep"])
        _check_curves(found, trials)
        if reference is not None:
            different = differences(found, reference)
            assert not different, f"I3: not as without faults: {different}"
    _check_left_behind(uri, parent, process, complete)
    return found


def _check_tags(runs: Sequence[Run]) -> None:
    ids = {run.info.run_id: run for run in runs}
    assert runs, "I1: there is no run at all"
    for run in runs:
        tags, name = run.data.tags, run.info.run_name
        needed = {"sweep": set(), "trial": {"trial.key", "config"}}
        needed["seed"] = needed["trial"] | {"seed"}
        kind = tags.get("kind")
        assert kind in needed, f"I4: {name} is of kind {kind}"
        lacking = {"sweep", "sweep.name"} | needed[kind]
        lacking -= set(tags)
        assert not lacking, f"I4: {name} lacks the tags {sorted(lacking)}"
        if kind != "sweep":
            above = ids.get(tags.get("mlflow.parentRunId", ""))
            assert above is not None, f"I4: {name} has no parent run"
            expected = "sweep" if kind == "trial" else "trial"
            assert above.data.tags["kind"] == expected, f"I4: {name} hangs below a wrong run"
            assert above.data.tags["sweep"] == tags["sweep"], f"I4: {name} is below another sweep"


def _check_counts(
    runs: Sequence[Run], trials: Mapping[str, Trial], complete: bool, log_seeds: bool
) -> None:
    counts = Counter(map(key_of, runs))
    twice = [key for key, count in counts.items() if count > 1]
    assert not twice, f"I1: {len(twice)} runs are there more than once, such as {twice[0]}"
    promised = {("sweep", "", "")} | {("trial", key, "") for key in trials}
    failed = {key_of(run)[1] for run in runs if run.info.status == "FAILED"}
    seeds = {("seed", key, str(seed)) for key, trial in trials.items() for seed in trial.seeds}
    allowed = promised | (seeds if log_seeds else set())
    assert set(counts) <= allowed, f"I1: nobody promised {sorted(set(counts) - allowed)[0]}"
    if complete:
        due = promised | {key for key in allowed - promised if key[1] not in failed}
        missing = sorted(due - set(counts))
        assert not missing, f"I1: {len(missing)} runs are missing, such as {missing[0]}"


def _check_params(runs: Sequence[Run], trials: Mapping[str, Trial]) -> None:
    for run in runs:
        kind, key, seed = key_of(run)
        if kind == "sweep":
            continue
        trial = trials[key]
        values = trial.hyperparameters.as_dict()
        values["hidden"] = " ".join(map(str, values["hidden"]))
        expected = {name: str(value) for name, value in values.items()}
        expected |= {"seeds": str(len(trial.seeds))} | ({"seed": seed} if seed else {})
        assert run.data.params == expected, f"I5: {run.info.run_name} has other params"
        assert run.data.tags["config"] == trial.name, f"I5: {run.info.run_name} has another name"


def _check_errors(runs: Sequence[Run]) -> None:
    for run in runs:
        if key_of(run)[0] != "sweep":
            failed, error = run.info.status == "FAILED", run.data.tags.get("error")
            assert failed == bool(error), f"I6: {run.info.run_name} is {run.info.status}: {error}"


def _check_curves(found: Everything, trials: Mapping[str, Trial]) -> None:
    curves, weights = found.tables["curves"], found.tables["weights"]
    finished = {
        key: run
        for key, run in found.runs.items()
        if key[0] != "sweep" and run.status == "FINISHED"
    }
    keys = {key for kind, key, _ in finished if kind == "trial"}
    expected = {
        (key, seed, epoch)
        for key in keys
        for seed in trials[key].seeds
        for epoch in range(1, trials[key].hyperparameters.epochs + 1)
    }
    rows = list(zip(curves["trial_key"], curves["seed"], curves["epoch"], strict=True))
    assert len(set(rows)) == len(rows), "I3: an epoch of a model is recorded with two results"
    lost = sorted(expected - set(rows))
    assert not lost, f"I3: {len(lost)} epochs are not in curves/, such as {lost[0]}"
    models = Counter(zip(weights["trial_key"], weights["seed"], strict=True))
    assert {(key, seed) for key in keys for seed in trials[key].seeds} <= set(models), (
        "I3: a model's weights are not in weights/"
    )
    assert set(models.values()) <= {1}, "I3: a model has two sets of weights"
    _check_points(found, finished.keys(), trials)


def _check_points(found: Everything, keys: Any, trials: Mapping[str, Trial]) -> None:
    """What MLflow draws is what the Parquet files say, from the first epoch to the last."""
    curves = found.tables["curves"]
    for key in keys:
        run, (kind, trial_key, seed) = found.runs[key], key
        mine = curves[curves["trial_key"] == trial_key]
        if kind == "seed":
            mine = mine[mine["seed"] == int(seed)]
        names = recorded_curves(curves.columns)
        means = mine.groupby("epoch")[list(names)].mean()
        epochs = trials[trial_key].hyperparameters.epochs
        for name in names:
            if not np.isfinite(means[name]).all():
                continue  # diverged: its points end where it did
            points = run.history.get(name, ())
            assert points, f"I3: {run.name} has no {name}"
            steps = [step for step, _ in points]
            assert len(set(steps)) == len(steps), f"I3: {run.name} has {name} twice at a step"
            assert (steps[0], steps[-1]) == (1, epochs), f"I3: {run.name} lacks points of {name}"
            expected = means[name].loc[steps].to_numpy()
            values = np.array([value for _, value in points])
            assert np.allclose(values, expected, rtol=1e-4, atol=1e-6), (
                f"I3: {name} of {run.name} is not what its Parquet file says"
            )


def _check_left_behind(uri: str, parent: Run, process: SweepProcess | None, complete: bool) -> None:
    assert "lock" not in parent.data.tags, f"I7: the lock is left: {parent.data.tags['lock']}"
    folders = [Path(uri.removeprefix("sqlite:///")).parent] if uri.startswith("sqlite") else []
    if process is not None:
        folders.append(process.cwd)
        alive = process.living_after_the_end()
        assert not alive, f"I7: {len(alive)} processes are left, such as {alive[0][:200]}"
        files = process.temporary_files()
        assert not files, f"I7: temporary files are left: {files}"
    if complete:
        for folder in folders:
            assert not (folder / "unrecorded").exists(), f"I7: unrecorded/ is left in {folder}"


def kept_folders(*folders: Path) -> Iterator[Path]:
    """Folders of results that could not be recorded, in any of these."""
    for folder in folders:
        yield from (each for each in sorted(folder.glob("unrecorded/*")) if each.is_dir())
