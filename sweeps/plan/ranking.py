"""Which trial of a sweep is the best, against its baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trainables.manifest import Manifest
from trainables.record_format import Final, short
from trainables.result import Interval
from trainables.trial import Trial

Summaries = Mapping[str, Mapping[str, Interval]]
_ALL_SHOWN = 8  # up to so many configurations stand in a final table, of more the best
_BEST_SHOWN = 3  # and the baseline
_JUDGED = (
    Final.CV_ACCURACY,
    Final.TEST_ACCURACY,
    Final.TRAIN_ACCURACY,
    Final.CV_LOSS,
    Final.TEST_LOSS,
)


@dataclass(frozen=True)
class Answer:
    """`best` and `baseline` with their test accuracies; None for what was not recorded.

    Without folds the best is chosen on the test accuracy that it is reported with, so it flatters
    itself: with many configurations some are lucky. The words say so. With folds it is chosen on
    the cross-validated accuracies `best_cv` and `baseline_cv`, which else are None.
    """

    best: Trial | None
    best_accuracy: Interval | None
    baseline: Trial
    baseline_accuracy: Interval | None
    best_cv: Interval | None = None
    baseline_cv: Interval | None = None


def judged_on(manifest: Manifest) -> str:
    """Which accuracy and loss the best is chosen on: `cv` of a sweep with folds, else `test`."""
    return "cv" if manifest.folds else "test"


def how_chosen(manifest: Manifest) -> str:
    """What the choice of a sweep with folds rests on, in words."""
    return (
        f"chosen by {manifest.folds}-fold cross-validation on each seed's training rows: with none "
        "of the seeds did the choice see that seed's test rows, which other seeds train on"
    )


def judged(summary: Mapping[str, Interval]) -> dict[str, Interval]:
    """The part of a trial's summary that the answer and the final table need."""
    return {name: summary[name] for name in _JUDGED if name in summary}


def standing(
    manifest: Manifest, trial: Trial, summary: Mapping[str, Interval]
) -> tuple[float, float] | None:
    """Accuracy and negative loss, each the higher the better; None for what cannot be the best.

    They are those of `judged_on`. A trial with a diverged model has none; nor has one with an
    exchanged source of randomness, which is another's configuration over again.
    """
    judge = judged_on(manifest)
    # As they are recorded, so that a resumed sweep decides as an uninterrupted one.
    accuracy, loss = (
        short(summary[name].mean) for name in (Final.accuracy(judge), Final.loss(judge))
    )
    if trial.exchanged or math.isnan(accuracy) or math.isnan(summary[Final.TEST_LOSS].mean):
        return None
    return accuracy, -loss


class BestSoFar:
    """The trial with the highest mean accuracy of those that were added, in any order.

    The accuracy is that of `judged_on`. Of equals, that with the lowest loss, then the first of
    the manifest. See `standing` for trials that cannot be the best.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._place = {trial.key: place for place, trial in enumerate(manifest.trials)}
        self._rank: tuple[float, float, int] | None = None
        self.trial: Trial | None = None

    def add(self, key: str, summary: Mapping[str, Interval]) -> bool:
        """Whether the trial `key` is the best now."""
        place = self._place[key]
        trial = self._manifest.trials[place]
        found = standing(self._manifest, trial, summary)
        if found is None or (self._rank is not None and (*found, -place) <= self._rank):
            return False
        self._rank, self.trial = (*found, -place), trial
        return True


def find_answer(manifest: Manifest, summaries: Summaries) -> Answer:
    """The answer once all trials that there will be have their summaries."""
    so_far = BestSoFar(manifest)
    for key, summary in summaries.items():
        so_far.add(key, summary)
    best = so_far.trial
    baseline = manifest.baseline_trial

    def found(trial: Trial | None, name: str) -> Interval | None:
        return summaries[trial.key].get(name) if trial and trial.key in summaries else None

    return Answer(
        best,
        found(best, Final.TEST_ACCURACY),
        baseline,
        found(baseline, Final.TEST_ACCURACY),
        found(best, Final.CV_ACCURACY),
        found(baseline, Final.CV_ACCURACY),
    )


def best_of(manifest: Manifest, summaries: Summaries) -> list[Trial]:
    """The configurations with a result, the best first, as `BestSoFar` judges them.

    `summaries` by trial key; a failed trial has none.
    """
    found = [
        (place, score)
        for place, trial in enumerate(manifest.trials)
        if trial.key in summaries
        and (score := standing(manifest, trial, summaries[trial.key])) is not None
    ]
    found.sort(key=lambda each: each[1], reverse=True)  # equals stay in the manifest's order
    return [manifest.trials[place] for place, _ in found]


def shown(manifest: Manifest, summaries: Summaries) -> list[Trial]:
    """The configurations that stand in a final table: all of few, of many the best ones and then
    the baseline."""
    if len(manifest.configurations) <= _ALL_SHOWN:
        return [trial for trial in manifest.configurations if trial.key in summaries]
    baseline = manifest.baseline_trial
    best = best_of(manifest, summaries)[:_BEST_SHOWN]
    return [*best, *([baseline] if baseline not in best and baseline.key in summaries else [])]
