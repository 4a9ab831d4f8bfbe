"""The numbers of a robustness study: each configuration over its seeds, and what luck may explain.

Dimension letters: S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from analysis.figures.comparison import swept
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.bootstrap import Bootstrapped, bootstrap
from analysis.stats.paired import MOST_SEEDS, Paired, compare_paired, holm
from analysis.stats.seeds import OF_SHARES, ROUNDING, SHARE, Estimate, estimate
from analysis.stats.sources import Source, sources
from trainables.hyperparameters import SOURCES
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

METRIC = Curve.TEST_ACCURACY
SOURCE_NAMES = {
    "split": "data split",
    "init": "initial weights",
    "order": "batch order",
    "dropout": "dropout masks",
}
_DRAWS = 20  # seed of the resampling, the same for all data: equal data give equal intervals


class Studied(NamedTuple):
    """One configuration; accuracies are shares from 0 to 1, means over the summary epochs.

    `is_baseline`: whether the others are compared with it. `values` (S,): test accuracy of each
    seed, NaN where the model diverged. `paired`: against the baseline, seed by seed; None for the
    baseline itself and when the baseline is lacking. `p_holm`: p of the paired t-test, corrected
    for all configurations that are compared.
    """

    trial: Trial
    run_id: str
    is_baseline: bool
    values: Array
    mean: Estimate
    median: Bootstrapped
    iqm: Bootstrapped
    paired: Paired | None
    p_holm: float | None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the accuracies over seeds; None with fewer than two models."""
        return float(np.nanstd(self.values, ddof=1)) if self.mean.n > 1 else None


class SourceShares(NamedTuple):
    """How the spread of one configuration divides among the sources of randomness."""

    trial: Trial
    sources: tuple[Source, ...]


def generator() -> np.random.Generator:
    """The random numbers of resampling."""
    return np.random.default_rng(_DRAWS)


def study(record: SweepRecord) -> tuple[Studied, ...]:
    """All usable configurations, by the values of the swept hyperparameters."""
    rng = generator()
    baseline = record.baseline
    reference = None if baseline is None else record.final(baseline, METRIC)
    found = []
    for trial in sorted(record.configurations, key=lambda one: swept(record, one)):
        values = record.final(trial, METRIC)
        paired = None
        if reference is not None and trial != baseline:
            ratio = _test_to_train(record, trial)
            paired = compare_paired(values, reference, ratio, rng, within=OF_SHARES)
        found.append(
            Studied(
                trial,
                record.run_of(trial),
                trial == baseline,
                values,
                estimate(values, SHARE),
                bootstrap(values, "median", rng),
                bootstrap(values, "iqm", rng),
                paired,
                None,
            )
        )
    adjusted = holm([one.paired.difference.p if one.paired else None for one in found])
    return tuple(one._replace(p_holm=p) for one, p in zip(found, adjusted, strict=True))


def _test_to_train(record: SweepRecord, trial: Trial) -> float | None:
    """Test rows for each training row; None where all models share one split."""
    if "split" not in trial.vary:
        return None
    return float(record.manifest.dataset["test"]) / float(record.manifest.dataset["train"])


def exchanged(record: SweepRecord, trial: Trial) -> Mapping[str, Trial]:
    """By source of randomness, the usable trial of the same hyperparameters that exchanges it."""
    key = trial.hyperparameters.key()
    mine = {one.exchanged: one for one in record.usable if one.hyperparameters.key() == key}
    return {source: mine[source] for source in SOURCES if source in mine}


def by_source(record: SweepRecord) -> tuple[SourceShares, ...]:
    """The configurations that have trials with a source exchanged."""
    rng = generator()
    found = []
    for trial in sorted(record.configurations, key=lambda one: swept(record, one)):
        if others := exchanged(record, trial):
            base = record.final(trial, METRIC)
            finals = {source: record.final(one, METRIC) for source, one in others.items()}
            shares = [
                _nothing(one) if _changes_nothing(base, finals[one.source]) else one
                for one in sources(base, finals, rng)
            ]
            found.append(SourceShares(trial, tuple(shares)))
    return tuple(found)


def _changes_nothing(base: Array, other: Array) -> bool:
    both = np.isfinite(base) & np.isfinite(other)
    return bool(np.array_equal(base[both], other[both]))


def _nothing(one: Source) -> Source:
    """A source that changes no model; the estimate of its first-order share would be noise."""
    if one.total is None:
        return one
    remark = f"exactly 0: exchanging it changes none of {one.n} models"
    return Source(one.source, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, one.n, remark)


def seeds_for(values: Array, half_width: float) -> int | None:
    """The fewest seeds that give a mean ± `half_width`, were their spread that of `values` (S,).

    Of the 95 % t interval. None where `values` have no spread, or need more than `MOST_SEEDS`.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < 2 or np.ptp(finite) < ROUNDING:
        return None
    n = np.arange(2, MOST_SEEDS + 1)
    enough = stdtrit(n - 1, 0.975) * finite.std(ddof=1) / np.sqrt(n) <= half_width
    return int(n[np.argmax(enough)]) if enough.any() else None


def best(studied: Sequence[Studied]) -> Studied | None:
    """The configuration of the highest mean, the first of equals; None when all diverged."""
    judged = [one for one in studied if one.mean.mean is not None]
    return max(judged, key=lambda one: one.mean.mean or 0.0, default=None)
