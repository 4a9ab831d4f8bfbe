"""Which classes recorded models take their test rows for, computed from their weights.

The data and each seed's split are not in the record, but follow from it: `trainables.data`. So
records of any age can be asked. What comes out is held against the accuracy that was recorded.

Dimension letters: S seeds, C classes.
"""

from __future__ import annotations

import numpy as np

from analysis.reading.dataset_rows import rows_of
from analysis.reading.errors import STORE, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.networks import networks, scores
from trainables.data import split
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

_ROUNDING = 1.5  # rows: as many may fall to the other side where arithmetic differs in last bits


def confusions(record: SweepRecord, trial: Trial) -> Array:
    """(S, C, C): of each model's test rows how many of each class (first) it takes for each.

    NaN for a model that diverged. Raises `Stop` where this is not what was recorded: the rows that
    are right have to be as many as the accuracy of the last epoch says.
    """
    dataset = rows_of(record)
    models = networks(record, trial, dataset)
    classes = len(dataset.class_names)
    counts = np.full((len(trial.seeds), classes, classes), np.nan)
    recorded = record.curve(trial, Curve.TEST_ACCURACY)[:, -1]
    as_they_stand = trial.hyperparameters.at(standardize=False)
    for place, seeds in enumerate(trial.model_seeds()):
        if not models.sound[place]:
            continue
        rows = split(dataset, seeds[0], as_they_stand)
        taken_for = scores(models, place, rows.x_test).argmax(axis=1)
        both = rows.y_test * classes + taken_for
        counts[place] = np.bincount(both, minlength=classes**2).reshape(classes, classes)
        right, of = float(np.trace(counts[place])), len(rows.y_test)
        if abs(right - recorded[place] * of) > _ROUNDING:
            raise Stop(
                STORE,
                f"the recorded model of {trial.name}, seed {trial.seeds[place]}, is right on "
                f"{right:.0f} of {of} test rows, the record says {recorded[place]:.1%}",
            )
    return counts
