"""The best trial: highest accuracy, then lowest loss, then first promised, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from sweeps.l2 import SWEEP
from sweeps.plan.against_baseline import BaselineDifference
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import parse
from sweeps.plan.ranking import BestSoFar, find_answer
from sweeps.record.pages.trial_page import trial_note
from sweeps.record.pages.words import note
from trainables.manifest import Manifest
from trainables.result import Interval


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    options = parse(SWEEP, "", ["--num-samples", "4", "--seeds", "2"])
    return make_manifest(*DeclaredSweep(SWEEP, options).plan())


def summary(accuracy: float, loss: float) -> dict[str, Interval]:
    return {
        "test_accuracy": Interval(accuracy, 0.1, accuracy - 0.1, accuracy + 0.1),
        "test_loss": Interval(loss, 0.1, loss - 0.1, loss + 0.1),
    }


DIVERGED = float("nan")


@pytest.mark.parametrize(
    ("numbers", "best"),
    [
        ([(0.9, 0.3), (0.95, 0.4), (0.7, 0.1), (0.8, 0.2)], 1),
        ([(0.9, 0.3), (0.9, 0.2), (0.9, 0.25), (0.8, 0.1)], 1),
        ([(0.8, 0.3), (0.9, 0.2), (0.9, 0.2), (0.9, 0.2)], 1),
        ([(DIVERGED, DIVERGED), (0.1, 2.0), (DIVERGED, DIVERGED), (0.0, 1.0)], 1),
        ([(DIVERGED, DIVERGED)] * 4, None),
    ],
)
def test_the_best_is_the_same_in_every_order(
    manifest: Manifest, numbers: list[tuple[float, float]], best: int | None
) -> None:
    keys = [trial.key for trial in manifest.trials]
    expected = None if best is None else manifest.trials[best]
    for order in permutations(range(4)):
        so_far = BestSoFar(manifest)
        for number in order:
            was = so_far.trial
            assert so_far.add(keys[number], summary(*numbers[number])) == (so_far.trial != was)
        assert so_far.trial == expected
        answer = find_answer(manifest, {keys[i]: summary(*numbers[i]) for i in order})
        assert answer.best == expected
        assert answer.baseline == manifest.trials[0]


def test_trials_without_a_summary_are_not_the_best(manifest: Manifest) -> None:
    answer = find_answer(manifest, {manifest.trials[2].key: summary(0.5, 1.0)})
    assert answer.best == manifest.trials[2]
    assert answer.best_accuracy is not None
    assert answer.best_accuracy.mean == 0.5
    assert answer.baseline_accuracy is None


def test_a_trial_with_an_exchanged_source_is_never_the_best(manifest: Manifest) -> None:
    first = manifest.trials[0]
    again = replace(first, name="again", vary=("split", "init", "order"), others="next")
    more = replace(manifest, trials=(*manifest.trials, again))
    found = {trial.key: summary(0.5, 1.0) for trial in more.trials}
    found[again.key] = summary(0.9, 0.1)
    for keys in (list(found), list(found)[::-1]):
        assert find_answer(more, {key: found[key] for key in keys}).best == first
    assert find_answer(more, {again.key: found[again.key]}).best is None


def test_a_trials_description_has_its_accuracies_and_where_its_curves_lie(
    manifest: Manifest,
) -> None:
    found = {
        "test_accuracy": Interval(0.9666, 0.01, 0.9551, 0.9781),
        "train_accuracy": Interval(0.9841, 0.01, 0.98, 0.99),
    }
    note = trial_note(manifest.trials[1], found, "part-00007")
    first, links, _, files = note.splitlines()
    assert "96.7 % [95.5, 97.8]" in first
    assert "98.4 % [98.0, 99.0]" in first
    assert "2 seeds" in first
    assert "[accuracies](/#/metric?" in links
    assert "`curves/part-00007.parquet`" in files
    assert f"`{manifest.trials[1].name}`" in files


def test_a_diverged_trials_description_says_so(manifest: Manifest) -> None:
    lost = Interval(DIVERGED, DIVERGED, DIVERGED, DIVERGED)
    text = trial_note(
        manifest.trials[1], dict.fromkeys(("test_accuracy", "train_accuracy"), lost), "p"
    )
    assert "diverged" in text.splitlines()[0]
    assert "nan" not in text


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            BaselineDifference(0.003, -0.001, 0.007),
            "cannot be told from the baseline with these seeds",
        ),
        (BaselineDifference(0.003, 0.001, 0.005), "differs from the baseline by more than luck"),
    ],
)
def test_the_description_says_in_its_first_line_whether_the_best_is_more_than_luck(
    manifest: Manifest, found: BaselineDifference, said: str
) -> None:
    by_key = {trial.key: summary(0.9, 0.3) for trial in manifest.trials}
    by_key[manifest.trials[2].key] = summary(0.95, 0.2)
    answer = find_answer(manifest, by_key)
    first = note(manifest, answer, 0, {}, {manifest.trials[2].key: found}).splitlines()[0]
    assert f"points to {manifest.baseline_trial.name}: {said}." in first
    assert "+0.30 [" in first


def test_the_description_says_when_the_best_is_the_baseline(manifest: Manifest) -> None:
    by_key = {trial.key: summary(0.9, 0.3) for trial in manifest.trials}
    text = note(manifest, find_answer(manifest, by_key), 0, {}, {})
    assert text.splitlines()[0].rstrip().endswith(": it is the baseline.")


@pytest.mark.parametrize(("trials", "told"), [("100", False), ("101", True)])
def test_the_description_says_when_the_uis_charts_do_not_load_all(trials: str, told: bool) -> None:
    options = parse(SWEEP, "", ["--num-samples", trials, "--seeds", "2"])
    manifest = make_manifest(*DeclaredSweep(SWEEP, options).plan())
    text = note(manifest, find_answer(manifest, {}), 0, {}, {})
    assert "`chart.html`" in text
    assert (f"load 100 of the {trials} trials" in text) == told


@pytest.mark.parametrize("split", ["random", "stratified"])
def test_the_description_says_how_the_data_were_split(split: str) -> None:
    options = parse(SWEEP, "", ["--num-samples", "2", "--seeds", "3", "--split", split])
    manifest = make_manifest(*DeclaredSweep(SWEEP, options).plan())
    text = note(manifest, find_answer(manifest, {}), 0, {}, {})
    assert f"2 configurations × 3 seeds on iris, {split} split; " in text
