"""Which configurations of a recorded sweep did best."""

from __future__ import annotations

from sweeps.plan.manifest import Manifest
from sweeps.record.pages.words import Summaries, standing
from trainables.hyperparameters import Trial


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
