"""What the run of a trained trial holds: from curves and weights to points, params and tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from sweeps.record.pages.trial_page import trial_note
from sweeps.record.runs.finished_run import (
    FinishedRun,
    curve_points,
    final_points,
    trial_params,
    trial_tags,
)
from sweeps.record.runs.run_numbers import all_numbers, in_a_run
from trainables.manifest import Manifest
from trainables.record_format import Kind, Metric, Parameter, Tag
from trainables.result import Array, Interval, TrialResult, curves_of, interval

# Curve points that a sweep may put into the store; the rest of them are in Parquet. The UI draws
# at most 320 points of a curve.
_CURVE_POINTS = 60_000
_SEED_CURVE_POINTS = 1_200_000  # and more for all of its seeds, if they have runs
_MOST_STEPS, _FEWEST_STEPS = 320, 10


class TrialRuns:
    """Makes the runs of one sweep's trials, the same from the same results.

    `steps`: the epochs, counted from 0, whose curve points MLflow gets. `seed_steps`: the same for
    the runs of single seeds. `window`: those of the final numbers. `curves`: the names of what each
    trial's models have at every epoch.
    """

    def __init__(self, manifest: Manifest, every_number: bool = False) -> None:
        """`every_number`: with all final numbers, as runs of earlier versions hold them."""
        self._manifest, self._every_number = manifest, every_number
        self._log_seeds = bool(manifest.options.get("log_seeds"))
        epochs = manifest.trials[0].hyperparameters.epochs
        self.curves = curves_of(manifest.held_out_rows, manifest.folds)
        points = _CURVE_POINTS // (len(self.curves) * len(manifest.trials))
        steps = min(epochs, max(_FEWEST_STEPS, min(_MOST_STEPS, points)))
        self.steps = _spread(epochs, steps)
        models = sum(len(trial.seeds) for trial in manifest.trials)
        points = _SEED_CURVE_POINTS // (len(self.curves) * models)
        self.seed_steps = _spread(epochs, min(steps, max(_FEWEST_STEPS, points)))
        self.window = manifest.summary_epochs

    def make(
        self,
        result: TrialResult,
        finals: Mapping[str, Array],
        part_tags: Mapping[str, str],
        now: int,
    ) -> tuple[FinishedRun, dict[str, Interval]]:
        """The trial's run and its final numbers. `now`: when it had been trained, in milliseconds
        since 1970.

        `finals`: those of the result over the `window`. `part_tags`: where its curves lie.
        """
        trial = result.trial
        summary = summed_up(finals)
        diverged = int(result.trained.diverged.sum())
        numbers = self._numbers(summary)
        if self._every_number:
            numbers[Metric.SEEDS] = len(trial.seeds)
        if diverged or self._every_number:
            numbers[Metric.DIVERGED_SEEDS] = diverged
        numbers[Metric.TRAIN_SECONDS] = result.seconds
        tags = {
            **trial_tags(trial, self._manifest, Kind.TRIAL),
            **part_tags,
            Tag.DEVICE: result.device,
        }
        tags[Tag.NOTE] = trial_note(trial, summary, part_tags[Tag.PART])
        if result.arithmetic:
            tags[Tag.ARITHMETIC] = json.dumps(dict(result.arithmetic))
        if diverged:
            tags[Tag.DIVERGED] = f"{diverged} of {len(trial.seeds)} seeds"
        curves = result.trained.curves.items()
        mean = {name: curve[:, self.steps].mean(axis=0) for name, curve in curves}
        # The first is what MLflow's page compares runs by.
        points = final_points(numbers) + curve_points(mean, self.steps)
        seeds = tuple(self._seed_runs(result, finals, now)) if self._log_seeds else ()
        params = trial_params(trial, self._manifest)
        run = FinishedRun(trial.name, "FINISHED", tags, params, points, now, seeds, result.seconds)
        return run, summary

    def _numbers(self, summary: Mapping[str, Interval]) -> dict[str, float]:
        numbers = all_numbers(summary).items()
        return {name: value for name, value in numbers if self._every_number or in_a_run(name)}

    def _seed_runs(
        self, result: TrialResult, finals: Mapping[str, Array], now: int
    ) -> Iterator[FinishedRun]:
        trial = result.trial
        for index, seed in enumerate(trial.seeds):
            all_curves = result.trained.curves.items()
            curves = {metric: curve[index, self.seed_steps] for metric, curve in all_curves}
            numbers = {name: interval(values[index : index + 1]) for name, values in finals.items()}
            yield FinishedRun(
                f"{trial.name} seed={seed}",
                "FINISHED",
                trial_tags(trial, self._manifest, Kind.SEED) | {Tag.SEED: str(seed)},
                trial_params(trial, self._manifest) | {Parameter.SEED: str(seed)},
                final_points(self._numbers(numbers)) + curve_points(curves, self.seed_steps),
                now,
                seconds=result.seconds / len(trial.seeds),
            )


def summed_up(finals: Mapping[str, Array]) -> dict[str, Interval]:
    """The final numbers over the seeds of a trial, of which each has one."""
    return {name: interval(values) for name, values in finals.items()}


def _spread(epochs: int, steps: int) -> NDArray[np.int64]:
    """About `steps` of the epochs, counted from 0, the first and the last among them."""
    return np.unique(np.linspace(0, epochs - 1, steps).round().astype(np.int64))
