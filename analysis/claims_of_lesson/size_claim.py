"""The lesson's claim that regularization helps larger models and harder data more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import ttest_ind

from analysis.claims_of_lesson.claim_evidence import baseline, left_out, percent, said, split_ratio
from analysis.claims_of_lesson.verdicts import MARGIN, Evidence, Finding, Part, Untestable, directed
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.paired import compare_paired
from analysis.stats.seeds import Difference, estimate
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


def size_matters(records: Mapping[str, SweepRecord]) -> Finding:
    """Regularization helps larger models and harder data more than this one.

    One grid of dropout and L2 in three settings: this network on Iris, a larger one on Iris, this
    one on digits. In each, the best regularized configuration is chosen by mean test accuracy on
    one half of the seeds (every other one) and its gain over none measured on the other half, then
    the halves swap: no seed measures what it has helped to choose. Parts: the gain of the larger
    network minus that of this one, in pairs by seed; the gain on digits minus that on Iris, two
    samples with their own variances (Welch). Supported if both are above 0; contradicted if one is
    below, or shown to be within ± 1 point.
    """
    found = {role: gain(records[role]) for role in ("small", "large", "harder")}
    small, large, harder = found.values()
    parts = [Part(_paired(small, large), 1, MARGIN), Part(_unpaired(small, harder), 1, MARGIN)]
    said_gains = []
    for role, one in found.items():
        hyperparameters = one.record.manifest.trials[0].hyperparameters
        hidden = " ".join(map(str, hyperparameters.hidden))
        own = estimate(one.values)
        interval = said(Difference(own.mean, own.low, own.high, own.n, None, "one seed"))
        names = dict.fromkeys(trial.name for trial in one.chosen)
        said_gains.append(
            f"{role} ({hyperparameters.dataset}, hidden {hidden}) {interval}"
            f" with {' and '.join(names)}"
        )
    reason = (
        f"Gain over no regularization in points, chosen and measured on different seeds: "
        f"{'; '.join(said_gains)}. Larger minus this one {said(parts[0].evidence.difference)}, "
        f"harder minus this one {said(parts[1].evidence.difference)}."
    )
    for one in found.values():
        reason += left_out(one.record, one.record.usable)
    return directed(parts, reason, [one.record.run_id for one in found.values()])


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
    found = compare_paired(other, first, ratio, np.random.default_rng(0))
    if found.difference.n < 2:
        raise Untestable(f"{one.run_name} and {two.run_name} share {len(shared)} seeds: no pairs.")
    corrected = found.corrected if ratio is not None else None
    what = "gain of the larger network minus that of this one"
    return Evidence(what, "points", found.difference, corrected, "paired t")


def _unpaired(small: Gain, harder: Gain) -> Evidence:
    """The gain on the harder data minus that on Iris; Nadeau and Bengio's variance for each."""
    one, two = (each.values[np.isfinite(each.values)] for each in (small, harder))
    what = "gain on harder data minus that on Iris"
    if min(len(one), len(two)) < 2:
        raise Untestable(f"{what}: too few seeds without divergence.")
    mean, n = float(two.mean() - one.mean()), min(len(one), len(two))
    if np.ptp(one) == 0 and np.ptp(two) == 0:
        plain = Difference(mean, mean, mean, n, None, "all gains are equal")
        return Evidence(what, "points", plain, plain, "Welch t")
    test = ttest_ind(two, one, equal_var=False)
    low, high = test.confidence_interval(0.95)
    plain = Difference(mean, float(low), float(high), n, float(test.pvalue), "")
    ratios = [split_ratio(each.record) for each in (small, harder)]
    corrected = None
    if None not in ratios:
        spreads = [float(each.var(ddof=1)) for each in (one, two)]
        counts = (len(one), len(two))
        usual = sum(v / k for v, k in zip(spreads, counts, strict=True))
        wide = sum(v * (1 / k + (r or 0)) for v, k, r in zip(spreads, counts, ratios, strict=True))
        half = (high - low) / 2 * (wide / usual) ** 0.5
        # Its p is only asked whether it is below 5 %, which the interval says.
        p = 0.0 if abs(mean) > half else 1.0
        corrected = Difference(mean, mean - half, mean + half, n, p, "")
    return Evidence(what, "points", plain, corrected, "Welch t")
