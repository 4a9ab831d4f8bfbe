"""The configurations of a record along one hyperparameter, and the one they are compared with.

Dimension letters: K configurations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.claims_of_lesson.verdicts import Untestable
from analysis.reading.sweep_record import SweepRecord
from trainables.trial import Trial


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
