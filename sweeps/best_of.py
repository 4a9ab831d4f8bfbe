"""Which configurations of a recorded sweep did best."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.answer import Summaries
from sweeps.manifest import Manifest
from trainables.hyperparameters import Trial
from trainables.result import Interval


def best_of(manifest: Manifest, summaries: Summaries) -> list[Trial]:
    """The configurations with a result, the best first.

    By mean cross-validated accuracy where it was recorded, else by mean test accuracy; of equals,
    by loss, then by their place in the manifest. `summaries` by trial key. A configuration with a
    diverged seed has no mean.
    """
    kind = "cv" if any("cv_accuracy" in each for each in summaries.values()) else "test"
    found = []
    for place, trial in enumerate(manifest.trials):
        summary = summaries.get(trial.key, {})
        accuracy, loss = (_mean(summary, f"{kind}_{metric}") for metric in ("accuracy", "loss"))
        if accuracy >= 0 and not trial.exchanged:
            found.append((-accuracy, loss, place))
    return [manifest.trials[place] for _, _, place in sorted(found)]


def _mean(summary: Mapping[str, Interval], name: str) -> float:
    return summary[name].mean if name in summary else float("nan")
