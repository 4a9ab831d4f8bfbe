"""What a finished sweep found: its best trial against the baseline, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sweeps.plan.manifest import Manifest
from sweeps.record.pages.saved_view import LOADED
from sweeps.record.runs.finished_run import short
from trainables.hyperparameters import Trial
from trainables.result import Interval

Summaries = Mapping[str, Mapping[str, Interval]]
_JUDGED = ("cv_accuracy", "test_accuracy", "train_accuracy", "cv_loss", "test_loss")


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
        f"chosen by {manifest.folds}-fold cross-validation on the training part, the test set was "
        "not looked at for the choice"
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
    accuracy, loss = (short(summary[f"{judge}_{name}"].mean) for name in ("accuracy", "loss"))
    if trial.exchanged or math.isnan(accuracy) or math.isnan(summary["test_loss"].mean):
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
        found(best, "test_accuracy"),
        baseline,
        found(baseline, "test_accuracy"),
        found(best, "cv_accuracy"),
        found(baseline, "cv_accuracy"),
    )


def percent(accuracy: Interval | None) -> str:
    """Such as `96.7 % [95.5, 97.8]`: mean and 95 % interval."""
    if accuracy is None:
        return "not recorded"
    if accuracy.mean != accuracy.mean:
        return "diverged"
    if accuracy.low is None or accuracy.high is None:
        return f"{accuracy.mean:.1%} (one seed: no interval)".replace("%", " %")
    text = f"{accuracy.mean:.1%} [{100 * accuracy.low:.1f}, {100 * accuracy.high:.1f}]"
    return text.replace("%", " %")


def trial_note(trial: Trial, summary: Mapping[str, Interval], part: str) -> str:
    """The description of a trial's run: its accuracies, and where all of its curves lie."""
    diverged = summary["test_accuracy"].mean != summary["test_accuracy"].mean
    seeds = len(trial.seeds)
    by_folds = ""
    if "cv_accuracy" in summary:
        by_folds = f"cross-validated accuracy {percent(summary['cv_accuracy'])}, "
    return (
        f"**Test accuracy {percent(summary['test_accuracy'])}**, {by_folds}"
        f"train accuracy {percent(summary['train_accuracy'])}; "
        f"{seeds} seeds{', at least one of which diverged' if diverged else ''}.  \n"
        f"Every epoch of every seed: `curves/{part}.parquet` of the sweep's run, rows of config "
        f"`{trial.name}`; the weights: `weights/{part}.parquet`."
    )


def note(manifest: Manifest, answer: Answer, failed: int, views: Mapping[str, str]) -> str:
    """The description of the sweep's run in Markdown: first the answer, then the views' links."""
    count, seeds = len(manifest.configurations), len(manifest.trials[0].seeds)
    first, last = manifest.summary_epochs
    if answer.best is None:
        head = "No trial of this sweep gave a result."
    elif manifest.folds:
        head = (
            f"**Best: {answer.best.name}**, cross-validated accuracy {percent(answer.best_cv)}, "
            f"{how_chosen(manifest)}. Baseline {answer.baseline.name}: "
            f"{percent(answer.baseline_cv)}."
        )
    else:
        head = (
            f"**Best: {answer.best.name}**, test accuracy {percent(answer.best_accuracy)}. "
            f"Baseline {answer.baseline.name}: {percent(answer.baseline_accuracy)}."
        )
    # The links in the second line: the UI lays a veil over the third of a long description until
    # it is unfolded, through which nothing can be clicked.
    links = " · ".join(f"[{title}]({link})" for title, link in views.items())
    if manifest.folds:
        caution = (
            f"Test accuracy of the best: {percent(answer.best_accuracy)}, of the baseline: "
            f"{percent(answer.baseline_accuracy)}. Judge the choice on seeds that it never saw: "
            "`python sweeps/seeds.py --from` this run's id `--top 1`."
        )
    else:
        caution = (
            "The best of many configurations is partly luck: compare its interval with the "
            "baseline's, and try it again on fresh seeds."
        )
    lines = [
        f"{head}  \n{links}" if links else head,
        "",
        f"{manifest.question}",
        "",
        f"{count} configurations × {seeds} seeds on {manifest.dataset['name']}; "
        f"accuracies are means of epochs {first + 1} to {last}, brackets are 95 % t intervals "
        f"over seeds. {caution}",
        "",
    ]
    if count > LOADED:
        lines += [
            f"The charts of this page's links load {LOADED} of the {count} trials, "
            f"those with the highest {'cross-validated' if manifest.folds else 'test'} accuracy; "
            "`chart.html` has all of them.",
            "",
        ]
    if count < len(manifest.trials):
        lines += [
            "Trials called `next=` are a configuration once more, with that source of randomness "
            "taken from the next seed: they show where the spread over seeds comes from.",
            "",
        ]
    if failed:
        lines += [f"{failed} trials failed; their runs carry the error.", ""]
    lines += [
        "- Artifacts: `chart.html` (all trials with their intervals and curves to explore), "
        "`results.csv` (a row per trial), `curves/` (every epoch of every model), `weights/`, "
        "`sweep.json` (what was promised), `best_model/`",
        f"- Command: `{manifest.command}`",
    ]
    return "\n".join(lines)
