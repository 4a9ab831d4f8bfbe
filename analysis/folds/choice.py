"""Choosing a configuration by cross-validation or on the test set, and what the choice is worth.

Dimension letters: K configurations, S seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import (
    OF_SHARES,
    SHARE,
    Difference,
    Estimate,
    estimate,
    paired_difference,
)
from trainables.commands.project_scripts import words_of_sweep
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial


class Scores(NamedTuple):
    """Final accuracies and losses of the configurations, (K, S); NaN where a model diverged."""

    trials: tuple[Trial, ...]
    cv_accuracy: Array
    cv_loss: Array
    test_accuracy: Array
    test_loss: Array


class Chosen(NamedTuple):
    """A configuration chosen for all seeds, by its place; `equal`: others of that accuracy."""

    place: int
    equal: int


@dataclass(frozen=True)
class Choices:
    """What the two ways of choosing choose, claim and are worth.

    `by_test`: the highest mean test accuracy; its claim is that accuracy. `by_cv`: the highest mean
    cross-validated accuracy. `alone`: each seed's claim (S,) that chooses on its own test rows, and
    `nested` (S,) the test accuracy of what each seed chooses by its own folds: the test rows took
    no part in that choice, so nothing flatters it. `configurations`: how many of them the seeds
    chose by their folds. Source of nested evaluation: Stone (1974), "Cross-validatory choice and
    assessment of statistical predictions".
    """

    scores: Scores
    by_test: Chosen
    by_cv: Chosen
    alone: Array
    nested: Array
    configurations: int

    @property
    def claimed(self) -> Estimate:
        """What choosing on the test set claims."""
        return estimate(self.scores.test_accuracy[self.by_test.place], SHARE)

    @property
    def test_of_cv(self) -> Estimate:
        """Test accuracy of the configuration that cross-validation chose for all seeds."""
        return estimate(self.scores.test_accuracy[self.by_cv.place], SHARE)

    @property
    def optimism(self) -> Difference:
        """The claim minus the nested accuracy, seed by seed."""
        claimed = self.scores.test_accuracy[self.by_test.place]
        return paired_difference(claimed, self.nested, OF_SHARES)

    @property
    def optimism_of_cv(self) -> Difference:
        """Test accuracy of the choice by folds of all seeds minus the nested accuracy."""
        chosen = self.scores.test_accuracy[self.by_cv.place]
        return paired_difference(chosen, self.nested, OF_SHARES)

    @property
    def optimism_alone(self) -> Difference:
        """The same of a seed's own claim."""
        return paired_difference(self.alone, self.nested, OF_SHARES)


def scores_of(record: SweepRecord) -> Scores:
    """Those of a sweep with folds. Raises `Stop` without folds or anything to choose among."""
    name = record.manifest.run_name
    if not record.has_folds:
        raise Stop(
            BAD_INPUT,
            f"sweep {name} has no folds to choose by; record one that has: "
            f"{words_of_sweep(record.manifest.name, record.manifest.command)} --folds 5",
        )
    trials = record.configurations
    if len(trials) < 2:
        raise Stop(BAD_INPUT, f"choosing needs two configurations, sweep {name} has {len(trials)}")
    found = [
        np.array([record.final(trial, metric) for trial in trials])
        for metric in (Curve.CV_ACCURACY, Curve.CV_LOSS, Curve.TEST_ACCURACY, Curve.TEST_LOSS)
    ]
    return Scores(trials, *found)


def choose(scores: Scores) -> Choices:
    """Both choices over all seeds and of every seed. Raises `Stop` if every one diverged.

    Ranks as the sweep itself does: highest accuracy, then lowest loss, then first. A configuration
    of which a model diverged cannot be chosen by what that model counts in.
    """
    own_lost = ~np.isfinite(scores.test_accuracy)
    cv_accuracy = np.where(own_lost, np.nan, scores.cv_accuracy)
    by_cv = _first(cv_accuracy.mean(axis=1), scores.cv_loss.mean(axis=1))
    by_test = _first(scores.test_accuracy.mean(axis=1), scores.test_loss.mean(axis=1))
    if by_cv is None or by_test is None:
        raise Stop(BAD_INPUT, "in every configuration a model diverged, so that none can be chosen")
    nested = np.full(scores.test_accuracy.shape[1], np.nan)
    alone = nested.copy()
    chosen = set()
    for seed in range(len(nested)):
        if (mine := _first(cv_accuracy[:, seed], scores.cv_loss[:, seed])) is None:
            continue
        nested[seed] = scores.test_accuracy[mine.place, seed]
        alone[seed] = np.nanmax(scores.test_accuracy[:, seed])
        chosen.add(mine.place)
    return Choices(scores, by_test, by_cv, alone, nested, len(chosen))


def _first(accuracy: Array, loss: Array) -> Chosen | None:
    """The first in rank of (K,); None when all are NaN."""
    if np.isnan(accuracy).all():
        return None
    # Six digits, as they are recorded: what cannot be told apart in the record is equal.
    ranks = [
        (-_six_digits(one), _six_digits(two), place)
        for place, (one, two) in enumerate(zip(accuracy, loss, strict=True))
        if np.isfinite(one)
    ]
    best, _, place = min(ranks)
    return Chosen(place, sum(rank[0] == best for rank in ranks) - 1)


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
