"""From a record to the evidence that claims rest on: differences in pairs, trends, first epochs.

Dimension letters: K configurations, S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.claims_of_lesson.verdicts import Evidence, Untestable
from analysis.plotting.wording import with_interval
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.paired import compare_paired
from analysis.stats.seeds import Difference, moving_average
from analysis.stats.trend import trend
from trainables.record_format import Curve, Final
from trainables.result import Array, Trained, TrialResult
from trainables.trial import Trial

EARLY = 0.1  # of the epochs: what counts as early learning
REACHED = 0.9  # accuracy whose first epoch is counted
SMOOTHING = 10  # epochs of the moving average that has to reach it
_SEED = 5  # of the resampling that some tests do: the same data give the same p


class Levels(NamedTuple):
    """The configurations of a record along one hyperparameter, everything else at the baseline.

    `values`: (K,) ascending; the first trial is that without the penalty where there is one.
    """

    record: SweepRecord
    field: str
    values: NDArray[np.float64]
    trials: tuple[Trial, ...]

    def only(self, low: float, high: float) -> Levels:
        """Those with values from `low` to `high`, both included; at least two."""
        kept = [low <= value <= high for value in self.values]
        trials = tuple(one for one, keep in zip(self.trials, kept, strict=True) if keep)
        if len(trials) < 2:
            raise Untestable(
                f"{self.record.manifest.run_name} has {len(trials)} value of {self.field} from "
                f"{low:g} to {high:g}, at least 2 are needed."
            )
        return Levels(self.record, self.field, self.values[kept], trials)

    @property
    def others(self) -> tuple[tuple[float, Trial], ...]:
        """Value and trial of all but the baseline, by value."""
        pairs = zip(self.values, self.trials, strict=True)
        return tuple((float(x), one) for x, one in pairs if one != self.record.baseline)


def levels(record: SweepRecord, field: str) -> Levels:
    """The record's configurations along `field`; `Untestable` with fewer than two of them."""
    reference = baseline(record).hyperparameters.as_dict()
    found = []
    for trial in record.configurations:
        values = trial.hyperparameters.as_dict()
        if {**values, field: 0} == {**reference, field: 0}:
            found.append((float(values[field]), trial))
    if len(found) < 2:
        raise Untestable(f"{record.manifest.run_name} has one value of {field}: no comparison.")
    found.sort(key=lambda pair: pair[0])
    return Levels(record, field, np.array([x for x, _ in found]), tuple(one for _, one in found))


def baseline(record: SweepRecord) -> Trial:
    """The trial that others are compared with; `Untestable` when it is lacking."""
    if record.baseline is None:
        raise Untestable(f"the baseline of {record.manifest.run_name} is lacking.")
    return record.baseline


def percent(record: SweepRecord, trial: Trial, metric: str) -> Array:
    """(S,): final accuracy in %; NaN for a model that diverged."""
    return 100 * record.final(trial, metric)


def early(record: SweepRecord, trial: Trial, metric: str) -> Array:
    """(S,): mean accuracy in % over the first tenth of the epochs: the area under that curve."""
    curve = record.curve(trial, metric)
    first = curve[:, : max(1, round(EARLY * curve.shape[1]))].mean(axis=1)
    return 100 * np.where(np.isfinite(curve).all(axis=1), first, np.nan)


def first_epochs(record: SweepRecord, trial: Trial, metric: str) -> tuple[Array, int]:
    """(S,): the epoch at which the accuracy's moving average first is `REACHED`; how often never.

    A model that never gets there counts with all its epochs, as if it had in the last one: the
    restricted mean survival time (Royston and Parmar 2013), which makes late ones look earlier.
    """
    curve = record.curve(trial, metric)
    there = moving_average(curve, SMOOTHING) >= REACHED - 1e-9
    epochs = np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, curve.shape[1])
    sound = np.isfinite(curve).all(axis=1)
    never = int((~there.any(axis=1) & sound).sum())
    return np.where(sound, epochs, np.nan), never


def never_there(count: int) -> str:
    """How many models never reach the accuracy, and what is made of them."""
    models = "1 model never gets" if count == 1 else f"{count} models never get"
    return f"{models} there and count{'s' if count == 1 else ''} with all epochs."


def weights(record: SweepRecord, trial: Trial) -> tuple[Array, Array]:
    """(S,) and (S,): norm of all weights, and percent of them near zero, after the last epoch."""
    layers = len(trial.hyperparameters.hidden) + 1
    names = [f"{layer}.{part}" for layer in range(layers) for part in ("weight", "bias")]
    trained = Trained(
        {name: record.curve(trial, name) for name in (Curve.TRAIN_ACCURACY, Curve.TEST_ACCURACY)},
        {name: record.parameter(trial, name) for name in names},
    )
    finals = TrialResult(trial, trained, 0.0, "").finals(record.manifest.summary_epochs)
    sound = np.isfinite(record.final(trial, Curve.TEST_ACCURACY))
    norm, sparsity = finals[Final.WEIGHT_NORM], finals[Final.SPARSITY]
    return np.where(sound, norm, np.nan), 100 * np.where(sound, sparsity, np.nan)


def against(
    record: SweepRecord, what: str, unit: str, values: Array, null: float = 0.0
) -> Evidence:
    """The mean of `values` (S,), differences in pairs or not, tested against `null`."""
    ratio = split_ratio(record)
    nulls = np.full(len(values), null)
    found = compare_paired(values, nulls, ratio, np.random.default_rng(_SEED))
    return Evidence(
        what,
        unit,
        _testable(shifted(found.difference, null), what),
        shifted(found.corrected, null) if ratio is not None else None,
        "paired t" if null == 0 else f"t against {null:g}",
        null,
    )


def change(chosen: Levels, what: str, unit: str, values: Array, log: bool = False) -> Evidence:
    """How much `values` (K, S) change from the first of the levels to the last.

    The change along the line that fits each seed's values best; p is the trend test's. `log`: the
    line is over the logarithm of the levels.
    """
    if len(chosen.values) < 3:
        raise Untestable(f"{len(chosen.values)} values of {chosen.field} show no trend.")
    x = np.log2(chosen.values) if log else chosen.values
    span = float(np.ptp(x))
    found = trend(x, values, np.random.default_rng(_SEED))
    mean, low, high = (None if one is None else span * one for one in found[:3])
    difference = Difference(mean, low, high, found.n, found.p, found.remark)
    centred = x - x.mean()
    along = span * (centred @ values) / (centred @ centred)
    ratio = split_ratio(chosen.record)
    paired = compare_paired(along, np.zeros(len(along)), ratio, np.random.default_rng(_SEED))
    corrected = paired.corrected if ratio is not None else None
    return Evidence(what, unit, _testable(difference, what), corrected, found.test)


def split_ratio(record: SweepRecord) -> float | None:
    """Rows of the test set over those of the training part; None when all seeds share one split."""
    if not all("split" in trial.vary for trial in record.configurations):
        return None
    return float(record.manifest.dataset["test"] / record.manifest.dataset["train"])


def shifted(difference: Difference, by: float) -> Difference:
    """The same difference, plus `by`."""
    mean, low, high = (None if one is None else one + by for one in difference[:3])
    return difference._replace(mean=mean, low=low, high=high)


def left_out(record: SweepRecord, trials: Sequence[Trial]) -> str:
    """A sentence on models that diverged, empty when none did."""
    lost = sum(int(np.isnan(record.final(trial, Curve.TEST_ACCURACY)).sum()) for trial in trials)
    of = sum(len(trial.seeds) for trial in trials)
    return f" {lost} of {of} models diverged; their seeds are left out." if lost else ""


def said(difference: Difference, digits: int = 2) -> str:
    """`+0.12 [-0.30, +0.54]`: the mean with its 95 % interval."""
    if difference.mean is None or difference.low is None or difference.high is None:
        return difference.remark
    return with_interval(difference[:3], f"+z.{digits}")


def _testable(difference: Difference, what: str) -> Difference:
    if difference.n < 2:
        reason = difference.remark or f"n = {difference.n}"
        raise Untestable(f"{what}: {reason}; verdicts need several seeds.")
    return difference
