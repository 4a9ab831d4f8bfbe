"""What a finished sweep found: its best trial against the baseline, in words."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.plan.ranking import Answer, how_chosen
from sweeps.record.pages.saved_view import LOADED
from trainables.manifest import Manifest
from trainables.record_format import Artifact, Column, Final
from trainables.result import Interval
from trainables.trial import Trial


def percent(accuracy: Interval | None) -> str:
    """Such as `96.7 % [95.5, 97.8]`: mean and 95 % interval, as far as accuracies can be."""
    if accuracy is None:
        return "not recorded"
    if accuracy.mean != accuracy.mean:
        return "diverged"
    if accuracy.low is None or accuracy.high is None:
        return f"{accuracy.mean:.1%} (one seed: no interval)".replace("%", " %")
    low, high = max(0.0, accuracy.low), min(1.0, accuracy.high)
    text = f"{accuracy.mean:.1%} [{100 * low:.1f}, {100 * high:.1f}]"
    return text.replace("%", " %")


def trial_note(trial: Trial, summary: Mapping[str, Interval], part: str) -> str:
    """The description of a trial's run: its accuracies, and where all of its curves lie."""
    diverged = summary[Final.TEST_ACCURACY].mean != summary[Final.TEST_ACCURACY].mean
    seeds = len(trial.seeds)
    by_folds = ""
    if Final.CV_ACCURACY in summary:
        by_folds = f"cross-validated accuracy {percent(summary[Final.CV_ACCURACY])}, "
    return (
        f"**Test accuracy {percent(summary[Final.TEST_ACCURACY])}**, {by_folds}"
        f"train accuracy {percent(summary[Final.TRAIN_ACCURACY])}; "
        f"{seeds} seeds{', at least one of which diverged' if diverged else ''}.  \n"
        f"Every epoch of every seed: `{Artifact.CURVES}/{part}{Artifact.TABLE}` of the sweep's "
        f"run, rows of {Column.CONFIG} `{trial.name}`; "
        f"the weights: `{Artifact.WEIGHTS}/{part}{Artifact.TABLE}`."
    )


def note(manifest: Manifest, answer: Answer, failed: int, views: Mapping[str, str]) -> str:
    """The description of the sweep's run in Markdown: first the answer, then the views' links."""
    count, seeds = len(manifest.configurations), len(manifest.trials[0].seeds)
    window = manifest.summary_epochs
    split = manifest.baseline_trial.hyperparameters.captions()["split"]
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
            "The best of many configurations is partly luck, and whether two of these intervals "
            "overlap decides nothing: look at the difference to the baseline seed by seed, which "
            "the sweep's figures have, and try the best again on fresh seeds."
        )
    lines = [
        f"{head}  \n{links}" if links else head,
        "",
        f"{manifest.question}",
        "",
        f"{count} configurations × {seeds} seeds on {manifest.dataset['name']}, {split}; "
        f"accuracies are means of epochs {window.start + 1} to {window.stop}, brackets are "
        f"95 % t intervals over seeds. {caution}",
        "",
    ]
    if count > LOADED:
        lines += [
            f"The charts of this page's links load {LOADED} of the {count} trials, "
            f"those with the highest {'cross-validated' if manifest.folds else 'test'} accuracy; "
            f"`{Artifact.CHART}` has all of them.",
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
        f"- Artifacts: `{Artifact.CHART}` (all trials with their intervals and curves to "
        f"explore), `{Artifact.RESULTS}` (a row per trial), "
        f"`{Artifact.CURVES}/` (every epoch of every model), "
        f"`{Artifact.WEIGHTS}/`, `{Artifact.MANIFEST}` (what was promised), "
        f"`{Artifact.BEST_MODEL}/`",
        f"- Command: `{manifest.command}`",
    ]
    return "\n".join(lines)
