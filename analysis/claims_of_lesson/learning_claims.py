"""The lesson's claims on batch sizes and on luck, each with its rule.

`finding` in `verdicts.py` says when parts support or contradict a claim.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import binom, binomtest

from analysis.claims_of_lesson.claim_evidence import (
    against,
    change,
    early,
    early_epochs,
    epochs_to,
    left_out,
    never_there,
    percent,
    restricted,
    said,
)
from analysis.claims_of_lesson.levels import baseline, levels
from analysis.claims_of_lesson.one_part import MARGIN, Evidence, Part
from analysis.claims_of_lesson.verdicts import Finding, Untestable, finding
from analysis.plotting.wording import counted
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.reaching import by_half_text
from analysis.stats.seeds import LEAST_P, Difference
from trainables.record_format import Curve
from trainables.result import Array

_HIGH = 90.0  # % test accuracy that counts as high
_LAST = 64  # the batch size that is said to be last
_ERRING = 5.0  # % of single runs that may err where one run is to be proof


def batch_early(record: SweepRecord) -> Finding:
    """The smaller the batch, the faster the early learning, per epoch.

    Test accuracy, averaged over the first tenth of the epochs, which are equally many for all
    sizes; a small batch makes more updates in each. Predicted: its trend over the logarithm of the
    size falls.
    """
    sizes = levels(record, "batch_size")
    values = np.array([early(record, one, Curve.TEST_ACCURACY) for one in sizes.trials])
    evidence = change(sizes, "early test accuracy over batch sizes", "points", values, log=True)
    listed = ", ".join(
        f"{size:g}: {np.nanmean(own):.1f}" for size, own in zip(sizes.values, values, strict=True)
    )
    rows = int(record.manifest.dataset["train"])
    updates = [
        counted(max(1, rows // int(size)), "update") for size in (sizes.values[0], sizes.values[-1])
    ]
    reason = (
        f"Test accuracy over the first {counted(early_epochs(sizes.trials[0]), 'epoch')} in %, by "
        f"batch size: {listed}; {said(evidence.difference)} points from {sizes.values[0]:g} to "
        f"{sizes.values[-1]:g}. An epoch is {updates[0]} at {sizes.values[0]:g} and {updates[1]} "
        f"at {sizes.values[-1]:g}."
    )
    parts = [Part(evidence, -1, MARGIN)]
    return finding(parts, reason + left_out(record, sizes.trials), [record.run_id])


def batch_final(record: SweepRecord, longer: SweepRecord | None) -> Finding:
    """Every batch size reaches high accuracy in the end, 64 last.

    Parts: the final test accuracy of every size is above 90 %; and the first epoch at which the
    test accuracy (moving average of 10 epochs) is 90 % is later at 64 than at every other size, of
    which the one that comes nearest counts; a model that never gets there counts with all its
    epochs. With `longer`, a sweep of more epochs: size 64 is above 90 % there.
    """
    sizes = levels(record, "batch_size")
    if _LAST not in sizes.values:
        raise Untestable(f"{record.manifest.run_name} has no batch size {_LAST}.")
    parts, listed, reached = [], [], {}
    for size, trial in zip(sizes.values, sizes.trials, strict=True):
        final = percent(record, trial, Curve.TEST_ACCURACY)
        reached[size] = epochs_to(record, trial, Curve.TEST_ACCURACY)
        evidence = against(record, f"final test accuracy at batch size {size:g}", "%", final, _HIGH)
        parts.append(Part(evidence, 1, None, f"size {size:g} above {_HIGH:g} %"))
        listed.append(f"{size:g}: {np.nanmean(final):.1f} % ({by_half_text(reached[size])})")
    parts.append(Part(_later(record, reached), 1, None, f"{_LAST} last"))
    epochs = counted(sizes.trials[0].hyperparameters.epochs, "epoch")
    reason = (
        f"Final test accuracy after {epochs} by batch size, in brackets by when half of the "
        f"models have reached {_HIGH:g} %: {', '.join(listed)}; "
        f"{never_there(np.concatenate(list(reached.values())))}"
    )
    reason += left_out(record, sizes.trials)
    runs = [record.run_id]
    if longer is not None:
        part, text = _given_enough_epochs(longer)
        parts.append(part)
        reason += f" {text}"
        runs.append(longer.run_id)
    return finding(parts, reason, runs)


def _later(record: SweepRecord, reached: Mapping[float, Array]) -> Evidence:
    """How much later 64 gets there than the size that comes nearest to it."""
    most = record.manifest.trials[0].hyperparameters.epochs
    last = restricted(reached[_LAST], most)
    found = [
        against(
            record,
            f"epochs to 90 % test accuracy at size {_LAST} minus those at {size:g}",
            "epochs",
            last - restricted(epochs, most),
        )
        for size, epochs in reached.items()
        if size != _LAST
    ]
    return min(found, key=lambda one: one.difference.low or 0.0)


def _given_enough_epochs(longer: SweepRecord) -> tuple[Part, str]:
    """Size 64 in a sweep of more epochs, as a part and in words."""
    sizes = levels(longer, "batch_size")
    if _LAST not in sizes.values:
        raise Untestable(f"{longer.manifest.run_name} has no batch size {_LAST}.")
    trial = sizes.trials[list(sizes.values).index(_LAST)]
    epochs = counted(trial.hyperparameters.epochs, "epoch")
    final = percent(longer, trial, Curve.TEST_ACCURACY)
    what = f"final test accuracy at batch size {_LAST} after {epochs}"
    evidence = against(longer, what, "%", final, _HIGH)
    text = f"After {epochs} size {_LAST} has {said(evidence.difference, sign='')} %."
    part = Part(evidence, 1, None, f"size {_LAST} above {_HIGH:g} % after {epochs}")
    return part, text + left_out(longer, [trial])


def seeds_vary(records: Mapping[str, SweepRecord]) -> Finding:
    """Results vary with the random initialisation: one run proves nothing.

    How often a single seed has another best λ of L2 than the mean of all other seeds; a seed that
    has it among its best, equal ones, agrees. If one run were proof, that would happen in at most
    5 % of them. Parts: where a seed changes everything, the split of the data included; and, with
    such a sweep, where it changes the initial weights alone.
    """
    record = records["l2"]
    parts = [Part(_share(record), 1, None, "by the whole of a seed")]
    erring, n = _erring(record, "l2")
    others = []
    for role, field in (("dropout", "dropout"), ("l1", "l1"), ("batch_size", "batch_size")):
        if role in records:
            wrong, of = _erring(records[role], field)
            others.append(f"{wrong} of {of} for {role.replace('_', ' ')}")
    reason = (
        f"{erring} of {n} single seeds have another best λ of L2 than the mean of the others"
        f"{'; ' + ', '.join(others) if others else ''}. At one configuration, λ = 0, test accuracy "
        f"goes {_range(record)}."
    )
    runs = [record.run_id]
    if (alone := records.get("init")) is not None:
        parts.append(Part(_share(alone), 1, None, "by the initial weights alone"))
        erring, n = _erring(alone, "l2")
        reason += (
            f" Where the initial weights alone change, all else being the first seed's, {erring} "
            f"of {n} have another best λ, and test accuracy at λ = 0 goes {_range(alone)}."
        )
        runs.append(alone.run_id)
    return finding(parts, reason, runs)


def _range(record: SweepRecord) -> str:
    values = percent(record, baseline(record), Curve.TEST_ACCURACY)
    values = values[np.isfinite(values)]
    return f"from {values.min():.1f} to {values.max():.1f} % (SD {values.std(ddof=1):.1f})"


def _share(record: SweepRecord) -> Evidence:
    """Percent of single seeds that err, with the exact interval (Clopper and Pearson 1934)."""
    erring, n = _erring(record, "l2")
    low, high = binomtest(erring, n).proportion_ci(0.95, method="exact")
    tails = (binom.cdf(erring, n, _ERRING / 100), binom.sf(erring - 1, n, _ERRING / 100))
    p = max(LEAST_P, min(1.0, 2 * float(min(tails))))
    share = Difference(100 * erring / n, 100 * float(low), 100 * float(high), n, p, "")
    what = "single seeds with another best λ"
    return Evidence(what, "% of seeds", share, None, "exact binomial", _ERRING, level=True)


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
