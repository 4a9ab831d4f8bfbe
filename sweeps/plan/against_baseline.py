"""Configurations minus the baseline, seed by seed: which differences are more than luck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from trainables.manifest import Manifest
from trainables.result import Array, interval
from trainables.trial import Trial

_ROUNDING = 1e-12  # differences of accuracies that spread less than this are equal


class BaselineDifference(NamedTuple):
    """The accuracy of a configuration minus that of the baseline with the same seed; shares.

    `low`, `high`: the interval of the mean difference, of which those of all configurations hold at
    once in 95 %: the best one was chosen among them. They are None where there is none; `remark`
    then says why.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    remark: str = ""

    @property
    def more_than_luck(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def differences(
    manifest: Manifest, accuracies: Mapping[str, Array], chosen: Iterable[Trial]
) -> dict[str, BaselineDifference]:
    """Those of the `chosen` configurations, by trial key.

    `accuracies`: each trial's, one for each seed in the manifest's order, (S,), by trial key. A
    trial without them, or with a model that diverged, has no difference, nor has the baseline.
    """
    comparisons = max(1, len(manifest.configurations) - 1)
    reference = accuracies.get(manifest.baseline)
    if reference is None:
        return {}
    found = {}
    for trial in chosen:
        values = accuracies.get(trial.key)
        if values is None or trial.key == manifest.baseline:
            continue
        each = np.asarray(values, dtype=np.float64) - reference
        if np.isfinite(each).all():
            found[trial.key] = _difference(each, comparisons)
    return found


def _difference(each: Array, comparisons: int) -> BaselineDifference:
    mean = float(each.mean())
    if len(each) == 1:
        return BaselineDifference(mean, remark="one seed: no interval")
    if np.ptp(each) < _ROUNDING:
        same = "equal with every seed" if abs(mean) < _ROUNDING else "the same with every seed"
        return BaselineDifference(mean, remark=f"{same}: no interval")
    found = interval(each, comparisons)
    return BaselineDifference(mean, found.low, found.high)
