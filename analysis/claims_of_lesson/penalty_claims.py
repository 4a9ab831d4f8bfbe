"""The lesson's claims on L2 and L1 penalties, each with its rule.

`directed` and `little` in `verdicts.py` say when parts support or contradict a claim.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.claims_of_lesson.claim_evidence import (
    EARLY,
    Levels,
    against,
    baseline,
    change,
    early,
    left_out,
    levels,
    percent,
    said,
    weights,
)
from analysis.claims_of_lesson.verdicts import (
    LEVEL,
    MARGIN,
    Evidence,
    Finding,
    Part,
    Untestable,
    directed,
    little,
)
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.equivalence import within_margin
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

_SMALL = 0.01  # the lesson's small λ
_STRONG = 0.09  # what counts as near 0.1
_MANY = 10.0  # percent of the weights that count as many


def l2_no_trend(record: SweepRecord) -> Finding:
    """Small λ of L2 (≤ 0.01) change test accuracy little, in no clear direction.

    Final test accuracy at every λ above 0 and up to 0.01 minus that at 0. Supported if all are
    shown to be within ± 1 point; contradicted if one is shown to be further away, or if the trend
    over them rises or falls (its p, doubled for being the second test, below 0.05).
    """
    small = levels(record, "l2").only(0, _SMALL)
    evidence = _to_baseline(small, Curve.TEST_ACCURACY)
    values = np.array([percent(record, one, Curve.TEST_ACCURACY) for one in small.trials])
    over = change(small, "test accuracy over λ", "points", values)
    reason = (
        f"{_furthest(evidence)}; from 0 to {small.values[-1]:g} the line of test accuracy changes "
        f"by {said(over.difference)} points."
    ) + left_out(record, small.trials)
    p = over.difference.p
    if p is not None and 2 * p < LEVEL and over.difference.excludes_zero:
        agrees = over.corrected.excludes_zero if over.corrected else None
        near = [within_margin(one.difference, 0, MARGIN) < LEVEL for one in evidence]
        if all(near):
            reason += f" All are shown to be within ± {MARGIN:g} point, but the direction is clear."
        return Finding("contradicted", 2 * p, over, agrees, reason, (record.run_id,))
    return little(evidence, MARGIN, reason, [record.run_id])


def l2_too_strong(record: SweepRecord) -> Finding:
    """λ of L2 near 0.1 lowers accuracy.

    Final test accuracy at the largest λ, of at least 0.09, minus that at 0. Supported if it is
    below 0; contradicted if it is above, or shown to be within ± 1 point.
    """
    all_levels = levels(record, "l2")
    value, trial = all_levels.others[-1]
    if value < _STRONG:
        raise Untestable(f"the largest λ in {record.manifest.run_name} is {value:g}, not near 0.1.")
    test, train = (
        _difference(all_levels, value, trial, metric)
        for metric in (Curve.TEST_ACCURACY, Curve.TRAIN_ACCURACY)
    )
    reason = (
        f"At λ = {value:g} test accuracy is {said(test.difference)} points from that at 0, train "
        f"accuracy {said(train.difference)}."
    )
    parts = [Part(test, -1, MARGIN)]
    pair = [baseline(record), trial]
    return directed(parts, reason + left_out(record, pair), [record.run_id])


def l2_shrinks(record: SweepRecord) -> Finding:
    """L2 shrinks all weights, few reach zero: the norm falls, sparsity does not rise.

    Parts: the trend over λ of the norm of all weights after the last epoch, falling; and the share
    of weights near zero at the largest λ minus that at 0, which must be shown to be below a rise of
    1 point. Contradicted if the norm rises, or if the share is shown to rise by more than that.
    """
    all_levels = levels(record, "l2")
    found = [weights(record, trial) for trial in all_levels.trials]
    norm = change(all_levels, "norm of the weights", "norm", np.array([one for one, _ in found]))
    place = all_levels.trials.index(baseline(record))
    share = _share_of_zeros(record, found[-1][1], found[place][1], 1.0)
    reason = (
        f"From λ = 0 to {all_levels.values[-1]:g} the norm changes by {said(norm.difference)}, "
        f"from {np.nanmean(found[place][0]):.2f} to {np.nanmean(found[-1][0]):.2f}; weights near "
        f"zero go from {np.nanmean(found[place][1]):.2f} to {np.nanmean(found[-1][1]):.2f} %, "
        f"{said(share.difference)} points."
    )
    parts = [Part(norm, -1), Part(share, -1)]
    return directed(parts, reason + left_out(record, all_levels.trials), [record.run_id])


def l1_sparse(record: SweepRecord, strong: SweepRecord | None) -> Finding:
    """L1 drives many weights towards zero.

    The share of weights near zero (below 1/1000 of their layer's largest) after the last epoch at
    the largest of the lesson's λ minus that at 0. Many means 10 % of them: supported if the rise is
    shown to be above 10 points, contradicted if it is shown to be below. `strong`, a sweep of
    larger λ, does not move the verdict; it tells how much λ it would take.
    """
    all_levels = levels(record, "l1")
    first, last = baseline(record), all_levels.trials[-1]
    share = _share_of_zeros(record, weights(record, last)[1], weights(record, first)[1], _MANY)
    reason = (
        f"At λ = {all_levels.values[-1]:g} the share of weights near zero is "
        f"{said(share.difference)} points from that at 0; many would be {_MANY:g}."
    )
    runs = [record.run_id]
    if strong is not None:
        reason += f" {_enough(strong)}"
        runs.append(strong.run_id)
    return directed([Part(share, 1)], reason + left_out(record, [first, last]), runs)


def l1_final(record: SweepRecord) -> Finding:
    """L1 changes final accuracy little on this small model.

    Final test accuracy at every λ above 0 minus that at 0. Supported if all are shown to be within
    ± 1 point, contradicted if one is shown to be further away.
    """
    all_levels = levels(record, "l1")
    evidence = _to_baseline(all_levels, Curve.TEST_ACCURACY)
    reason = f"{_furthest(evidence)}." + left_out(record, all_levels.trials)
    return little(evidence, MARGIN, reason, [record.run_id])


def l1_early(record: SweepRecord) -> Finding:
    """A higher λ of L1 may learn faster early on.

    Test accuracy, averaged over the first tenth of the epochs. Supported if its trend over λ rises;
    contradicted if it falls, or if the change over all λ is shown to be within ± 1 point.
    """
    all_levels = levels(record, "l1")
    values = np.array([early(record, one, Curve.TEST_ACCURACY) for one in all_levels.trials])
    evidence = change(all_levels, "early test accuracy over λ", "points", values)
    epochs = round(EARLY * all_levels.trials[0].hyperparameters.epochs)
    reason = (
        f"From λ = 0 to {all_levels.values[-1]:g} test accuracy over the first {epochs} epochs "
        f"changes by {said(evidence.difference, 3)} points."
    )
    parts = [Part(evidence, 1, MARGIN)]
    return directed(parts, reason + left_out(record, all_levels.trials), [record.run_id])


def _to_baseline(chosen: Levels, metric: str) -> list[Evidence]:
    return [_difference(chosen, value, trial, metric) for value, trial in chosen.others]


def _difference(chosen: Levels, value: float, trial: Trial, metric: str) -> Evidence:
    record = chosen.record
    reference = percent(record, baseline(record), metric)
    what = f"{metric.replace('/', ' ')} at λ = {value:g} minus that at 0"
    return against(record, what, "points", percent(record, trial, metric) - reference)


def _furthest(evidence: Sequence[Evidence]) -> str:
    furthest = max(evidence, key=lambda one: abs(one.difference.mean or 0.0))
    return (
        f"The largest of {len(evidence)} differences: {furthest.what} is "
        f"{said(furthest.difference)} points"
    )


def _share_of_zeros(record: SweepRecord, last: Array, first: Array, null: float) -> Evidence:
    what = "share of weights near zero at the largest λ minus that at 0"
    return against(record, what, "points", last - first, null)


def _enough(strong: SweepRecord) -> str:
    """From which λ on many weights are near zero, and what is left of the accuracy there."""
    try:
        larger = levels(strong, "l1")
    except Untestable as reason:
        return f"How much λ it takes cannot be said: {reason}"
    first = baseline(strong)
    zeros, accuracy = weights(strong, first)[1], percent(strong, first, Curve.TEST_ACCURACY)
    for value, trial in larger.others:
        rise = float(np.nanmean(weights(strong, trial)[1] - zeros))
        if rise >= _MANY:
            lost = float(np.nanmean(percent(strong, trial, Curve.TEST_ACCURACY) - accuracy))
            return (
                f"It takes λ = {value:g} of those tried up to {larger.values[-1]:g}: {rise:+.1f} "
                f"points, at {lost:+z.2f} points of test accuracy."
            )
    return f"No λ up to {larger.values[-1]:g} drives so many there."
