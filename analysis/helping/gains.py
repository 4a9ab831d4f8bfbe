"""What each regularizer gains over none: its strength chosen on some seeds, judged on the others.

Early stopping is chosen by each network for itself, on folds of its training rows.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analysis.helping.helping_sweeps import REGULARIZERS, Stopping
from analysis.helping.stopping import stops
from analysis.reading.errors import INCOMPLETE, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.paired import holm
from analysis.stats.seeds import OF_SHARES, SHARE, Difference, Estimate, estimate, paired_difference
from trainables.hyperparameters import DECLARED, default
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

EARLY = "early"
NAMES = {"dropout": "dropout", "l1": "L1", "l2": "L2", "noise": "noise", EARLY: "early stopping"}
LEVEL = 0.05  # of all gains of a table together
MATTERS = 0.02  # two points: what is worth a regularizer


class Gain(NamedTuple):
    """A regularizer on a data set.

    `chosen`: the strength that was best on the first half of the seeds. `claimed`: its gain over
    none there, which flatters. `gain`: that on the other half, where it had no part in being
    chosen. Of early stopping: the epochs at which the networks of the other half stop, their gain
    on the validation rows that they choose by, and that on the test rows. `p`: of that gain,
    two-sided, for all gains of the table (Holm).
    """

    dataset: str
    regularizer: str
    chosen: str
    claimed: float | None
    gain: Difference
    p: float | None
    run_id: str

    @property
    def verdict(self) -> str:
        """What the gain says, in words."""
        low, mean = self.gain.low, self.gain.mean
        if self.p is None or mean is None or self.p >= LEVEL:
            return "not more than luck"
        if low is not None and low > MATTERS:
            return "helps, by more than 2 points"
        return "helps" if mean > 0 else "harms"


class Without(NamedTuple):
    """A data set's networks without regularization, over the seeds that judge."""

    dataset: str
    train: Estimate
    test: Estimate


class Strength(NamedTuple):
    """A value of a regularizer with its difference to none, over all seeds."""

    value: float
    difference: Difference
    run_id: str


def without(records: Mapping[str, SweepRecord]) -> list[Without]:
    """How far each data set is learnt by heart without regularization."""
    found = []
    for name, record in records.items():
        trial, (_, judging) = _baseline(record), _halves(record)
        train, test = (
            estimate(record.final(trial, metric)[judging], SHARE)
            for metric in (Curve.TRAIN_ACCURACY, Curve.TEST_ACCURACY)
        )
        found.append(Without(name, train, test))
    return found


def gains(
    records: Mapping[str, SweepRecord], stopping: Mapping[str, Stopping] | None = None
) -> list[Gain]:
    """All regularizers on all data sets, early stopping last of each that has folds to stop by."""
    folds = stopping or {}
    found = [
        gain
        for name, record in records.items()
        for gain in (
            *(_of_values(name, record, regularizer) for regularizer in REGULARIZERS),
            *([_of_stopping(name, folds[name])] if name in folds else []),
        )
    ]
    adjusted = holm([one.gain.p for one in found])
    return [one._replace(p=p) for one, p in zip(found, adjusted, strict=True)]


def strengths(record: SweepRecord, regularizer: str) -> list[Strength]:
    """Test accuracy of each value minus that of none, by value, none left out."""
    baseline = record.final(_baseline(record), Curve.TEST_ACCURACY)
    return [
        Strength(
            float(getattr(trial.hyperparameters, regularizer)),
            paired_difference(record.final(trial, Curve.TEST_ACCURACY), baseline, OF_SHARES),
            record.run_of(trial),
        )
        for trial in _with(record, regularizer)
    ]


def of_epochs(record: SweepRecord, most: int = 60) -> list[Strength]:
    """The same for training without regularization that stops early; at most so many epochs."""
    baseline = _baseline(record)
    curves = record.curve(baseline, Curve.TEST_ACCURACY)
    none = record.final(baseline, Curve.TEST_ACCURACY)
    epochs = np.unique(np.geomspace(1, curves.shape[1], most).round().astype(int))
    return [
        Strength(
            float(epoch),
            paired_difference(curves[:, epoch - 1], none, OF_SHARES),
            record.run_of(baseline),
        )
        for epoch in epochs
    ]


def _of_values(dataset: str, record: SweepRecord, regularizer: str) -> Gain:
    trials = _with(record, regularizer)
    none = record.final(_baseline(record), Curve.TEST_ACCURACY)
    each = [record.final(trial, Curve.TEST_ACCURACY) for trial in trials]
    place = _best([_mean(one[_halves(record)[0]]) for one in each])
    value = getattr(trials[place].hyperparameters, regularizer)
    chosen = DECLARED[regularizer].caption.format(f"{value:g}")
    return _judged(dataset, regularizer, chosen, each[place], none, record)


def _of_stopping(dataset: str, found: Stopping) -> Gain:
    """Each network stops by its own validation rows; judged on the seeds that judge the others."""
    record, trial = found
    each, (_, judging) = stops(found), _halves(record)
    none = record.final(trial, Curve.TEST_ACCURACY)
    gain = paired_difference(each.test[judging], none[judging], OF_SHARES)
    epochs = each.epochs[judging][np.isfinite(each.epochs[judging])]
    chosen = "no epoch: all diverged"
    if len(epochs):
        chosen = f"epochs {epochs.min():.0f} to {epochs.max():.0f}, median {np.median(epochs):.0f}"
    promised = _mean(each.promised[judging])
    claimed = promised if np.isfinite(promised) else None
    return Gain(dataset, EARLY, chosen, claimed, gain, gain.p, record.run_id)


def _judged(
    dataset: str, regularizer: str, chosen: str, values: Array, none: Array, record: SweepRecord
) -> Gain:
    choosing, judging = _halves(record)
    claimed = paired_difference(values[choosing], none[choosing], OF_SHARES).mean
    gain = paired_difference(values[judging], none[judging], OF_SHARES)
    return Gain(dataset, regularizer, chosen, claimed, gain, gain.p, record.run_id)


def _halves(record: SweepRecord) -> tuple[slice, slice]:
    """The seeds that choose and those that judge, the first and the second half."""
    half = len(record.manifest.trials[0].seeds) // 2
    return slice(None, half), slice(half, None)


def _with(record: SweepRecord, regularizer: str) -> list[Trial]:
    """The configurations with that regularizer, the weakest first."""

    def value(trial: Trial) -> float:
        return float(getattr(trial.hyperparameters, regularizer))

    found = [one for one in record.configurations if value(one) != default(regularizer)]
    if not found:  # with --allow-partial
        raise Stop(INCOMPLETE, f"{record.manifest.run_name} has no trial with {regularizer}")
    return sorted(found, key=value)


def _baseline(record: SweepRecord) -> Trial:
    if record.baseline is None:
        raise Stop(
            INCOMPLETE,
            f"{record.manifest.run_name} lacks its baseline, without which no gain can be told",
        )
    return record.baseline


def _mean(values: Array) -> float:
    """The mean of those that did not diverge; the least of all where all did."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else -np.inf


def _best(means: Sequence[float]) -> int:
    return int(np.argmax(means))
