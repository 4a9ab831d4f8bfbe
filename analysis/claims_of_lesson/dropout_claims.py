"""The lesson's claims on dropout, each with its rule.

`finding` in `verdicts.py` says when parts support or contradict a claim.
"""

from __future__ import annotations

import numpy as np

from analysis.claims_of_lesson.claim_evidence import (
    REACHED,
    against,
    change,
    epochs_to,
    left_out,
    never_there,
    percent,
    restricted,
    said,
)
from analysis.claims_of_lesson.levels import Levels, baseline, levels
from analysis.claims_of_lesson.one_part import MARGIN, Evidence, Part
from analysis.claims_of_lesson.verdicts import Finding, finding
from analysis.plotting.wording import number
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.reaching import by_half_text
from analysis.stats.seeds import SMOOTHING
from trainables.record_format import Curve

_USUAL = 0.5  # the lesson's typical rate; more than that silences most of the layer
_TRAINING_MODE = Curve.TRAIN_BATCH_ACCURACY
_LEARNING = 0.95  # at rate 1 the output does not depend on the input: no point of a trend


def none_best(record: SweepRecord) -> Finding:
    """Best accuracy at dropout 0; train and test accuracy fall as the rate rises.

    Parts: the trends of final test and train accuracy over the rates below 1, both falling; and no
    rate better than 0 by as much as matters, of those above 0 the one whose interval reaches
    highest. That every rate is worse than 0 cannot be shown: at 0.1 there is next to no difference.
    """
    rates = levels(record, "dropout")
    reference = percent(record, baseline(record), Curve.TEST_ACCURACY)
    rivals = {
        rate: against(
            record,
            f"test accuracy at dropout {rate:g} minus that at 0",
            "points",
            percent(record, trial, Curve.TEST_ACCURACY) - reference,
            MARGIN,
        )
        for rate, trial in rates.others
    }
    rate, rival = max(rivals.items(), key=lambda pair: pair[1].difference.high or -np.inf)
    trends = [_trend(rates, metric) for metric in (Curve.TEST_ACCURACY, Curve.TRAIN_ACCURACY)]
    parts = [
        Part(trends[0], -1, MARGIN, "test accuracy falls as the rate rises"),
        Part(trends[1], -1, MARGIN, "train accuracy falls as the rate rises"),
        Part(rival, -1, None, f"no rate is better than 0 by {MARGIN:g} point"),
    ]
    reason = (
        f"The best other rate, {rate:g}, differs from 0 by {said(rival.difference)} points of test "
        f"accuracy; from 0 to {rates.only(0, _LEARNING).values[-1]:g} test accuracy changes by "
        f"{said(trends[0].difference)} and train accuracy by {said(trends[1].difference)} points."
    )
    return finding(parts, reason + left_out(record, rates.trials), [record.run_id])


def slower(record: SweepRecord) -> Finding:
    """Dropout needs more epochs to reach a given accuracy.

    The first epoch at which the train accuracy (dropout off, moving average of 10 epochs) is 90 %,
    for every seed; a model that never gets there counts with all its epochs. Predicted: its trend
    over the rates below 1 rises.
    """
    rates = levels(record, "dropout").only(0, _LEARNING)
    reached = [epochs_to(record, trial, Curve.TRAIN_ACCURACY) for trial in rates.trials]
    most = rates.trials[0].hyperparameters.epochs
    evidence = change(
        rates,
        "epochs to 90 % train accuracy",
        "epochs",
        np.array([restricted(epochs, most) for epochs in reached]),
    )
    by_rate = dict(zip(rates.values, reached, strict=True))
    told = [rate for rate in (rates.values[0], _USUAL, rates.values[-1]) if rate in by_rate]
    listed = ", ".join(
        f"{by_half_text(by_rate[rate])} at dropout {rate:g}" for rate in dict.fromkeys(told)
    )
    reason = (
        f"Half of the models have reached {100 * REACHED:g} % train accuracy (moving average of "
        f"{SMOOTHING} epochs) by {listed}; {never_there(np.concatenate(reached))}"
    )
    return finding([Part(evidence, 1)], reason + left_out(record, rates.trials), [record.run_id])


def lowers_train(record: SweepRecord) -> Finding:
    """Regularization lowers training accuracy.

    Final train accuracy at the rates up to 0.5, averaged for each seed, minus that at 0. Parts:
    measured with dropout off, as all accuracies here; and in training mode, with dropout on, as the
    course notebooks measure it.
    """
    rates = levels(record, "dropout").only(0, _USUAL)
    off, on = (_with_dropout(rates, one) for one in (Curve.TRAIN_ACCURACY, _TRAINING_MODE))
    listed = ", ".join(f"{rate:g}" for rate, _ in rates.others)
    reason = (
        f"With dropout {listed} train accuracy is on average {said(off.difference)} points from "
        f"that without; in training mode, dropout on, {said(on.difference)}."
    )
    parts = [
        Part(off, -1, MARGIN, "train accuracy falls"),
        Part(on, -1, MARGIN, "train accuracy in training mode falls"),
    ]
    return finding(parts, reason + left_out(record, rates.trials), [record.run_id])


def gap(record: SweepRecord) -> Finding:
    """How the train − test gap moves with the dropout rate.

    The lesson leaves the direction open, so the claim tested is that the gap moves at all, to
    either side: the trend of train minus test accuracy over the rates below 1.

    To be asked of both ways of splitting: a random split, the lesson's, makes a gap of its own. A
    class with many training rows has few test rows, so a model that knows little but which class
    is frequent is right less often on test rows.
    """
    rates = levels(record, "dropout").only(0, _LEARNING)
    split = baseline(record).hyperparameters.captions()["split"]
    gaps = np.array(
        [
            percent(record, trial, Curve.TRAIN_ACCURACY)
            - percent(record, trial, Curve.TEST_ACCURACY)
            for trial in rates.trials
        ]
    )
    evidence = change(rates, "train − test gap", "points", gaps)
    mean = evidence.difference.mean or 0.0
    ends = [number(float(np.nanmean(gaps[place])), "+.2") for place in (0, -1)]
    reason = (
        f"The gap {'falls' if mean < 0 else 'rises'} from dropout 0 to {rates.values[-1]:g}, by "
        f"{said(evidence.difference)} points along the line; it is {ends[0]} at 0 and {ends[1]} at "
        f"{rates.values[-1]:g}, under a {split}."
    )
    parts = [Part(evidence, -1 if mean < 0 else 1, MARGIN)]
    return finding(parts, reason + left_out(record, rates.trials), [record.run_id])


def _with_dropout(rates: Levels, metric: str) -> Evidence:
    """Mean accuracy over the rates above 0 minus that at 0, seed by seed."""
    record = rates.record
    used = np.array([percent(record, trial, metric) for _, trial in rates.others])
    values = used.mean(axis=0) - percent(record, baseline(record), metric)
    what = f"{metric.replace('/', ' ')} with dropout minus that without"
    return against(record, what, "points", values)


def _trend(rates: Levels, metric: str) -> Evidence:
    below_one = rates.only(0, _LEARNING)
    values = np.array([percent(rates.record, one, metric) for one in below_one.trials])
    return change(below_one, f"{metric.replace('/', ' ')} over the rates", "points", values)
