"""The runs of one sweep in MLflow: a parent, a child per trial, their curves, numbers and files."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sweeps.manifest import Manifest
from sweeps.tables import curves_table, weights_table
from trainables.hyperparameters import Trial
from trainables.result import Interval, TrialResult, interval

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

# Curve points that a sweep may put into the store; the rest of them are in Parquet. The UI draws
# at most 320 points of a curve.
_CURVE_POINTS = 30_000
_MOST_STEPS, _FEWEST_STEPS = 320, 20
_AT_ONCE = 1000  # metrics of one log_batch call, MLflow's limit


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
        self._parts = 0
        self.summaries: dict[str, dict[str, Interval]] = {}  # by trial key
        self.failures: dict[str, str] = {}  # by trial key
        self.parent_id = self._begin()

    def _begin(self) -> str:
        from mlflow.entities import Dataset, DatasetInput, InputTag

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
        self._log(run_id, params={f"sweep.{name}": v for name, v in _flat(manifest.options)})
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
        # The complete curves first: a child run that stands has its curves behind it.
        for folder, table in (("curves", curves_table(new)), ("weights", weights_table(new))):
            with self._artifact(self.parent_id, folder, f"part-{self._parts:05}.parquet") as path:
                pq.write_table(table, path, compression="zstd")
        for result in new:
            self._record_trial(result)
        return [result.trial.key for result in new]

    def _record_trial(self, result: TrialResult) -> None:
        trial = result.trial
        finals = result.finals(self._window)
        summary = {name: interval(values) for name, values in finals.items()}
        diverged = int(result.trained.diverged.sum())
        numbers = {f"final/{name}": value for name, value in _spread(summary)}
        numbers["final/seeds"] = len(trial.seeds)
        numbers["final/diverged_seeds"] = diverged
        numbers["time/train_seconds"] = result.seconds
        tags = {"device": result.device}
        if diverged:
            tags["diverged"] = f"{diverged} of {len(trial.seeds)} seeds"
        run_id = self._create(trial, "trial", trial.name, self.parent_id, tags)
        mean = {name: curve.mean(axis=0) for name, curve in result.trained.curves.items()}
        self._log(run_id, _params(trial), [*self._curve(mean), *_metrics(numbers)])
        self._client.set_terminated(run_id, "FINISHED")
        if self._log_seeds:
            self._record_seeds(result, finals, run_id)
        self._run_ids[trial.key] = run_id
        self.summaries[trial.key] = summary

    def _record_seeds(
        self, result: TrialResult, finals: Mapping[str, Any], trial_run_id: str
    ) -> None:
        for index, seed in enumerate(result.trial.seeds):
            name = f"{result.trial.name} seed={seed}"
            run_id = self._create(result.trial, "seed", name, trial_run_id, {"seed": str(seed)})
            curves = {metric: curve[index] for metric, curve in result.trained.curves.items()}
            numbers = {f"final/{metric}": float(values[index]) for metric, values in finals.items()}
            params = {**_params(result.trial), "seed": str(seed)}
            self._log(run_id, params, [*self._curve(curves), *_metrics(numbers)])
            self._client.set_terminated(run_id, "FINISHED")

    def record_failure(self, trial: Trial, error: str) -> None:
        """Writes a trial that could not be trained, with its error in one line."""
        if trial.key in self._run_ids:
            return
        tags = {"error": error[:5000], "mlflow.note.content": f"Failed: {error[:5000]}"}
        run_id = self._create(trial, "trial", trial.name, self.parent_id, tags)
        self._log(run_id, _params(trial))
        self._client.set_terminated(run_id, "FAILED")
        self._run_ids[trial.key] = run_id
        self.failures[trial.key] = error

    def _create(
        self, trial: Trial, kind: str, name: str, parent_id: str, tags: Mapping[str, str]
    ) -> str:
        run = self._client.create_run(
            self._experiment_id,
            run_name=name,
            tags={
                "kind": kind,
                "sweep": self._manifest.run_name,
                "sweep.name": self._manifest.name,
                "config": trial.name,
                "trial.key": trial.key,
                "mlflow.parentRunId": parent_id,
                "mlflow.source.name": f"sweeps/{self._manifest.name}.py",
                "mlflow.source.type": "LOCAL",
                "mlflow.source.git.commit": self._manifest.commit,
                **tags,
            },
        )
        run_id: str = run.info.run_id
        return run_id

    def _curve(self, curves: Mapping[str, Any]) -> Iterator[Metric]:
        """The points of the steps that are kept; a diverged curve ends where it stops being one."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        for name, curve in curves.items():
            for epoch in self._steps:
                if np.isfinite(curve[epoch]):
                    yield Metric(name, float(curve[epoch]), now, int(epoch) + 1)

    def _log(
        self,
        run_id: str,
        params: Mapping[str, str] | None = None,
        metrics: Sequence[Metric] = (),
    ) -> None:
        from mlflow.entities import Param

        given: list[Param] = [Param(name, value) for name, value in (params or {}).items()]
        self._client.log_batch(run_id, metrics=metrics[:_AT_ONCE], params=given)
        for start in range(_AT_ONCE, len(metrics), _AT_ONCE):
            self._client.log_batch(run_id, metrics=metrics[start : start + _AT_ONCE])

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
        if self.summaries:
            rows = [
                {"config": trial.name, "run_id": self._run_ids[trial.key]}
                | _swept(trial, self._manifest)
                | dict(_spread(self.summaries[trial.key]))
                for trial in self._manifest.trials
                if trial.key in self.summaries
            ]
            with self._artifact(self.parent_id, "", "results.csv") as path:
                pyarrow.csv.write_csv(pa.Table.from_pylist(rows), path)
        if self.failures:
            self._client.set_tag(self.parent_id, "failed_trials", str(len(self.failures)))
        self._client.set_tag(self.parent_id, "mlflow.note.content", note)
        self._log(self.parent_id, metrics=_metrics(numbers))
        self._client.set_terminated(self.parent_id, status)

    def missing(self) -> list[str]:
        """Names of promised trials that have no run, according to the store itself."""
        recorded = set()
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment_id],
                f"tags.`mlflow.parentRunId` = '{self.parent_id}' AND tags.kind = 'trial'",
                max_results=1000,
                page_token=token,
            )
            recorded |= {run.data.tags["trial.key"] for run in page}
            token = page.token
            if not token:
                break
        return [trial.name for trial in self._manifest.trials if trial.key not in recorded]


def _params(trial: Trial) -> dict[str, str]:
    values = trial.hyperparameters.as_dict()
    values["hidden"] = " ".join(map(str, values["hidden"]))
    return {name: str(value) for name, value in values.items()} | {"seeds": str(len(trial.seeds))}


def _swept(trial: Trial, manifest: Manifest) -> dict[str, Any]:
    values = trial.hyperparameters.as_dict()
    return {axis["field"]: values[axis["field"]] for axis in manifest.axes}


def _spread(summary: Mapping[str, Interval]) -> Iterator[tuple[str, float]]:
    """Every number of the summary under its name.

    What is not a number (one seed has no spread, a diverged model no accuracy) is left out: MLflow
    versions differ in how they rank NaN.
    """
    for name, (mean, std, low, high) in summary.items():
        for suffix, value in (("", mean), ("_std", std), ("_ci_low", low), ("_ci_high", high)):
            if value is not None and np.isfinite(value):
                yield f"{name}{suffix}", _short(value)


def _short(value: float) -> float:
    """Six significant digits, so that people can read them; the full ones are in Parquet."""
    return float(f"{value:.6g}")


def _metrics(numbers: Mapping[str, float]) -> list[Metric]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(name, _short(value), now, 0) for name, value in numbers.items()]


def _flat(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        yield name, " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
