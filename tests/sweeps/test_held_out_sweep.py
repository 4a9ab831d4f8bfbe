"""`--hold-out`: what it refuses, promises and says, and a real sweep that holds rows out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from mlflow.entities import Run

from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from support.everything import sweeps
from support.invariants import check_invariants
from support.made_once import made_once
from support.made_up_results import made_up, summaries
from support.scripts import run_script
from sweeps import l2
from sweeps.plan.command import SourceSweep
from sweeps.plan.confirmation import confirmation
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.errors import Refused
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import given, parse
from sweeps.plan.ranking import find_answer
from sweeps.plan.seeds_options import SeedsOptions, parse_seeds
from sweeps.record.pages.confirmed_note import confirmed
from sweeps.record.pages.held_out_words import on_held_out
from sweeps.record.pages.trial_page import trial_note
from sweeps.record.pages.words import note
from sweeps.record.runs.trial_runs import TrialRuns
from sweeps.seeds import SeedsSweep
from trainables import data
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import Hyperparameters
from trainables.manifest import Manifest
from trainables.result import CURVES, CV_CURVES, HELD_OUT_CURVES, TrialResult

STRATIFIED = ("--split", "stratified")


def _refusals(*flags: str) -> list[str]:
    return DeclaredSweep(l2.SWEEP, parse(l2.SWEEP, "", flags)).problems()


@pytest.mark.parametrize("share", ["1", "-0.1", "1.5", "nan", "inf", "much", ""])
def test_shares_outside_0_to_below_1_are_refused(share: str) -> None:
    (line,) = _refusals("--hold-out", share)
    assert line.startswith("--hold-out needs a number of at least 0 and below 1, got")


def test_a_share_that_leaves_too_little_or_holds_nothing_is_refused() -> None:
    (line,) = _refusals("--hold-out", "0.99")
    assert "holds out a row and leaves a row to train on and as many for the test" in line
    assert "got 0.99, which of the 150 rows of iris holds out 149 and leaves 0 and 1" in line
    (line,) = _refusals("--hold-out", "1e-13")
    assert "holds out 0 and leaves 120 and 30" in line
    (line,) = _refusals("--hold-out", "0.95", *STRATIFIED)
    assert "leaves 3 rows, one of each class, to train on" in line
    assert line.endswith("holds out 143 and leaves 5 and 2")


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_not_refused_leaves_rows_of_every_class(name: str) -> None:
    flags = ("--dataset", name, "--batch-size", "1", *STRATIFIED)
    shares = [
        share
        for share in np.arange(0.5, 1, 0.01)
        if not _refusals("--hold-out", f"{share}", *flags)
    ]
    assert 0.5 in shares
    by = Hyperparameters(dataset=name, hold_out=float(shares[-1]))
    rows = data.split(data.load(name), 0, by)
    assert set(rows.y_train) == set(rows.y_test) == set(range(DATASETS[name].classes))


def test_batches_and_folds_are_of_the_rows_that_are_left() -> None:
    assert _refusals("--hold-out", "0.2", "--batch-size", "96") == []
    (line,) = _refusals("--hold-out", "0.2", "--batch-size", "97")
    assert "at most the 96 training rows of iris" in line
    (line,) = _refusals("--hold-out", "0.2", *STRATIFIED, "--folds", "33")
    assert "from 2 to 32, so that a fold of the 96 training rows" in line


def test_without_rows_held_out_a_sweep_promises_and_says_what_it_always_has() -> None:
    flags = ("--num-samples", "4", "--seeds", "2", *STRATIFIED)
    manifest, results = made_up(l2.SWEEP, *flags)
    assert manifest.promise == "7141fbdaf9620340"  # of before there was the option
    held_out, _ = made_up(l2.SWEEP, *flags, "--hold-out", "0.2")
    assert held_out.promise != manifest.promise
    assert not {trial.key for trial in manifest.trials} & {trial.key for trial in held_out.trials}
    assert {name: manifest.dataset[name] for name in ("rows", "train", "test")} == {
        "rows": 150,
        "train": 120,
        "test": 30,
    }
    assert manifest.held_out_rows == 0
    assert TrialRuns(manifest).curves == CURVES
    assert _said(manifest, results) == ""
    older = json.loads(manifest.to_json())
    for trial in older["trials"]:
        del trial["hyperparameters"]["hold_out"]
    assert Manifest.from_json(json.dumps(older)).trials == manifest.trials


def _said(manifest: Manifest, results: Sequence[TrialResult]) -> str:
    by_seed = {
        result.trial.key: result.finals(manifest.summary_epochs)["held_out_accuracy"]
        for result in results
        if manifest.held_out_rows
    }
    return on_held_out(manifest, summaries(manifest, list(results)), by_seed)


def test_the_best_and_the_baseline_are_said_on_held_out_rows_with_their_difference() -> None:
    flags = ("--num-samples", "5", "--seeds", "4", "--epochs", "9", "--hold-out", "0.2")
    manifest, results = made_up(l2.SWEEP, *flags)
    assert manifest.held_out_rows == 30
    assert (manifest.dataset["train"], manifest.dataset["test"]) == (96, 24)
    found = summaries(manifest, results)
    # Held-out numbers take no part in who is the best.
    answer = find_answer(manifest, found)
    without = {
        key: {name: one for name, one in each.items() if "held_out" not in name}
        for key, each in found.items()
    }
    assert find_answer(manifest, without).best == answer.best
    best, baseline = answer.best, manifest.baseline_trial
    assert best is not None
    assert best != baseline
    text = _said(manifest, results)
    assert "On the 30 rows that no model of this sweep was trained on" in text
    finals = {
        each.trial: each.finals(manifest.summary_epochs)["held_out_accuracy"] for each in results
    }
    assert f"the baseline {baseline.name} {100 * finals[baseline].mean():.1f} % [" in text
    assert f"{best.name} {100 * finals[best].mean():.1f} % [" in text
    difference = 100 * (finals[best] - finals[baseline]).mean()
    assert f"{difference:+.2f} [" in text
    assert "for all 4 at once (Bonferroni)" in text
    assert text.endswith("Intervals are over seeds: of other rows they say nothing.")
    assert text in note(manifest, answer, 0, {}, {}, text)
    assert "accuracy on held-out rows" in trial_note(best, found[best.key], "p")
    page = confirmed("**Best: x**.", manifest, {}, text).split("\n\n")
    assert page[0].startswith("**On fresh seeds:**")
    assert text in page[1]


def test_a_confirmation_holds_out_the_same_rows_and_names_all_that_were_chosen() -> None:
    flags = ("--num-samples", "6", "--seeds", "3", "--epochs", "9", "--hold-out", "0.2")
    manifest, results = made_up(l2.SWEEP, *flags)
    source = SourceSweep("c" * 32, manifest, summaries(manifest, results))
    plan = confirmation(parse(l2.SWEEP, "", list(flags)), "l2", source)
    assert plan is not None
    again = make_manifest(*plan, confirms=source.run_id)
    assert {trial.hyperparameters.hold_out for trial in again.trials} == {0.2}
    assert again.held_out_rows == 30
    keys = [trial.key for trial in again.trials]
    text = _said(again, [result for result in results if result.trial.key in keys])
    assert len(keys) == 4
    for trial in again.trials:
        assert f"{trial.name} " in text


def test_a_study_of_seeds_takes_the_share_and_no_other_than_its_source_has() -> None:
    values = ("--l2", "0", "0.1", "--seeds", "2")
    (line,) = _study(*values, "--hold-out", "1").problems()
    assert line.startswith("--hold-out needs a number")
    plan = _study(*values, "--hold-out", "0.2").plan()
    assert {trial.hyperparameters.hold_out for trial in plan.trials} == {0.2}
    # The models of a sweep without were chosen by rows that this would call unseen.
    manifest, results = made_up(l2.SWEEP, "--num-samples", "3", "--seeds", "2")
    source = SourceSweep("c" * 32, manifest, summaries(manifest, results))
    with pytest.raises(Refused, match=r"--hold-out needs 0\.0, as .* got 0\.2"):
        _study("--from", source.run_id, "--hold-out", "0.2").plan(source)


def _study(*flags: str) -> SeedsSweep:
    return SeedsSweep(parse_seeds("", flags), given(flags, SeedsOptions))


# Recorded.

FLAGS = ("--num-samples", "4", "--seeds", "3", "--epochs", "40", "--folds", "2")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        flags = (*FLAGS, "--hold-out", "0.2", "--confirm", "4")
        done = run_script("sweeps/l2.py", *flags, cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / "stdout.txt").write_text(done.stdout)

    return made_once(tmp_path_factory, "held-out", make)


def _parents(folder: Path) -> tuple[Run, Run]:
    """The sweep's run and that of the sweep that confirms it."""
    found = sweeps(open_store(f"sqlite:///{folder}/mlflow.db"))
    (own,) = [run for run in found if "confirms" not in run.data.tags]
    (again,) = [run for run in found if "confirms" in run.data.tags]
    return own, again


@pytest.mark.slow
@pytest.mark.sweep
def test_a_real_sweep_records_and_says_how_its_models_do_on_rows_none_was_trained_on(
    made: Path,
) -> None:
    check_invariants(made)
    own, again = _parents(made)
    client = open_store(f"sqlite:///{made}/mlflow.db")
    printed = " ".join((made / "stdout.txt").read_text().split())
    for run, page in ((own, own), (again, own), (again, again)):
        record = load_sweep(client, None, run.info.run_id)
        assert list(record.curves.columns[4:]) == [
            *CURVES,
            *HELD_OUT_CURVES,
            *(CV_CURVES if run is own else ()),
        ]
        baseline = record.baseline
        assert baseline is not None
        mean = record.final(baseline, "held_out/accuracy").mean()
        assert f"the baseline {baseline.name} {100 * mean:.1f} %" in printed
        assert (
            "On the 30 rows that no model of this sweep was trained on"
            in (page.data.tags["mlflow.note.content"])
        )
        metrics = client.get_run(record.run_of(baseline)).data.metrics
        assert metrics["final/held_out_accuracy"] == pytest.approx(mean, rel=1e-5)
        assert {"final/held_out_accuracy_ci_low", "held_out/accuracy"} <= set(metrics)
        # From the recorded weights, by the rows that the split names.
        rows = data.split(data.load("iris"), 0, baseline.hyperparameters)
        weights = {
            name: record.parameter(baseline, name).astype(np.float64)
            for name in ("0.weight", "0.bias", "1.weight", "1.bias")
        }
        hidden = np.maximum(
            rows.x_held_out @ weights["0.weight"].swapaxes(1, 2) + weights["0.bias"][:, None], 0
        )
        scores = hidden @ weights["1.weight"].swapaxes(1, 2) + weights["1.bias"][:, None]
        right = (scores.argmax(axis=2) == rows.y_held_out).mean(axis=1)
        last = record.curve(baseline, "held_out/accuracy")[:, -1]
        np.testing.assert_allclose(right, last, atol=1e-6)
    assert printed.count("On the 30 rows that no model of this sweep was trained on") == 2
    assert "0.2 of the rows held out" in printed


@pytest.mark.slow
@pytest.mark.sweep
def test_it_is_reproduced_read_and_not_resumed_with_another_share(made: Path) -> None:
    own, _ = _parents(made)
    record = load_sweep(open_store(f"sqlite:///{made}/mlflow.db"), None, own.info.run_id)
    trial = record.run_of(record.configurations[1])
    done = run_script("sweeps/reproduce.py", trial, cwd=made)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = 3 * 40 * len([*CURVES, *HELD_OUT_CURVES, *CV_CURVES])
    assert re.search(rf"equal to the last bit: {numbers:,} numbers of curves", done.stdout)
    other = run_script("sweeps/l2.py", "--resume", own.info.run_id, "--hold-out", "0.3", cwd=made)
    assert other.returncode == 7
    assert "--hold-out 0.3 (it has 0.2)" in other.stderr
    choosing = run_script("analysis/choosing.py", cwd=made)
    assert choosing.returncode == 0, choosing.stderr
    said = " ".join(choosing.stdout.split())
    assert "On the 30 rows that no model of this sweep was trained on the baseline" in said
