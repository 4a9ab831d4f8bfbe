"""A finished run as a value: what it is called, what it was given, what it measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweeps.record.pages.trial_page import with_ids
from trainables.hyperparameters import SOURCES
from trainables.manifest import Manifest
from trainables.record_format import Final, Parameter, Tag, short
from trainables.result import Interval
from trainables.trial import Trial


class MetricPoint(NamedTuple):
    """One value of a metric. Final numbers have step 0, curves their epoch counted from 1."""

    name: str
    value: float
    step: int


@dataclass(frozen=True)
class FinishedRun:
    """Everything that one MLflow run is to hold.

    `time`: of its end, in milliseconds since 1970; `seconds`: how long it had taken till then.
    `children`: runs below it, whose parent tag is set when they are written. A run and its children
    are written so that the run is not finished before they are.
    """

    name: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: Sequence[MetricPoint]
    time: int
    children: Sequence[FinishedRun] = ()
    seconds: float = 0.0

    @property
    def start(self) -> int:
        """When it began, in milliseconds since 1970."""
        return self.time - round(1000 * self.seconds)

    def description(self, experiment_id: str, run_id: str) -> dict[str, str]:
        """The tag that describes it where it has these ids, if it is described."""
        if Tag.NOTE not in self.tags:
            return {}
        return {Tag.NOTE: with_ids(self.tags[Tag.NOTE], experiment_id, run_id)}

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from all other runs of its sweep: trial key and seed, if it has one."""
        return self.tags[Tag.TRIAL_KEY], self.tags.get(Tag.SEED, "")


class StandingRun(NamedTuple):
    """A run that a store holds below a sweep's own; `seed` is empty for a trial's."""

    run_id: str
    status: str
    key: str
    seed: str
    parent_id: str

    @property
    def whole(self) -> bool:
        """Whether it was written to its end: runs are closed last."""
        return self.status in ("FINISHED", "FAILED")


def trial_tags(trial: Trial, manifest: Manifest, kind: str) -> dict[str, str]:
    """The tags that every run below a sweep's own run has, but for that of its parent."""
    return {
        Tag.KIND: kind,
        Tag.SWEEP: manifest.run_name,
        Tag.NAME: manifest.name,
        Tag.CONFIG: trial.name,
        Tag.TRIAL_KEY: trial.key,
        Tag.SOURCE_NAME: f"sweeps/{manifest.name}.py",
        Tag.SOURCE_TYPE: "LOCAL",
        Tag.COMMIT: manifest.commit,
    }


def trial_params(trial: Trial, manifest: Manifest) -> dict[str, str]:
    """Every hyperparameter as text, and the number of seeds.

    Of an axis on a log scale also `log10_` of its value, unless that is 0: MLflow's scatter plots
    know no log scale. Of a trial that not every source of randomness varies in, those that do
    (`vary`), and the one that is taken from the next seed (`exchanged`).
    """
    values = trial.hyperparameters.as_row()
    params = {name: str(value) for name, value in values.items()}
    for axis in manifest.axes:
        name = axis.field
        if axis.log and values[name] > 0:
            params[f"{Parameter.LOG10}{name}"] = str(short(math.log10(values[name])))
    params[Parameter.SEEDS] = str(len(trial.seeds))
    if trial.vary != SOURCES:
        params[Parameter.VARY] = " ".join(trial.vary)
    if trial.exchanged:
        params[Parameter.EXCHANGED] = trial.exchanged
    return params


def curve_points(curves: Mapping[str, NDArray[Any]], epochs: NDArray[Any]) -> list[MetricPoint]:
    """The curves' values at `epochs`, counted from 0; one that diverged ends where it did."""
    points: list[MetricPoint] = []
    for name, values in curves.items():
        finite = np.isfinite(values)
        steps = (epochs[finite] + 1).tolist()
        points += map(
            MetricPoint._make, zip(repeat(name), values[finite].tolist(), steps, strict=False)
        )
    return points


def final_points(numbers: Mapping[str, float]) -> list[MetricPoint]:
    """One point for each number."""
    return [MetricPoint(name, short(value), 0) for name, value in numbers.items()]


def spread(summary: Mapping[str, Interval]) -> Iterator[tuple[str, float]]:
    """Every number of the summary under its name.

    What is not a number (one seed has no spread, a diverged model no accuracy) is left out: MLflow
    versions differ in how they rank NaN.
    """
    for name, (mean, std, low, high) in summary.items():
        for suffix, value in (
            ("", mean),
            (Final.STD, std),
            (Final.CI_LOW, low),
            (Final.CI_HIGH, high),
        ):
            if value is not None and np.isfinite(value):
                yield f"{name}{suffix}", short(value)
