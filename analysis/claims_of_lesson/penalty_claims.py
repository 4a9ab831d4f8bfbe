"""The lesson's claims on L2 and L1 penalties, each with its rule.

`finding` in `verdicts.py` says when parts support or contradict a claim.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.claims_of_lesson.claim_evidence import (
    against,
    change,
    early,
    early_epochs,
    left_out,
    percent,
    said,
    to_baseline,
)
from analysis.claims_of_lesson.levels import Levels, baseline, levels
from analysis.claims_of_lesson.one_part import LEVEL, MARGIN, Evidence, Part
from analysis.claims_of_lesson.verdicts import Finding, Untestable, finding
from analysis.plotting.wording import counted, number
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.weight_evidence import MANY, weights
from trainables.record_format import Curve
from trainables.trial import Trial

_SMALL = 0.01  # the lesson's small λ of L2
_STRONG = 0.09  # of L2: what counts as near 0.1
_ACTING = 1.0  # of L1: from here on the penalty acts, for it is divided by the number of weights


def little(
    evidence: Sequence[Evidence], margin: float, reason: str, run_ids: Sequence[str]
) -> Finding:
    """The finding on a claim that all evidence is within ± `margin` of its `null`.

    The claim's numbers are of what comes furthest from it.
    """
    furthest_first = sorted(evidence, key=_distance, reverse=True)
    return finding([Part(one, 0, margin) for one in furthest_first], reason, run_ids)


def l2_no_trend(record: SweepRecord) -> Finding:
    """Small λ of L2 (≤ 0.01) change test accuracy little, in no clear direction.

    Parts: final test accuracy at every λ above 0 and up to 0.01 minus that at 0, and the change
    along the line over them, all within ± 1 point. That there is no direction at all cannot be
    shown; one that is shown is told, with its size.
    """
    small = levels(record, "l2").only(0, _SMALL)
    evidence = _to_baseline(small, Curve.TEST_ACCURACY)
    values = np.array([percent(record, one, Curve.TEST_ACCURACY) for one in small.trials])
    over = change(small, "test accuracy over λ", "points", values)
    reason = (
        f"{_furthest(evidence)}; from 0 to {small.values[-1]:g} the line of test accuracy changes "
        f"by {said(over.difference)} points."
    )
    if over.difference.p is not None and over.difference.p < LEVEL:
        rises = (over.difference.mean or 0.0) > 0
        reason += f" That is a clear {'rise' if rises else 'fall'}, whatever its size."
    return little([*evidence, over], MARGIN, reason + left_out(record, small.trials), _run(record))


def l2_too_strong(record: SweepRecord) -> Finding:
    """λ of L2 near 0.1 lowers accuracy.

    Parts: final test and final train accuracy at the largest λ, of at least 0.09, minus that at 0.
    """
    all_levels = levels(record, "l2")
    value, trial = all_levels.others[-1]
    if value < _STRONG:
        raise Untestable(f"the largest λ in {record.manifest.run_name} is {value:g}, not near 0.1.")
    test, train = (
        to_baseline(all_levels, value, trial, metric)
        for metric in (Curve.TEST_ACCURACY, Curve.TRAIN_ACCURACY)
    )
    reason = (
        f"At λ = {value:g} test accuracy is {said(test.difference)} points from that at 0, train "
        f"accuracy {said(train.difference)}."
    )
    parts = [
        Part(test, -1, MARGIN, "test accuracy falls"),
        Part(train, -1, MARGIN, "train accuracy falls"),
    ]
    return finding(parts, reason + left_out(record, [baseline(record), trial]), _run(record))


def l2_shrinks(record: SweepRecord) -> Finding:
    """L2 shrinks all weights, few reach zero: the norm falls, sparsity does not rise.

    At the largest λ. Parts: the norm of all weights, in percent of that at 0, falls; and the share
    of weights near zero rises by less than 10 points, what counts as many (`MANY`).
    """
    all_levels = levels(record, "l2")
    value, last = all_levels.others[-1]
    none, most = weights(record, baseline(record)), weights(record, last)
    norm = against(
        record,
        f"norm of the weights at λ = {value:g} against that at 0",
        "% of norm",
        100 * (most.norm / none.norm - 1),
    )
    share = _share_of_zeros(record, value, last)
    reason = (
        f"From λ = 0 to {value:g} the norm changes by {said(norm.difference)} %, from "
        f"{np.nanmean(none.norm):.2f} to {np.nanmean(most.norm):.2f}; weights near zero go from "
        f"{np.nanmean(none.zeros):.1f} to {np.nanmean(most.zeros):.1f} %, of units that are not "
        f"silent from {np.nanmean(none.live_zeros):.1f} to {np.nanmean(most.live_zeros):.1f} %: "
        f"{np.nanmean(most.silent):.0f} % of the hidden units are silent at {value:g}, "
        f"{np.nanmean(none.silent):.0f} % at 0, and the weights of such units merely decay."
    )
    parts = [
        Part(norm, -1, None, "the norm falls"),
        Part(share, -1, None, f"fewer than {MANY:g} % of the weights reach zero"),
    ]
    return finding(parts, reason + left_out(record, [baseline(record), last]), _run(record))


def l1_sparse(record: SweepRecord, strong: SweepRecord | None) -> Finding:
    """L1 drives many weights towards zero.

    The share of weights near zero (below 1/1000 of their layer's largest) after the last epoch
    minus that at λ = 0 is above 10 points, what counts as many (`MANY`). Parts: at the largest of
    the lesson's λ; and, with a sweep of `strong` λ, at the smallest from 1 on.
    """
    chosen = levels(record, "l1")
    value, last = chosen.others[-1]
    share = _share_of_zeros(record, value, last)
    parts = [Part(share, 1, None, f"at the lesson's λ, up to {value:g}")]
    reason = f"{_rise(share)} at λ = {value:g}"
    trials, runs = [baseline(record), last], [record.run_id]
    if strong is not None:
        acting = _acting(strong)
        value, trial = acting.others[0]
        share = _share_of_zeros(strong, value, trial)
        accuracy = to_baseline(acting, value, trial, Curve.TEST_ACCURACY)
        parts.append(Part(share, 1, None, f"at λ = {value:g}"))
        reason += (
            f", {said(share.difference)} at λ = {value:g}, where test accuracy is "
            f"{said(accuracy.difference)} points from that at 0"
        )
        runs.append(strong.run_id)
    of_weights = f"The penalty is divided by the number of weights. Many would be {MANY:g} points."
    return finding(parts, f"{reason}. {of_weights}{left_out(record, trials)}", runs)


def l1_final(record: SweepRecord) -> Finding:
    """L1 changes final accuracy little on this small model.

    Final test accuracy at every λ above 0 minus that at 0, all within ± 1 point.
    """
    all_levels = levels(record, "l1")
    evidence = _to_baseline(all_levels, Curve.TEST_ACCURACY)
    reason = f"{_furthest(evidence)}." + left_out(record, all_levels.trials)
    return little(evidence, MARGIN, reason, _run(record))


def l1_early(strong: SweepRecord, record: SweepRecord | None) -> Finding:
    """A higher λ of L1 may learn faster early on.

    Test accuracy, averaged over the first tenth of the epochs, minus that at λ = 0. Parts: every λ
    from 1 on, where the penalty acts; `record`, a sweep of the lesson's λ, is only told of.
    """
    acting = _acting(strong)
    reference = early(strong, baseline(strong), Curve.TEST_ACCURACY)
    parts = []
    for value, trial in acting.others:
        faster = early(strong, trial, Curve.TEST_ACCURACY) - reference
        what = f"early test accuracy at λ = {value:g} minus that at 0"
        evidence = against(strong, what, "points", faster)
        parts.append(Part(evidence, 1, MARGIN, f"faster at λ = {value:g}"))
    listed = ", ".join(
        f"{said(part.evidence.difference)} at {value:g}"
        for part, (value, _) in zip(parts, acting.others, strict=True)
    )
    epochs = counted(early_epochs(acting.trials[0]), "epoch")
    reason = f"Over the first {epochs} test accuracy differs from that at λ = 0 by {listed} points."
    runs = [strong.run_id]
    if record is not None:
        low = levels(record, "l1")
        value, trial = low.others[-1]
        values = early(record, trial, Curve.TEST_ACCURACY)
        values = values - early(record, baseline(record), Curve.TEST_ACCURACY)
        moved = number(float(np.nanmean(values)), "+.2")
        reason += f" The lesson's λ, up to {value:g}, move it by {moved} points: too little to act."
        runs.append(record.run_id)
    return finding(parts, reason + left_out(strong, acting.trials), runs)


def _acting(strong: SweepRecord) -> Levels:
    """The baseline, and the λ of L1 that act."""
    found = levels(strong, "l1")
    kept = [one for one in found.others if one[0] >= _ACTING]
    if not kept:
        largest = found.values[-1]
        raise Untestable(
            f"the largest λ in {strong.manifest.run_name} is {largest:g}, none of {_ACTING:g} or "
            "more."
        )
    values = np.array([0.0, *(value for value, _ in kept)])
    return Levels(strong, "l1", values, (baseline(strong), *(trial for _, trial in kept)))


def _to_baseline(chosen: Levels, metric: str) -> list[Evidence]:
    return [to_baseline(chosen, value, trial, metric) for value, trial in chosen.others]


def _furthest(evidence: Sequence[Evidence]) -> str:
    furthest = max(evidence, key=_distance)
    return (
        f"The largest of {counted(len(evidence), 'difference')}: {furthest.what} is "
        f"{said(furthest.difference)} points"
    )


def _distance(evidence: Evidence) -> float:
    return abs((evidence.difference.mean or 0.0) - evidence.null)


def _share_of_zeros(record: SweepRecord, value: float, trial: Trial) -> Evidence:
    what = f"share of weights near zero at λ = {value:g} minus that at 0"
    rise = weights(record, trial).zeros - weights(record, baseline(record)).zeros
    return against(record, what, "points", rise, MANY)


def _rise(share: Evidence) -> str:
    return f"The share of weights near zero rises by {said(share.difference)} points"


def _run(record: SweepRecord) -> list[str]:
    return [record.run_id]
