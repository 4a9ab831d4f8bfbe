"""The lesson's claim that regularization helps larger models, and harder data, more.

One grid of dropout and L2 in three settings: this network on Iris, a larger one on Iris, this one
on digits. In each, the best regularized configuration is chosen by mean test accuracy on one half
of the seeds (every other one) and its gain over none measured on the other half, then the halves
swap: no seed measures what it has helped to choose.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from analysis.claims_of_lesson.claim_evidence import (
    POSSIBLE,
    left_out,
    percent,
    said,
    split_ratio,
)
from analysis.claims_of_lesson.levels import baseline
from analysis.claims_of_lesson.one_part import MARGIN, Evidence, Part
from analysis.claims_of_lesson.verdicts import Finding, Untestable, finding
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.paired import compare_paired
from analysis.stats.seeds import LEAST_P, Difference, estimate
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial


class Gain(NamedTuple):
    """What the best regularization gains in test accuracy over none, in points.

    `values`: (S,) by seed. `chosen`: the two configurations that it was measured with.
    """

    record: SweepRecord
    values: Array
    chosen: tuple[Trial, Trial]


def larger_net(small: SweepRecord, large: SweepRecord) -> Finding:
    """Regularization helps a larger network more: its gain minus that of this one, by seed."""
    one, two = gain(small), gain(large)
    return _compared(_paired(one, two), one, two)


def harder_data(small: SweepRecord, harder: SweepRecord) -> Finding:
    """Regularization helps more on harder data: the gain on digits minus that on Iris."""
    one, two = gain(small), gain(harder)
    return _compared(_unpaired(one, two), one, two)


def _compared(evidence: Evidence, small: Gain, other: Gain) -> Finding:
    reason = (
        "Gain over no regularization in points, chosen and measured on different seeds: "
        f"{_told(small)}; {_told(other)}. Their difference: {said(evidence.difference)}."
    )
    for one in (small, other):
        reason += left_out(one.record, one.record.usable)
    return finding([Part(evidence, 1, MARGIN)], reason, [small.record.run_id, other.record.run_id])


def _told(one: Gain) -> str:
    hyperparameters = one.record.manifest.trials[0].hyperparameters
    hidden = " ".join(map(str, hyperparameters.hidden))
    own = estimate(one.values, POSSIBLE["points"])
    interval = said(Difference(own.mean, own.low, own.high, own.n, None, "one seed"))
    names = " and ".join(dict.fromkeys(trial.name for trial in one.chosen))
    return f"{hyperparameters.dataset}, hidden {hidden}, {interval} with {names}"


def gain(record: SweepRecord) -> Gain:
    """What regularization gains when it is chosen on one half of the seeds, tried on the other."""
    first = baseline(record)
    others = [one for one in record.configurations if one != first]
    if not others:
        raise Untestable(f"{record.manifest.run_name} has no regularized configuration.")
    reference = percent(record, first, Curve.TEST_ACCURACY)
    values = np.array([percent(record, one, Curve.TEST_ACCURACY) for one in others])  # (K, S)
    if len(reference) < 4:
        raise Untestable(
            f"{record.manifest.run_name} has {len(reference)} seeds: two halves to choose and to "
            "measure on need at least 4."
        )
    gains = np.full(len(reference), np.nan)
    chosen = []
    even = np.arange(len(reference)) % 2 == 0
    for half in (even, ~even):
        means = values[:, half].mean(axis=1)  # NaN where a model diverged: that is never the best
        if np.isnan(means).all():
            raise Untestable(
                f"every regularized configuration of {record.manifest.run_name} has diverged "
                "models."
            )
        best = int(np.nanargmax(means))
        gains[~half] = values[best, ~half] - reference[~half]
        chosen.append(others[best])
    return Gain(record, gains, (chosen[0], chosen[1]))


def _paired(small: Gain, large: Gain) -> Evidence:
    """The larger network's gain minus the small one's, on the seeds that both have."""
    one, two = small.record.manifest, large.record.manifest
    if one.dataset["digest"] != two.dataset["digest"]:
        raise Untestable(
            f"{one.run_name} and {two.run_name} were trained on different data: no pairs by seed."
        )
    seeds_small, seeds_large = small.record.usable[0].seeds, large.record.usable[0].seeds
    shared = [seed for seed in seeds_small if seed in seeds_large]
    first = small.values[[seeds_small.index(seed) for seed in shared]]
    other = large.values[[seeds_large.index(seed) for seed in shared]]
    ratio = split_ratio(small.record)
    possible = POSSIBLE["points"]
    draws = np.random.default_rng(0)
    found = compare_paired(other, first, ratio, draws, 1, possible)
    if found.difference.n < 2:
        raise Untestable(f"{one.run_name} and {two.run_name} share {len(shared)} seeds: no pairs.")
    corrected = found.corrected if ratio is not None else None
    what = "gain of the larger network minus that of this one"
    return Evidence(what, "points", found.difference, corrected, "paired t")


def _unpaired(small: Gain, harder: Gain) -> Evidence:
    """The gain on the harder data minus that on Iris; Nadeau and Bengio's variance for each.

    Two samples with variances of their own, and the degrees of freedom of the smaller: a little
    cautious (Hsu 1938, "Contributions to the theory of Student's t-test").
    """
    one, two = (each.values[np.isfinite(each.values)] for each in (small, harder))
    what = "gain on harder data minus that on Iris"
    n = min(len(one), len(two))
    if n < 2:
        raise Untestable(f"{what}: too few seeds without divergence.")
    mean = float(two.mean() - one.mean())
    if np.ptp(one) == 0 and np.ptp(two) == 0:
        plain = Difference(mean, mean, mean, n, None, "all gains are equal")
        return Evidence(what, "points", plain, plain, "two-sample t")
    spreads = [float(each.var(ddof=1)) for each in (one, two)]
    shares = [1 / len(each) for each in (one, two)]
    ratios = [split_ratio(each.record) for each in (small, harder)]
    plain = _student(mean, sum(v * k for v, k in zip(spreads, shares, strict=True)), n)
    corrected = None
    if None not in ratios:
        wide = sum(v * (k + (r or 0)) for v, k, r in zip(spreads, shares, ratios, strict=True))
        corrected = _student(mean, wide, n)
    return Evidence(what, "points", plain, corrected, "two-sample t")


def _student(mean: float, variance: float, n: int) -> Difference:
    """The mean with Student's interval and p of n - 1 degrees of freedom."""
    error = variance**0.5
    half = float(stdtrit(n - 1, 0.975)) * error
    p = max(LEAST_P, 2 * float(stdtr(n - 1, -abs(mean) / error)))
    return Difference(mean, mean - half, mean + half, n, p, "").cut_to(POSSIBLE["points"])
