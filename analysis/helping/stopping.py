"""When each network would stop by its own validation rows: folds of the rows that it trains on.

The test rows take no part in it, so that they can judge.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.helping.helping_sweeps import Stopping
from trainables.record_format import Curve
from trainables.result import Array

_DIGITS = 6  # accuracies that differ later are equal: then the loss decides


class Stops(NamedTuple):
    """Of each network (S,): the epoch at which it stops, counted from 1, its test accuracy there
    and what its validation rows promise, by how much they are better there than in the end. NaN
    where a network or one of its folds diverged before it had an epoch to stop at.
    """

    epochs: Array
    test: Array
    promised: Array


def stops(found: Stopping) -> Stops:
    """Where validation accuracy, the mean over the folds' models, is highest.

    Of equal epochs that of the lowest validation loss, then the first, as a sweep's best is found.
    It may be the last: then nothing is stopped. Source of the rule: Prechelt (1998), "Early
    stopping - but when?"; of folds for it: Stone (1974).
    """
    record, trial = found
    accuracy, loss, test = (
        record.curve(trial, name)
        for name in (Curve.CV_ACCURACY, Curve.CV_LOSS, Curve.TEST_ACCURACY)
    )
    known = np.isfinite(accuracy) & np.isfinite(loss)
    level = np.where(known, accuracy.round(_DIGITS), -np.inf)
    highest = level == level.max(axis=1, keepdims=True)
    place = np.where(highest & known, loss, np.inf).argmin(axis=1)
    any_known, seeds = known.any(axis=1), np.arange(len(place))
    in_the_end = record.final(trial, Curve.CV_ACCURACY)
    return Stops(
        np.where(any_known, place + 1.0, np.nan),
        np.where(any_known, test[seeds, place], np.nan),
        np.where(any_known, accuracy[seeds, place] - in_the_end, np.nan),
    )
