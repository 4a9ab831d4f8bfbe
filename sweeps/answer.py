"""What a finished sweep found: its best trial against the baseline, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sweeps.manifest import Manifest
from sweeps.record.finished_run import short
from sweeps.record.saved_view import LOADED
from trainables.hyperparameters import Trial
from trainables.result import Interval

Summaries = Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True)
class Answer:
    """`best` and `baseline` with their test accuracies; None for what was not recorded.

    The best is chosen on the test accuracy that it is reported with, so it flatters itself: with
    many configurations some are lucky. The words say so.
    """

    best: Trial | None
    best_accuracy: Interval | None
    baseline: Trial
    baseline_accuracy: Interval | None


class BestSoFar:
    """The trial with the highest mean test accuracy of those that were added, in any order.

    Of equals, that with the lowest test loss, then the first of the manifest. A trial with a
    diverged seed has no mean and cannot be the best; nor can one with an exchanged source, which is
    another's configuration over again.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._trials = manifest.trials
        self._place = {trial.key: place for place, trial in enumerate(manifest.trials)}
        self._rank: tuple[float, float, int] | None = None
        self.trial: Trial | None = None

    def add(self, key: str, summary: Mapping[str, Interval]) -> bool:
        """Whether the trial `key` is the best now."""
        place = self._place[key]
        if self._trials[place].exchanged:
            return False
        # As they are recorded, so that a resumed sweep decides as an uninterrupted one.
        accuracy, loss = (short(summary[name].mean) for name in ("test_accuracy", "test_loss"))
        rank = (accuracy, -loss, -place)
        if not rank[0] >= 0 or (self._rank is not None and rank <= self._rank):
            return False
        self._rank, self.trial = rank, self._trials[place]
        return True


def find_answer(manifest: Manifest, summaries: Summaries) -> Answer:
    """The answer once all trials that there will be have their summaries."""
    so_far = BestSoFar(manifest)
    for key, summary in summaries.items():
        so_far.add(key, summary)
    best = so_far.trial
    baseline = manifest.baseline_trial
    return Answer(
        best,
        summaries[best.key]["test_accuracy"] if best else None,
        baseline,
        summaries[baseline.key]["test_accuracy"] if baseline.key in summaries else None,
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
    return (
        f"**Test accuracy {percent(summary['test_accuracy'])}**, "
        f"train accuracy {percent(summary['train_accuracy'])}; "
        f"{seeds} seeds{', at least one of which diverged' if diverged else ''}.  \n"
        f"Every epoch of every seed: `curves/{part}.parquet` of the sweep's run, rows of config "
        f"`{trial.name}`; the weights: `weights/{part}.parquet`."
    )


def note(manifest: Manifest, answer: Answer, failed: int, views: Mapping[str, str]) -> str:
    """The description of the sweep's run in Markdown: first the answer, then the views' links."""
    seeds = len(manifest.trials[0].seeds)
    first, last = manifest.summary_epochs
    if answer.best is None:
        head = "No trial of this sweep gave a result."
    else:
        head = (
            f"**Best: {answer.best.name}**, test accuracy {percent(answer.best_accuracy)}. "
            f"Baseline {answer.baseline.name}: {percent(answer.baseline_accuracy)}."
        )
    # The links in the second line: the UI lays a veil over the third of a long description until
    # it is unfolded, through which nothing can be clicked.
    links = " · ".join(f"[{title}]({link})" for title, link in views.items())
    lines = [
        f"{head}  \n{links}" if links else head,
        "",
        f"{manifest.question}",
        "",
        f"{len(manifest.configurations)} configurations × {seeds} seeds on "
        f"{manifest.dataset['name']}; "
        f"test accuracy is the mean of epochs {first + 1} to {last}, brackets are 95 % t intervals "
        "over seeds. The best of many configurations is partly luck: compare its interval with the "
        "baseline's, and try it again on fresh seeds.",
        "",
    ]
    if len(manifest.trials) > LOADED:
        lines += [
            f"The charts of this page's links load {LOADED} of the {len(manifest.trials)} trials, "
            "those with the highest test accuracy; `chart.html` has all of them.",
            "",
        ]
    if len(manifest.configurations) < len(manifest.trials):
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
