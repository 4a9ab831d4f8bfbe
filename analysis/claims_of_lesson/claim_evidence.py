"""From a record to the evidence that claims rest on: differences in pairs, trends, first epochs.

Dimension letters: K configurations, S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.claims_of_lesson.levels import Levels, baseline
from analysis.claims_of_lesson.one_part import Evidence
from analysis.claims_of_lesson.verdicts import Untestable
from analysis.plotting.wording import counted, with_interval
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.paired import compare_paired
from analysis.stats.reaching import first_epochs
from analysis.stats.seeds import ANY, Bounds, Difference
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

EARLY = 0.1  # of the epochs: what counts as early learning
REACHED = 0.9  # accuracy whose first epoch is counted
_SEED = 5  # of the resampling that some tests do: the same data give the same p

# What numbers can be, by unit; epochs and norms are not bounded by anything known here.
POSSIBLE: dict[str, Bounds] = {"points": (-100.0, 100.0), "%": (0.0, 100.0)}


def percent(record: SweepRecord, trial: Trial, metric: str) -> Array:
    """(S,): final accuracy in %; NaN for a model that diverged."""
    return 100 * record.final(trial, metric)


def early(record: SweepRecord, trial: Trial, metric: str) -> Array:
    """(S,): mean accuracy in % over the first tenth of the epochs: the area under that curve."""
    curve = record.curve(trial, metric)
    first = curve[:, : early_epochs(trial)].mean(axis=1)
    return 100 * np.where(np.isfinite(curve).all(axis=1), first, np.nan)


def early_epochs(trial: Trial) -> int:
    """How many epochs count as early."""
    return max(1, round(EARLY * trial.hyperparameters.epochs))


def epochs_to(record: SweepRecord, trial: Trial, metric: str) -> Array:
    """(S,): the epoch at which the accuracy first is `REACHED`, as `first_epochs` has it."""
    return first_epochs(record.curve(trial, metric), REACHED)


def restricted(epochs: Array, most: int) -> Array:
    """(S,): the same, where a model that never gets there counts with all its epochs.

    As if it had in the last one: the restricted mean survival time (Royston and Parmar 2013),
    which makes late ones look earlier.
    """
    return np.where(np.isinf(epochs), most, epochs)


def never_there(epochs: Array) -> str:
    """How many models never reach the accuracy, and what is made of them in a mean."""
    count = int(np.isinf(epochs).sum())
    if count == 0:
        return "every model gets there."
    verb, counts = ("gets", "counts") if count == 1 else ("get", "count")
    return f"{counted(count, 'model')} never {verb} there and {counts} with all epochs."


def against(
    record: SweepRecord, what: str, unit: str, values: Array, null: float = 0.0
) -> Evidence:
    """The mean of `values` (S,), differences in pairs or not, tested against `null`."""
    ratio = split_ratio(record)
    found = compare_paired(
        values, np.full(len(values), null), ratio, np.random.default_rng(_SEED), resamples=1
    )
    possible = POSSIBLE.get(unit, ANY)
    return Evidence(
        what,
        unit,
        _testable(shifted(found.difference, null).cut_to(possible), what),
        shifted(found.corrected, null).cut_to(possible) if ratio is not None else None,
        "paired t" if null == 0 else f"t against {null:g}",
        null,
        level=unit == "%",
    )


def change(chosen: Levels, what: str, unit: str, values: Array, log: bool = False) -> Evidence:
    """How much `values` (K, S) change from the first of the levels to the last.

    The change along the line that fits each seed's values best, over seeds, tested by Student's t.
    `log`: the line is over the logarithm of the levels.
    """
    if len(chosen.values) < 3:
        raise Untestable(f"{len(chosen.values)} values of {chosen.field} show no trend.")
    x = np.log2(chosen.values) if log else chosen.values
    centred = x - x.mean()
    along = float(np.ptp(x)) * (centred @ values) / (centred @ centred)
    return against(chosen.record, what, unit, along)._replace(test="t of each seed's line")


def split_ratio(record: SweepRecord) -> float | None:
    """Rows of the test set over those of the training part; None when all seeds share one split."""
    if not all("split" in trial.vary for trial in record.configurations):
        return None
    return float(record.manifest.dataset["test"] / record.manifest.dataset["train"])


def shifted(difference: Difference, by: float) -> Difference:
    """The same difference, plus `by`."""
    mean, low, high = (None if one is None else one + by for one in difference[:3])
    return difference._replace(mean=mean, low=low, high=high)


def to_baseline(chosen: Levels, value: float, trial: Trial, metric: str) -> Evidence:
    """Final accuracy at one of the levels minus that at the baseline."""
    record = chosen.record
    what = f"{metric.replace('/', ' ')} at {named(chosen.field)}{value:g} minus that at 0"
    reference = percent(record, baseline(record), metric)
    return against(record, what, "points", percent(record, trial, metric) - reference)


def named(field: str) -> str:
    """What stands before a value of that hyperparameter in a sentence."""
    return {"l1": "λ = ", "l2": "λ = ", "dropout": "dropout "}.get(field, f"{field} ")


def left_out(record: SweepRecord, trials: Sequence[Trial]) -> str:
    """A sentence on models that diverged, empty when none did."""
    lost = sum(int(np.isnan(record.final(trial, Curve.TEST_ACCURACY)).sum()) for trial in trials)
    of = sum(len(trial.seeds) for trial in trials)
    return (
        f" {lost:,} of {counted(of, 'model')} diverged; their seeds are left out." if lost else ""
    )


def said(difference: Difference, digits: int = 2, sign: str = "+") -> str:
    """`+0.12 [-0.30, +0.54]`: the mean with its 95 % interval; `sign` empty for a level."""
    if difference.mean is None or difference.low is None or difference.high is None:
        return difference.remark
    return with_interval(difference[:3], f"{sign}.{digits}")


def _testable(difference: Difference, what: str) -> Difference:
    if difference.n < 2:
        reason = difference.remark or f"n = {difference.n}"
        raise Untestable(f"{what}: {reason}; verdicts need several seeds.")
    return difference
