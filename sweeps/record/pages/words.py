"""What a finished sweep found: its best trial against the baseline, in words."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.plan.against_baseline import BaselineDifference
from sweeps.plan.ranking import Answer, how_chosen
from sweeps.record.pages.saved_view import LOADED
from trainables.manifest import Manifest
from trainables.record_format import Artifact
from trainables.result import Interval


def mean_percent(accuracy: Interval) -> str:
    """Such as `96.7 %`: the mean alone."""
    return "diverged" if accuracy.mean != accuracy.mean else f"{100 * accuracy.mean:.1f} %"


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


def points(difference: BaselineDifference) -> str:
    """Such as `+0.30 [-0.10, +0.70]`: a difference with its interval, in points."""
    mean = _signed(difference.mean)
    if difference.low is None or difference.high is None:
        return mean
    return f"{mean} [{_signed(difference.low)}, {_signed(difference.high)}]"


def _signed(share: float) -> str:
    return f"{100 * share:+.2f}" if share else "0.00"  # what rounds to zero keeps its sign


def verdict(difference: BaselineDifference) -> str:
    """What can be said of one configuration and the baseline, to go on a sentence."""
    if difference.remark:
        return f"cannot be told from the baseline ({difference.remark})"
    if difference.more_than_luck:
        return "differs from the baseline by more than luck"
    return "cannot be told from the baseline with these seeds"


def at_once(manifest: Manifest) -> str:
    """What the intervals of the differences to the baseline say, for a sentence."""
    others = len(manifest.configurations) - 1
    return f"for all {others} at once (Bonferroni)" if others > 1 else "95 % t interval"


def _against_baseline(answer: Answer, differences: Mapping[str, BaselineDifference]) -> str:
    """How the best stands to the baseline, after its accuracy."""
    if answer.best is None or answer.best == answer.baseline:
        return ": it is the baseline"
    found = differences.get(answer.best.key)
    if found is None:
        return f"; the baseline {answer.baseline.name} has no result"
    return f"; {points(found)} points to {answer.baseline.name}: {verdict(found)}"


def note(
    manifest: Manifest,
    answer: Answer,
    failed: int,
    views: Mapping[str, str],
    differences: Mapping[str, BaselineDifference],
    held_out: str = "",
) -> str:
    """The description of the sweep's run in Markdown: first the answer, then the views' links.

    `differences`: to the baseline, by trial key, that of the best among them. `held_out`: a
    sentence on the rows that are held out.
    """
    count, seeds = len(manifest.configurations), len(manifest.trials[0].seeds)
    window = manifest.summary_epochs
    split = manifest.baseline_trial.hyperparameters.captions()["split"]
    judge = "cross-validated" if manifest.folds else "test"
    if answer.best is None:
        head = "No trial of this sweep gave a result."
    else:
        accuracy = percent(answer.best_cv if manifest.folds else answer.best_accuracy)
        against = _against_baseline(answer, differences)
        head = f"**Best: {answer.best.name}**, {judge} accuracy {accuracy}{against}."
    # The links in the second line: the UI lays a veil over the third of a long description until
    # it is unfolded, through which nothing can be clicked.
    links = " · ".join(f"[{title}]({link})" for title, link in views.items())
    of_baseline = answer.baseline_cv if manifest.folds else answer.baseline_accuracy
    facts = f"Baseline {answer.baseline.name}: {judge} accuracy {percent(of_baseline)}."
    if answer.best is not None and answer.best.key in differences:
        facts += f" Differences are taken seed by seed, in points; intervals: {at_once(manifest)}."
    if manifest.folds:
        facts += (
            f" The best is {how_chosen(manifest)}. Test accuracy of the best: "
            f"{percent(answer.best_accuracy)}, of the baseline: "
            f"{percent(answer.baseline_accuracy)}."
        )
    elif count > 1 and not manifest.options.get("from_run"):
        facts += f" The accuracy of the best of {count} is partly luck."
    if count > 1 and not manifest.options.get("from_run"):
        facts += (
            " On seeds that it never saw: `python sweeps/seeds.py --from` this run's id `--top 1`."
        )
    lines = [
        f"{head}  \n{links}" if links else head,
        "",
        f"{manifest.question}",
        "",
        f"{count} configurations × {seeds} seeds on {manifest.dataset['name']}, {split}; "
        f"accuracies are means of epochs {window.start + 1} to {window.stop}, brackets are "
        f"95 % t intervals over seeds. {facts}",
        "",
    ]
    if held_out:
        lines += [held_out, ""]
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
