"""The lesson's claims on batch sizes and on luck, each with its rule.

`directed` in `verdicts.py` says when parts support or contradict a claim.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import binomtest

from analysis.claims_of_lesson.claim_evidence import (
    EARLY,
    against,
    baseline,
    change,
    early,
    first_epochs,
    left_out,
    levels,
    never_there,
    percent,
    said,
)
from analysis.claims_of_lesson.verdicts import Evidence, Finding, Part, Untestable, directed
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.bootstrap import wilson
from analysis.stats.seeds import Difference
from trainables.record_format import Curve
from trainables.result import Array

_HIGH = 90.0  # % test accuracy that counts as high
_LAST = 64  # the batch size that is said to be last
_ERRING = 5.0  # % of single runs that may err where one run is to be proof


def batch_early(record: SweepRecord) -> Finding:
    """The smaller the batch, the faster the early learning.

    Test accuracy, averaged over the first tenth of the epochs, which are equally many for all
    sizes. Supported if its trend over the logarithm of the size falls, contradicted if it rises.
    """
    sizes = levels(record, "batch_size")
    values = np.array([early(record, one, Curve.TEST_ACCURACY) for one in sizes.trials])
    evidence = change(sizes, "early test accuracy over batch sizes", "points", values, log=True)
    epochs = round(EARLY * sizes.trials[0].hyperparameters.epochs)
    listed = ", ".join(
        f"{size:g}: {np.nanmean(own):.1f}" for size, own in zip(sizes.values, values, strict=True)
    )
    reason = (
        f"Test accuracy over the first {epochs} epochs in %, by batch size: {listed}; "
        f"{said(evidence.difference)} points from {sizes.values[0]:g} to {sizes.values[-1]:g}."
    )
    parts = [Part(evidence, -1)]
    return directed(parts, reason + left_out(record, sizes.trials), [record.run_id])


def batch_final(record: SweepRecord) -> Finding:
    """Every batch size reaches high accuracy in the end, 64 last.

    Parts: the final test accuracy of every size, which must be shown to be above 90 %; and the
    first epoch at which the test accuracy (moving average of 10 epochs) is 90 %, which at size 64
    must be later than at every other size; a model that never gets there counts with all its
    epochs. Contradicted if one size is shown to be below 90 %, or reaches it after 64.
    """
    sizes = levels(record, "batch_size")
    if _LAST not in sizes.values:
        raise Untestable(f"{record.manifest.run_name} has no batch size {_LAST}.")
    finals = {
        size: percent(record, trial, Curve.TEST_ACCURACY)
        for size, trial in zip(sizes.values, sizes.trials, strict=True)
    }
    reached = {
        size: first_epochs(record, trial, Curve.TEST_ACCURACY)
        for size, trial in zip(sizes.values, sizes.trials, strict=True)
    }
    high = [
        Part(
            against(record, f"final test accuracy at batch size {size:g}", "%", values, _HIGH),
            1,
        )
        for size, values in finals.items()
    ]
    late = [
        Part(
            against(
                record,
                f"epochs to 90 % test accuracy at size {_LAST} minus those at {size:g}",
                "epochs",
                reached[_LAST][0] - epochs,
            ),
            1,
        )
        for size, (epochs, _) in reached.items()
        if size != _LAST
    ]
    listed = ", ".join(
        f"{size:g}: {np.nanmean(values):.1f} % ({np.nanmean(reached[size][0]):.0f})"
        for size, values in finals.items()
    )
    never = sum(count for _, count in reached.values())
    reason = (
        f"Final test accuracy by batch size, in brackets the first epoch at 90 %: {listed}; "
        f"{never_there(never)}"
    )
    return directed([*high, *late], reason + left_out(record, sizes.trials), [record.run_id])


def seeds_vary(records: Mapping[str, SweepRecord]) -> Finding:
    """Results vary with the random initialisation: one run proves nothing.

    How often a single seed has another best λ of L2 than the mean of all other seeds; a seed that
    has it among its best, equal ones, agrees. If one run were proof, that would happen in at most
    5 % of them. Supported if the 95 % interval of the share (Wilson) lies above 5 %, contradicted
    if it lies below. Seeds change the split, the initial weights, the batch order and the masks.
    """
    record = records["l2"]
    erring, n = _erring(record, "l2")
    low, high = wilson(erring, n)
    p = float(binomtest(erring, n, _ERRING / 100).pvalue)
    share = Difference(100 * erring / n, 100 * low, 100 * high, n, p, "")
    evidence = Evidence(
        "single seeds with another best λ", "% of seeds", share, None, "exact binomial", _ERRING
    )
    alone = percent(record, baseline(record), Curve.TEST_ACCURACY)
    alone = alone[np.isfinite(alone)]
    others = []
    for role, field in (("dropout", "dropout"), ("l1", "l1"), ("batch_size", "batch_size")):
        if role in records:
            wrong, of = _erring(records[role], field)
            others.append(f"{wrong} of {of} for {role.replace('_', ' ')}")
    reason = (
        f"{erring} of {n} single seeds have another best λ of L2 than the mean of the others"
        f"{'; ' + ', '.join(others) if others else ''}. At one configuration, λ = 0, test accuracy "
        f"goes from {alone.min():.1f} to {alone.max():.1f} % (SD {alone.std(ddof=1):.1f})."
    )
    return directed([Part(evidence, 1)], reason, [record.run_id])


def _erring(record: SweepRecord, field: str) -> tuple[int, int]:
    """Seeds that have another best configuration than the mean of the others; how many seeds."""
    chosen = levels(record, field)
    values: Array = np.array([percent(record, one, Curve.TEST_ACCURACY) for one in chosen.trials])
    values = np.round(values[:, np.isfinite(values).all(axis=0)], 9)  # (K, S)
    n = values.shape[1]
    if n < 2:
        raise Untestable(f"{record.manifest.run_name} has {n} seed: luck needs several to be seen.")
    by_others = (values.sum(axis=1, keepdims=True) - values).argmax(axis=0)
    agrees = values[by_others, np.arange(n)] >= values.max(axis=0)
    return int(n - agrees.sum()), n
