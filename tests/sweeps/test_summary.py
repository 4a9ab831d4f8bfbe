"""What a sweep prints at its end: a table that is whole, its verdicts, commands that work."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from support.at_terminal import PASTED
from support.made_up_results import diverge, made_up, summaries
from sweeps import elastic_net, l2
from sweeps.driver.final_report import print_report
from sweeps.driver.outcome import Done, Outcome
from sweeps.driver.summary import verdicts
from sweeps.plan.against_baseline import BaselineDifference, differences
from sweeps.plan.ranking import best_of, shown
from sweeps.plan.sweep import Sweep
from sweeps.record.messages import Begun, Closed
from trainables.manifest import Manifest
from trainables.record_format import Curve
from trainables.result import TrialResult

URI = "sqlite:////somewhere/mlflow.db"


def _outcome(manifest: Manifest, results: Sequence[TrialResult]) -> Outcome:
    """A sweep that has ended well, with accuracies of 90 to 100 %."""
    for result in results:
        for name, drawn in result.trained.curves.items():
            if "accuracy" in name:
                drawn[:] = 0.9 + 0.1 * drawn
    found = summaries(manifest, list(results))
    curve = Curve.accuracy("cv" if manifest.folds else "test")
    values = {one.trial.key: one.final(curve, manifest.summary_epochs) for one in results}
    closed = Closed([], {}, {}, differences=differences(manifest, values, shown(manifest, found)))
    return Outcome(manifest, URI, Begun("1" * 32, "1"), closed, found, [], None)


@pytest.mark.parametrize(
    ("sweep", "flags"),
    [
        (l2.SWEEP, ("--seeds", "3")),
        (l2.SWEEP, ("--seeds", "1")),
        (l2.SWEEP, ("--seeds", "3", "--folds", "4")),
        (l2.SWEEP, ("--seeds", "30", "--num-samples", "1000")),
        (elastic_net.SWEEP, ("--seeds", "3")),
        (elastic_net.SWEEP, ("--seeds", "3", "--num-samples", "4")),
    ],
    ids=lambda value: value.name if isinstance(value, Sweep) else " ".join(value),
)
def test_no_line_is_wider_than_80_columns_and_no_cell_is_cut(
    sweep: Sweep, flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, results = made_up(sweep, *flags, "--epochs", "3")
    outcome = _outcome(manifest, results)
    print_report(Done(outcome), outcome.uri)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line.rstrip()) > 80 and not PASTED.match(line)] == []
    assert "…" not in "".join(lines)
    text = " ".join(" ".join(lines).split())
    for trial in shown(manifest, outcome.summaries):
        assert all(value in text for value in trial.name.split())


def test_of_many_configurations_the_best_three_and_the_baseline_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest, results = made_up(l2.SWEEP, "--num-samples", "40", "--seeds", "3", "--epochs", "3")
    outcome = _outcome(manifest, results)
    print_report(Done(outcome), outcome.uri)
    printed = capsys.readouterr().out
    best = best_of(manifest, outcome.summaries)
    assert manifest.baseline_trial not in best[:3]
    for place, trial in zip(("best", "2nd", "3rd"), best, strict=False):
        assert re.search(rf"^{place} +{trial.name} .* % \[.*\] .*[+-]\d", printed, re.MULTILINE)
    assert re.search(rf"^baseline +{manifest.baseline_trial.name} ", printed, re.MULTILINE)
    assert best[3].name not in printed
    assert "intervals for all 39 at once (Bonferroni)" in " ".join(printed.split())
    assert "cannot be told from the baseline with these seeds: " in printed


def test_a_configuration_that_diverged_has_no_difference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest, results = made_up(l2.SWEEP, "--num-samples", "4", "--seeds", "3", "--epochs", "3")
    diverge(results[2], model=1, epoch=1)
    print_report(Done(_outcome(manifest, results)), URI)
    printed = capsys.readouterr().out
    (row,) = [line for line in printed.splitlines() if manifest.trials[2].name in line]
    assert row.split() == [manifest.trials[2].name, "diverged", "diverged"]


def test_a_verdict_is_followed_by_all_configurations_that_have_it() -> None:
    manifest, _ = made_up(l2.SWEEP, "--num-samples", "5", "--seeds", "2", "--epochs", "3")
    baseline, a, b, c, d = manifest.trials
    found = {
        a.key: BaselineDifference(-0.02, -0.03, -0.01),
        b.key: BaselineDifference(0.001, -0.01, 0.012),
        c.key: BaselineDifference(-0.04, -0.05, -0.03),
        d.key: BaselineDifference(0.02, 0.01, 0.03),
    }
    assert verdicts([baseline, a, b, c, d], found) == [
        f"differs from the baseline by more than luck, lower: {a.name}, {c.name}",
        f"cannot be told from the baseline with these seeds: {b.name}",
        f"differs from the baseline by more than luck, higher: {d.name}",
    ]
