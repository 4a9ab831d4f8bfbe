"""`--folds`: what it refuses, what it promises, and a real sweep whose best is chosen by folds."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.invariants import check_invariants
from support.made_up_results import made_up, summaries
from support.record import Record, read_record
from support.scripts import ROOT, run_script
from sweeps import batch_size, l2
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import parse
from sweeps.plan.packs import form_packs
from sweeps.plan.ranking import find_answer
from sweeps.plan.sweep import Sweep
from sweeps.record.pages.best_model import best_seed
from sweeps.record.pages.trial_page import trial_note
from sweeps.record.pages.words import note
from sweeps.record.runs.finished_run import spread
from sweeps.record.runs.tables import curves_table, results_from_tables, weights_table
from sweeps.record.store.recorded_sweep import summary_of
from trainables.manifest import Manifest
from trainables.result import CURVES, CV_CURVES, Interval


def _manifest(*flags: str, sweep: Sweep = l2.SWEEP) -> Manifest:
    options = parse(sweep, "", flags)
    return make_manifest(*DeclaredSweep(sweep, options).plan())


def _refusals(*flags: str, sweep: Sweep = l2.SWEEP) -> list[str]:
    return DeclaredSweep(sweep, parse(sweep, "", flags)).problems()


@pytest.mark.parametrize("folds", ["1", "-2", "121", "2.5", "some", "0.0", ""])
def test_bad_numbers_of_folds_are_refused(folds: str) -> None:
    (line,) = _refusals("--folds", folds)
    needs = r"--folds needs 0 \(none\) or .* from 2 to 120, so that a fold .* has a row, got"
    assert re.match(needs, line)


def test_folds_of_a_stratified_split_have_room_for_every_class() -> None:
    by_class = ("--split", "stratified", "--folds")
    (line,) = _refusals(*by_class, "41")
    assert "from 2 to 40" in line
    assert line.endswith("has at least as many rows as there are classes, got 41")
    assert _refusals(*by_class, "40") == _refusals("--folds", "120") == []


def test_folds_that_leave_less_than_a_batch_are_refused_with_all_other_errors() -> None:
    flags = ("--folds", "2", "--batch-size", "61", "--epochs", "0", "--seeds", "0")
    lines = _refusals(*flags)
    assert len(lines) == 3
    assert "--folds needs to leave the 61 rows of a batch" in lines[-1]
    assert "leaves 60 of the 120 training rows of iris, got 2" in lines[-1]
    (line,) = _refusals("--folds", "2", sweep=batch_size.SWEEP)
    assert "needs to leave the 64 rows" in line
    assert _manifest("--folds", "3", sweep=batch_size.SWEEP).folds == 3


def test_a_sweep_without_folds_promises_what_it_always_has() -> None:
    # As recorded before there were folds: without a word of them a sweep can still be resumed.
    manifest = _manifest("--num-samples", "4", "--seeds", "2", "--split", "stratified")
    assert manifest.promise == "7141fbdaf9620340"
    assert "folds" not in json.dumps([trial.as_dict() for trial in manifest.trials])
    old = json.loads(manifest.to_json())
    del old["options"]["folds"]
    assert Manifest.from_json(json.dumps(old)).promise == manifest.promise


def test_folds_are_part_of_the_promise_and_of_sweep_json_but_not_of_keys() -> None:
    flags = ("--num-samples", "4", "--seeds", "2")
    plain, three, five = (_manifest(*flags, "--folds", folds) for folds in ("0", "3", "5"))
    assert len({each.promise for each in (plain, three, five)}) == 3
    assert [trial.key for trial in plain.trials] == [trial.key for trial in five.trials]
    assert plain.baseline == five.baseline
    again = Manifest.from_json(five.to_json())
    assert again.trials == five.trials
    assert (again.folds, again.promise) == (5, five.promise)


def test_fold_models_count_when_work_is_shared_out() -> None:
    trials = _manifest("--num-samples", "12", "--epochs", "4000").trials
    folded = _manifest("--num-samples", "12", "--epochs", "4000", "--folds", "9").trials
    assert len(form_packs(folded, 1, None)) > len(form_packs(trials, 1, None))


def test_the_best_is_chosen_on_folds_and_the_words_say_so() -> None:
    manifest, results = made_up(l2.SWEEP, "--num-samples", "6", "--seeds", "3", "--folds", "4")
    found = summaries(manifest, results)
    by_folds = max(manifest.trials, key=lambda trial: found[trial.key]["cv_accuracy"].mean)
    by_test = max(manifest.trials, key=lambda trial: found[trial.key]["test_accuracy"].mean)
    assert by_folds != by_test
    answer = find_answer(manifest, found)
    assert answer.best == by_folds
    assert answer.best_cv == found[by_folds.key]["cv_accuracy"]
    text = note(manifest, answer, 0, {}, {})
    assert f"**Best: {by_folds.name}**" in text
    assert "chosen by 4-fold cross-validation on each seed's training rows" in text
    assert "with none of the seeds did the choice see that seed's test rows" in text
    assert "cross-validated accuracy" in trial_note(by_folds, found[by_folds.key], "p")
    without, _ = made_up(l2.SWEEP, "--num-samples", "6", "--seeds", "3")
    best = find_answer(without, found).best
    assert best is not None
    assert best.name == by_test.name


def test_a_lost_fold_or_own_model_keeps_a_trial_from_being_the_best() -> None:
    manifest, results = made_up(l2.SWEEP, "--num-samples", "3", "--seeds", "2", "--folds", "4")
    for name in CV_CURVES:
        results[0].trained.curves[name][0, 5:] = math.nan
    for name in CURVES:
        results[1].trained.curves[name][1, 5:] = math.nan
    assert find_answer(manifest, summaries(manifest, results)).best == manifest.trials[2]


def test_the_best_seeds_model_is_chosen_without_the_test_rows() -> None:
    manifest, (result, *_) = made_up(l2.SWEEP, "--num-samples", "2", "--seeds", "5", "--folds", "4")
    window = manifest.summary_epochs
    finals = result.finals(window)
    assert best_seed(result, window, "cv") == finals["cv_accuracy"].argmax()
    assert best_seed(result, window, "test") == finals["test_accuracy"].argmax()
    assert finals["cv_accuracy"].argmax() != finals["test_accuracy"].argmax()


def test_tables_and_summaries_with_folds_are_read_back_as_they_were() -> None:
    manifest, results = made_up(l2.SWEEP, "--num-samples", "3", "--seeds", "2", "--folds", "4")
    found = results_from_tables(curves_table(results), weights_table(results), manifest.trials)
    for one, other in zip(found, results, strict=True):
        assert one.trial == other.trial
        assert list(one.trained.curves) == [*CURVES, *CV_CURVES]
        for name, values in other.trained.curves.items():
            assert np.array_equal(one.trained.curves[name], values)
    lost = {"cv_accuracy": Interval(math.nan, None, None, None)}
    metrics = {f"final/{name}": value for name, value in spread(lost)}
    assert math.isnan(summary_of(metrics, (*CURVES, *CV_CURVES))["cv_accuracy"].mean)
    assert "cv_accuracy" not in summary_of(metrics, CURVES)


FLAGS = ("--num-samples", "3", "--seeds", "2", "--epochs", "30", "--folds", "4")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A real sweep with folds."""
    folder = tmp_path_factory.mktemp("folds")
    done = run_script("sweeps/l2.py", *FLAGS, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return read_record(folder)


@pytest.mark.slow
@pytest.mark.sweep
def test_a_real_sweep_records_and_chooses_by_its_folds(recorded: Record) -> None:
    check_invariants(recorded.folder)
    parent, printed = recorded.parent, (recorded.folder / "stdout.txt").read_text()
    finals = {run.info.run_name: run.data.metrics for run in recorded.trials}
    best = max(finals.values(), key=lambda m: (m["final/cv_accuracy"], -m["final/cv_loss"]))
    assert parent.data.metrics["best/cv_accuracy"] == best["final/cv_accuracy"]
    assert {"final/cv_loss", "final/cv_accuracy_ci_high", "cv/accuracy"} <= set(best)
    assert f"python {ROOT}/sweeps/seeds.py --from {parent.info.run_id} --top 1" in printed
    assert "chosen by 4-fold cross-validation" in " ".join(printed.split())
    rows = pd.read_csv(recorded.artifact("results.csv"))
    assert {"cv_accuracy", "cv_accuracy_std", "cv_loss_ci_low"} <= set(rows)
    assert {"cv/accuracy", "cv/loss"} <= set(recorded.table("curves"))
    (model,) = recorded.client.search_logged_models([parent.info.experiment_id])
    stored = Path(model.artifact_location.removeprefix("file://"), "MLmodel").read_text()
    assert "chosen by 4-fold cross-validation" in " ".join(stored.split())


@pytest.mark.slow
@pytest.mark.sweep
def test_a_trial_with_folds_is_reproduced_and_other_folds_do_not_resume_it(
    recorded: Record,
) -> None:
    run = recorded.trials[0]
    done = run_script("sweeps/reproduce.py", run.info.run_id, cwd=recorded.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = 2 * 30 * len([*CURVES, *CV_CURVES])
    assert f"equal to the last bit: {numbers:,} numbers of curves" in done.stdout
    again = run_script("sweeps/l2.py", "--resume", "--folds", "5", cwd=recorded.folder)
    assert again.returncode == 7
    assert "--folds 5 (it has 4)" in again.stderr
