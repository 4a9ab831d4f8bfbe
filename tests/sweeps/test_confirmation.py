"""A sweep's best again on fresh seeds: which, on which workers, what is said, and going on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from analysis.reading.connection import open_store
from analysis.reading.errors import NoFinishedSweep
from analysis.reading.finding import find_sweep
from analysis.reading.load_sweep import load_sweep
from support.everything import sweeps
from support.made_once import made_once
from support.made_up_results import made_up, summaries
from support.record import copy_record
from support.scripts import run_script
from sweeps import l2
from sweeps.cluster import later_packs
from sweeps.cluster.later_packs import LaterPacks
from sweeps.driver.result import SweepResult
from sweeps.plan.against_baseline import BaselineDifference
from sweeps.plan.command import SourceSweep
from sweeps.plan.confirmation import confirmation
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import parse
from sweeps.plan.ranking import best_of, find_answer
from sweeps.record.pages.confirmed_note import confirmed
from sweeps.record.pages.words import note, points
from trainables import data
from trainables.draws import Seed
from trainables.manifest import Manifest
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial

RUN = "c" * 32
SMALL = ("--num-samples", "6", "--seeds", "3", "--epochs", "40", "--confirm", "4")


def _source(*flags: str) -> SourceSweep:
    manifest, results = made_up(l2.SWEEP, "--epochs", "3", *flags)
    return SourceSweep(RUN, manifest, summaries(manifest, results))


def _confirming(source: SourceSweep, *flags: str) -> Manifest:
    plan = confirmation(parse(l2.SWEEP, "", list(flags)), "l2", source)
    assert plan is not None
    return make_manifest(*plan, confirms=RUN)


def test_the_three_best_and_the_baseline_have_seeds_that_follow_those_of_the_sweep() -> None:
    source = _source("--num-samples", "9", "--seeds", "4", "--first-seed", "20", "--hidden", "5")
    manifest = _confirming(source, "--confirm", "7")
    best = best_of(source.promised, source.summaries)[:3]
    baseline = source.promised.baseline_trial
    assert baseline not in best
    expected = [each.hyperparameters for each in (baseline, *best)]
    assert [trial.hyperparameters for trial in manifest.trials] == expected
    assert {trial.seeds for trial in manifest.trials} == {tuple(range(24, 31))}
    assert manifest.summary_epochs == source.promised.summary_epochs
    assert manifest.confirms == RUN
    assert Manifest.from_json(manifest.to_json()).confirms == RUN
    assert manifest.name == "seeds"
    assert manifest.run_name.startswith("confirm-")


def test_it_is_trained_without_folds_which_have_done_their_part() -> None:
    manifest = _confirming(_source("--folds", "3", "--seeds", "2"), "--folds", "3")
    assert {trial.folds for trial in manifest.trials} == {0}
    assert {len(trial.seeds) for trial in manifest.trials} == {30}


def test_of_one_configuration_and_of_none_with_a_result_there_is_nothing_to_confirm() -> None:
    options = parse(l2.SWEEP, "", [])
    assert confirmation(options, "l2", _source("--num-samples", "1")) is None
    assert confirmation(options, "l2", _source()._replace(summaries={})) is None


def test_the_page_says_first_what_fresh_seeds_say_and_keeps_its_links_in_line_two() -> None:
    manifest = _confirming(_source("--seeds", "2"))
    baseline, first, *_, last = manifest.trials
    found = {first.key: BaselineDifference(0.001, -0.002, 0.004)}
    old = "**Best: x**, +0.9 points.  \n[Charts](#/a) · [Table](#/b)\n\nA question."
    once = confirmed(old, manifest, found)
    lines = once.split("\n")
    assert lines[0].startswith(
        f"**On fresh seeds:** {first.name} +0.10 [-0.20, +0.40] points to {baseline.name}, cannot "
    )
    # Two lines of a narrow page: the UI lays a veil over the fourth, and over links there.
    assert len(lines[0]) < 160
    assert lines[1] == "[Charts](#/a) · [Table](#/b)"
    assert "30 seeds (2 to 31) that had no part in the choice" in lines[3]
    assert f"{last.name} has no result" in lines[3]
    assert lines[5] == _chosen("**Best: x**, +0.9 points.")
    assert once.endswith("\n\nA question.")
    later = {first.key: BaselineDifference(0.01, 0.002, 0.014)}
    assert confirmed(once, manifest, later).split("\n")[1:] == lines[1:]
    assert "+1.00" in confirmed(once, manifest, later).split("\n")[0]
    without = confirmed("**Best: x**.\n\nA question.", manifest, found).split("\n")
    assert without[2:] == [lines[3], "", _chosen("**Best: x**."), "", "A question."]


def test_a_study_of_fresh_seeds_does_not_say_that_its_best_is_luck() -> None:
    source = _source("--seeds", "2")
    own = source.promised
    assert "partly luck" in note(own, find_answer(own, source.summaries), 0, {}, {})
    manifest = _confirming(source)
    assert "partly luck" not in note(manifest, find_answer(manifest, {}), 0, {}, {})


def _chosen(text: str) -> str:
    return f"Chosen on the seeds of this sweep, which flatters it: {text}"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Sequence[Sequence[Trial]]]]:
    notes: list[Sequence[Sequence[Sequence[Trial]]]] = []
    monkeypatch.setattr(later_packs, "write_note", lambda _, shares: notes.append(shares))
    return notes


def test_workers_are_told_once_all_packs_are_over_and_it_is_known_what_follows(
    written: list[Sequence[Sequence[Sequence[Trial]]]],
) -> None:
    trials = list(made_up(l2.SWEEP, "--num-samples", "3", "--seeds", "1")[0].trials)
    answers: list[list[list[Trial]] | None] = [None, [[each] for each in trials]]
    later = LaterPacks(2, lambda: answers.pop(0))
    later.look(2, {0: "TERMINATED", 1: "RUNNING", 2: "RUNNING"})
    later.look(3, {0: "TERMINATED", 1: "ERROR"})  # Tune does not know of the third yet
    assert len(answers) == 2
    over = {0: "TERMINATED", 1: "ERROR", 2: "RUNNING", 3: "RUNNING"}
    later.look(2, over)
    assert written == []
    later.look(2, over)
    later.look(2, over)
    assert written == [[[[trials[0]], [trials[2]]], [[trials[1]]]]]
    assert later.asked
    later.failed(1, "died")
    assert later.failures == [([trials[1]], "died")]


def test_waiting_workers_give_way_to_a_pack_that_is_repeated(
    written: list[Sequence[Sequence[Sequence[Trial]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = LaterPacks(2, lambda: pytest.fail("not all packs are over"))
    now = [100.0]
    monkeypatch.setattr("sweeps.cluster.later_packs.time.monotonic", lambda: now[0])
    blocked = {0: "TERMINATED", 1: "PENDING", 2: "RUNNING", 3: "RUNNING"}
    later.look(2, blocked)
    now[0] += 1
    later.look(2, {**blocked, 1: "RUNNING"})  # it was only between two of them
    now[0] += 9
    later.look(2, blocked)
    assert written == []
    now[0] += 3
    later.look(2, blocked)
    assert written == [[[], []]]
    assert not later.asked


# Recorded.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        done = run_script("sweeps/l2.py", *SMALL, cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / "stdout.txt").write_text(done.stdout)

    return made_once(tmp_path_factory, "confirmed", make)


def _client(folder: Path) -> MlflowClient:
    return open_store(f"sqlite:///{folder}/mlflow.db")


def _parents(folder: Path) -> tuple[Run, Run]:
    """The sweep's run and that of the sweep that confirms it."""
    found = sweeps(_client(folder))
    (own,) = [run for run in found if "confirms" not in run.data.tags]
    (again,) = [run for run in found if "confirms" in run.data.tags]
    return own, again


@pytest.mark.slow
@pytest.mark.sweep
def test_the_gain_that_is_reported_is_that_of_models_with_fresh_seeds(made: Path) -> None:
    own, again = _parents(made)
    assert again.data.tags["confirms"] == again.data.tags["from"] == own.info.run_id
    assert own.data.tags["confirmed_by"] == again.info.run_id
    assert again.info.experiment_id == own.info.experiment_id
    assert again.info.status == own.info.status == "FINISHED"
    record = load_sweep(_client(made), None, again.info.run_id)
    base, first = record.configurations[:2]
    assert first.seeds == (3, 4, 5, 6)
    models = [
        [Model(each.hyperparameters, Seed.of(seed)) for seed in each.seeds]
        for each in (base, first)
    ]
    window = record.manifest.summary_epochs
    means = [
        train_pack(pack, data.load("iris")).curves["test/accuracy"][:, window.start : window.stop]
        for pack in models
    ]
    gain = 100 * float(means[1].astype(float).mean() - means[0].astype(float).mean())
    printed = (made / "stdout.txt").read_text()
    fresh = printed[printed.index("on seeds that it never saw?") :]
    (row,) = [line for line in fresh.splitlines() if re.match(rf" +{first.name} .*%", line)]
    assert points(BaselineDifference(gain / 100)) in row
    assert "4 seeds, 3 to 6, that had no part in the choice" in " ".join(fresh.split())
    assert "partly luck" not in printed
    chosen = printed[: printed.index("on seeds that it never saw?")]
    assert "which flatters them" in " ".join(chosen.split())
    page = own.data.tags["mlflow.note.content"].splitlines()
    assert page[0].startswith("**On fresh seeds:**")
    assert f"{first.name} {points(BaselineDifference(gain / 100))}" in page[0]
    assert page[1].startswith("[")


@pytest.mark.slow
@pytest.mark.sweep
def test_it_is_nobodys_newest_study_of_seeds_and_is_found_from_its_sweep(
    made: Path, tmp_path: Path
) -> None:
    own, again = _parents(made)
    client = _client(made)
    assert find_sweep(client, "l2").run.info.run_id == own.info.run_id
    with pytest.raises(NoFinishedSweep):
        find_sweep(client, "seeds")
    result = SweepResult(own.info.run_id, f"sqlite:///{made}/mlflow.db")
    assert result.confirmed is not None
    assert result.confirmed.run_id == again.info.run_id
    assert result.confirmed.confirmed is None
    done = run_script("analysis/l2.py", cwd=_copy(made, tmp_path))
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    done = run_script("sweeps/remove.py", own.info.run_id, "--dry-run", cwd=tmp_path / "copy")
    assert again.info.run_name in done.stdout
    assert "warning" not in done.stdout
    assert f"On 4 fresh seeds, 3 to 6 (run {again.info.run_id[:8]}), minus l2=0.000000" in said


def _copy(made: Path, folder: Path) -> Path:
    copy_record(made, folder / "copy")
    return folder / "copy"


@pytest.mark.sweep
@pytest.mark.slow
def test_lost_on_the_way_it_is_completed_with_the_same_numbers(made: Path, tmp_path: Path) -> None:
    folder = _copy(made, tmp_path)
    own, again = _parents(folder)
    client = _client(folder)
    before = _finals(client, again)
    client.delete_run(again.info.run_id)
    done = run_script("sweeps/l2.py", "--resume", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "on seeds that it never saw?" in done.stdout
    fresh_own, fresh = _parents(folder)
    assert fresh_own.info.run_id == own.info.run_id
    assert fresh.info.run_id != again.info.run_id
    pd.testing.assert_frame_equal(_finals(client, fresh), before)
    done = run_script("sweeps/l2.py", "--resume", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"tried on fresh seeds before: {fresh.info.run_name}" in done.stdout
    assert len(sweeps(client)) == 2


@pytest.mark.sweep
@pytest.mark.slow
def test_killed_half_way_it_goes_on_in_its_own_run(made: Path, tmp_path: Path) -> None:
    folder = _copy(made, tmp_path)
    own, again = _parents(folder)
    client = _client(folder)
    before = _finals(client, again)
    first = client.search_runs(
        [again.info.experiment_id], f"tags.sweep = '{again.info.run_name}' AND tags.kind = 'trial'"
    )[0]
    client.delete_run(first.info.run_id)
    client.set_terminated(again.info.run_id, "KILLED")
    done = run_script("sweeps/l2.py", "--resume", own.info.run_id, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert _parents(folder)[1].info.run_id == again.info.run_id
    pd.testing.assert_frame_equal(_finals(client, again), before)


def _finals(client: MlflowClient, run: Run) -> pd.DataFrame:
    record = load_sweep(client, None, run.info.run_id)
    return record.trials.drop(columns="run_id")
