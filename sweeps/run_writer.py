"""The runs of one sweep in MLflow: a parent, a child per trial, their curves, numbers and files."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sweeps import bulk_writing, public_writing
from sweeps.answer import trial_note
from sweeps.chart_page import chart_page
from sweeps.finished_run import (
    FinishedRun,
    curve_points,
    final_points,
    spread,
    trial_params,
    trial_tags,
)
from sweeps.manifest import Manifest
from sweeps.tables import MEANS_TRIALS, mean_curves, rows_table, write_csv, write_part
from trainables.hyperparameters import Trial
from trainables.result import Array, Interval, TrialResult, interval

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Curve points that a sweep may put into the store; the rest of them are in Parquet. The UI draws
# at most 320 points of a curve.
_CURVE_POINTS = 60_000
_MOST_STEPS, _FEWEST_STEPS = 320, 10


class RunWriter:
    """Writes one sweep. Every call may be repeated: what stands already is not written twice."""

    def __init__(
        self, client: MlflowClient, experiment_id: str, manifest: Manifest, log_seeds: bool
    ) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._manifest = manifest
        self._log_seeds = log_seeds
        epochs = manifest.trials[0].hyperparameters.epochs
        curves = _CURVE_POINTS // (6 * len(manifest.trials))
        steps = min(epochs, max(_FEWEST_STEPS, min(_MOST_STEPS, curves)))
        self._steps = np.unique(np.linspace(0, epochs - 1, steps).round().astype(int))
        self._window = range(*manifest.summary_epochs)
        self._run_ids: dict[str, str] = {}  # by trial key
        self._writing = bulk_writing if bulk_writing.usable(client) else public_writing
        self._parts = 0
        self._means: list[pa.Table] = []
        self.summaries: dict[str, dict[str, Interval]] = {}  # by trial key
        self.failures: dict[str, str] = {}  # by trial key
        self.parent_id = self._begin()

    def _begin(self) -> str:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param

        manifest = self._manifest
        run = self._client.create_run(
            self._experiment_id,
            run_name=manifest.run_name,
            tags={
                "kind": "sweep",
                "sweep": manifest.run_name,
                "sweep.name": manifest.name,
                "mlflow.source.name": f"sweeps/{manifest.name}.py",
                "mlflow.source.type": "LOCAL",
                "mlflow.source.git.commit": manifest.commit,
                "git.dirty": str(manifest.dirty).lower(),
                "command": manifest.command[:5000],
                "mlflow.note.content": f"{manifest.question}\n\nRunning.",
            },
        )
        run_id: str = run.info.run_id
        options = [Param(f"sweep.{name}", value) for name, value in _flat(manifest.options)]
        self._client.log_batch(run_id, params=options)
        facts = manifest.dataset
        self._client.log_inputs(
            run_id,
            [
                DatasetInput(
                    Dataset(
                        name=facts["name"],
                        digest=facts["digest"],
                        source_type="code",
                        source=json.dumps({"function": f"sklearn.datasets.load_{facts['name']}"}),
                        profile=json.dumps({"num_rows": facts["rows"]}),
                    ),
                    [InputTag("mlflow.data.context", "training")],
                )
            ],
        )
        self._file(run_id, "sweep.json", "", manifest.to_json())
        return run_id

    def record(self, results: Sequence[TrialResult]) -> list[str]:
        """Writes trials that are not yet written; their keys."""
        new = [result for result in results if result.trial.key not in self._run_ids]
        if not new:
            return []
        self._parts += 1
        finals = [result.finals(self._window) for result in new]
        self._means.append(means := mean_curves(new, self._steps))
        few = len(self._manifest.trials) <= MEANS_TRIALS
        # The complete curves first: a child run that stands has its curves behind it.
        with tempfile.TemporaryDirectory(prefix="sweep-") as scratch:
            part = f"part-{self._parts:05}"
            write_part(Path(scratch), part, new, finals, means if few else None)
            self._client.log_artifacts(self.parent_id, scratch)
        summaries = [{name: interval(v) for name, v in final.items()} for final in finals]
        run_ids = self._write(list(map(self._trial_run, new, summaries)))
        if self._log_seeds:
            seed_runs = map(self._seed_runs, new, finals, run_ids)
            self._write(list(chain.from_iterable(seed_runs)))
        for result, summary, run_id in zip(new, summaries, run_ids, strict=True):
            self._run_ids[result.trial.key] = run_id
            self.summaries[result.trial.key] = summary
        return [result.trial.key for result in new]

    def _write(self, runs: Sequence[FinishedRun]) -> list[str]:
        run_ids: list[str] = self._writing.write_runs(self._client, self._experiment_id, runs)
        return run_ids

    def _trial_run(self, result: TrialResult, summary: Mapping[str, Interval]) -> FinishedRun:
        trial = result.trial
        diverged = int(result.trained.diverged.sum())
        numbers = {f"final/{name}": value for name, value in spread(summary)}
        numbers["final/seeds"] = len(trial.seeds)
        numbers["final/diverged_seeds"] = diverged
        numbers["time/train_seconds"] = result.seconds
        tags = trial_tags(trial, self._manifest, "trial", self.parent_id)
        tags["device"] = result.device
        tags["mlflow.note.content"] = trial_note(trial, summary, f"part-{self._parts:05}")
        if diverged:
            tags["diverged"] = f"{diverged} of {len(trial.seeds)} seeds"
        curves = result.trained.curves.items()
        mean = {name: curve[:, self._steps].mean(axis=0) for name, curve in curves}
        points = curve_points(mean, self._steps) + final_points(numbers)
        return FinishedRun(
            trial.name, "FINISHED", tags, trial_params(trial, self._manifest), points, _now()
        )

    def _seed_runs(
        self, result: TrialResult, finals: Mapping[str, Array], trial_run_id: str
    ) -> Iterator[FinishedRun]:
        trial = result.trial
        for index, seed in enumerate(trial.seeds):
            all_curves = result.trained.curves.items()
            curves = {metric: curve[index, self._steps] for metric, curve in all_curves}
            numbers = {f"final/{metric}": float(values[index]) for metric, values in finals.items()}
            finite = {name: value for name, value in numbers.items() if np.isfinite(value)}
            yield FinishedRun(
                f"{trial.name} seed={seed}",
                "FINISHED",
                trial_tags(trial, self._manifest, "seed", trial_run_id) | {"seed": str(seed)},
                trial_params(trial, self._manifest) | {"seed": str(seed)},
                curve_points(curves, self._steps) + final_points(finite),
                _now(),
            )

    def record_failures(self, trials: Sequence[Trial], error: str) -> None:
        """Writes trials that could not be trained, with their error in one line."""
        new = [trial for trial in trials if trial.key not in self._run_ids]
        error = error[:5000]
        runs = [
            FinishedRun(
                trial.name,
                "FAILED",
                trial_tags(trial, self._manifest, "trial", self.parent_id)
                | {"error": error, "mlflow.note.content": f"Failed: {error}"},
                trial_params(trial, self._manifest),
                [],
                _now(),
            )
            for trial in new
        ]
        for trial, run_id in zip(new, self._write(runs), strict=True):
            self._run_ids[trial.key] = run_id
            self.failures[trial.key] = error

    @contextmanager
    def _artifact(self, run_id: str, folder: str, name: str) -> Iterator[Path]:
        """A path to write to, which is then stored as the run's artifact."""
        with tempfile.TemporaryDirectory(prefix="sweep-") as scratch:
            path = Path(scratch) / name
            yield path
            self._client.log_artifact(run_id, str(path), folder or None)

    def _file(self, run_id: str, name: str, folder: str, text: str) -> None:
        with self._artifact(run_id, folder, name) as path:
            path.write_text(text)

    def finish(self, status: str, note: str, numbers: Mapping[str, float]) -> None:
        """Closes the sweep's own run: the answer, the table of all trials, the status."""
        from mlflow.entities import Metric

        if self.summaries:
            rows = [
                {"config": trial.name, "run_id": self._run_ids[trial.key]}
                | _swept(trial, self._manifest)
                | dict(spread(self.summaries[trial.key]))
                for trial in self._manifest.trials
                if trial.key in self.summaries
            ]
            with self._artifact(self.parent_id, "", "results.csv") as path:
                write_csv(rows_table(rows), path)
            with self._artifact(self.parent_id, "", "chart.html") as path:
                page = chart_page(self._manifest, self.summaries, self._run_ids, self._means)
                path.write_text(page, encoding="utf-8")
        if self.failures:
            self._client.set_tag(self.parent_id, "failed_trials", str(len(self.failures)))
        self._client.set_tag(self.parent_id, "mlflow.note.content", note)
        metrics = [Metric(name, value, _now(), step) for name, value, step in final_points(numbers)]
        self._client.log_batch(self.parent_id, metrics=metrics)
        self._client.set_terminated(self.parent_id, status)

    def missing(self) -> list[str]:
        """Names of promised trials that have no run, according to the store itself."""
        recorded = self._writing.recorded_trials(self._client, self._experiment_id, self.parent_id)
        return [trial.name for trial in self._manifest.trials if trial.key not in recorded]


def _swept(trial: Trial, manifest: Manifest) -> dict[str, Any]:
    values = trial.hyperparameters.as_dict()
    return {axis["field"]: values[axis["field"]] for axis in manifest.axes}


def _now() -> int:
    return int(time.time() * 1000)


def _flat(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        yield name, " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
