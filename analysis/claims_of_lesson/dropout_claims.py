"""The lesson's claims on dropout, each with its rule.

`directed` in `verdicts.py` says when parts support or contradict a claim.
"""

from __future__ import annotations

import numpy as np

from analysis.claims_of_lesson.claim_evidence import (
    REACHED,
    SMOOTHING,
    Levels,
    against,
    baseline,
    change,
    first_epochs,
    left_out,
    levels,
    never_there,
    percent,
    said,
)
from analysis.claims_of_lesson.verdicts import MARGIN, Evidence, Finding, Part, directed
from analysis.reading.sweep_record import SweepRecord
from trainables.record_format import Curve

_USUAL = 0.5  # the lesson's typical rate; more than that silences most of the layer
_LEARNING = 0.95  # at rate 1 the output does not depend on the input: no point of a trend


def none_best(record: SweepRecord) -> Finding:
    """Best accuracy at dropout 0; train and test accuracy fall as the rate rises.

    Parts: the final test accuracy of every other rate minus that at 0, seed by seed, each below 0;
    and the trends of final test and train accuracy over the rates below 1, both falling. Supported
    only if every rate is shown to be worse than 0: one that cannot be told from 0 leaves the claim
    open. Contradicted if one rate is better than 0, or one trend rises.
    """
    rates = levels(record, "dropout")
    reference = percent(record, baseline(record), Curve.TEST_ACCURACY)
    differences = [
        (
            rate,
            against(
                record,
                f"test accuracy at dropout {rate:g} minus that at 0",
                "points",
                percent(record, trial, Curve.TEST_ACCURACY) - reference,
            ),
        )
        for rate, trial in rates.others
    ]
    trends = [_trend(rates, metric) for metric in (Curve.TEST_ACCURACY, Curve.TRAIN_ACCURACY)]
    parts = [Part(one, -1) for one in (*(one for _, one in differences), *trends)]
    rate, rival = max(differences, key=lambda pair: pair[1].difference.mean or 0.0)
    reason = (
        f"The best other rate, {rate:g}, differs from 0 by {said(rival.difference)} points of test "
        f"accuracy; from 0 to {rates.only(0, _LEARNING).values[-1]:g} test accuracy changes by "
        f"{said(trends[0].difference)} and train accuracy by {said(trends[1].difference)} points."
    )
    return directed(parts, reason + left_out(record, rates.trials), [record.run_id])


def slower(record: SweepRecord) -> Finding:
    """Dropout needs more epochs to reach a given accuracy.

    The first epoch at which the train accuracy (dropout off, moving average of 10 epochs) is 90 %,
    for every seed; a model that never gets there counts with all its epochs. Supported if the trend
    over the rates below 1 rises, contradicted if it falls.
    """
    rates = levels(record, "dropout").only(0, _LEARNING)
    found = [first_epochs(record, trial, Curve.TRAIN_ACCURACY) for trial in rates.trials]
    evidence = change(
        rates, "epochs to 90 % train accuracy", "epochs", np.array([epochs for epochs, _ in found])
    )
    never = sum(count for _, count in found)
    means = {
        rate: np.nanmean(epochs) for rate, (epochs, _) in zip(rates.values, found, strict=True)
    }
    half = f", {means[_USUAL]:.0f} at {_USUAL:g}" if _USUAL in means else ""
    reason = (
        f"{100 * REACHED:g} % train accuracy (mean of {SMOOTHING} epochs) first comes after "
        f"{means[rates.values[0]]:.0f} epochs at dropout {rates.values[0]:g}{half}, "
        f"{means[rates.values[-1]]:.0f} at {rates.values[-1]:g}; "
        f"{never_there(never)}"
    )
    return directed([Part(evidence, 1)], reason + left_out(record, rates.trials), [record.run_id])


def lowers_train(record: SweepRecord) -> Finding:
    """Regularization lowers training accuracy.

    Final train accuracy (dropout off) at the rates up to 0.5, averaged for each seed, minus that at
    0. Supported if it is below 0; contradicted if it is above, or shown to be within ± 1 point.
    """
    rates = levels(record, "dropout").only(0, _USUAL)
    reference = percent(record, baseline(record), Curve.TRAIN_ACCURACY)
    used = np.array([percent(record, trial, Curve.TRAIN_ACCURACY) for _, trial in rates.others])
    evidence = against(
        record,
        "train accuracy with dropout minus that without",
        "points",
        used.mean(axis=0) - reference,
    )
    listed = ", ".join(f"{rate:g}" for rate, _ in rates.others)
    reason = (
        f"With dropout {listed} train accuracy is on average {said(evidence.difference)} points "
        "from that without."
    )
    parts = [Part(evidence, -1, MARGIN)]
    return directed(parts, reason + left_out(record, rates.trials), [record.run_id])


def gap(record: SweepRecord) -> Finding:
    """How the train − test gap moves with the dropout rate.

    The lesson leaves the direction open, so the claim tested is that the gap moves at all: the
    trend of train minus test accuracy over the rates below 1. Supported if it rises or falls,
    contradicted if the change over all of them is shown to be within ± 1 point.
    """
    rates = levels(record, "dropout").only(0, _LEARNING)
    gaps = np.array(
        [
            percent(record, trial, Curve.TRAIN_ACCURACY)
            - percent(record, trial, Curve.TEST_ACCURACY)
            for trial in rates.trials
        ]
    )
    evidence = change(rates, "train − test gap", "points", gaps)
    mean = evidence.difference.mean or 0.0
    ends = [float(np.nanmean(gaps[place])) for place in (0, -1)]
    reason = (
        f"The gap {'falls' if mean < 0 else 'rises'} from dropout 0 to {rates.values[-1]:g}, by "
        f"{said(evidence.difference)} points along the line; it is {ends[0]:+z.2f} at 0 and "
        f"{ends[1]:+z.2f} at {rates.values[-1]:g}."
    )
    parts = [Part(evidence, -1 if mean < 0 else 1, MARGIN)]
    return directed(parts, reason + left_out(record, rates.trials), [record.run_id])


def _trend(rates: Levels, metric: str) -> Evidence:
    below_one = rates.only(0, _LEARNING)
    values = np.array([percent(rates.record, one, metric) for one in below_one.trials])
    return change(below_one, f"{metric.replace('/', ' ')} over the rates", "points", values)
