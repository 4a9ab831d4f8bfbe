"""What `reading.load_sweep` reads from a store, what it refuses, and that it leaves no trace."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from analysis.reading.errors import INCOMPLETE, STORE, Stop
from support.record_fixture import Faults, Recorded, copy_runs, made_up_sweep, new_store
from support.small_record import NAMES, POINTS, load, refusal, write
from trainables.result import CURVES


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_store(tmp_path)


@pytest.fixture
def sweep() -> list[Recorded]:
    return made_up_sweep(["l2"], POINTS)


def test_tables_hold_what_was_recorded(uri: str, sweep: list[Recorded]) -> None:
    run_id = write(uri, sweep)
    record = load(uri)
    assert record.run_id == run_id
    assert record.partial is None
    assert record.warnings == ()
    assert list(record.trials["config"]) == NAMES
    assert list(record.trials["l2"]) == [0.0, 0.01, 0.02, 0.1]
    assert record.baseline == sweep[0].trial
    for one in sweep:
        for metric in CURVES:
            assert np.array_equal(record.curve(one.trial, metric), one.curves[metric])
        for name, values in one.weights.items():
            assert np.array_equal(record.parameter(one.trial, name), values)
        child = MlflowClient(uri).get_run(record.run_of(one.trial))
        assert child.info.run_name == one.trial.name


def test_final_is_the_mean_of_the_summary_epochs(uri: str, sweep: list[Recorded]) -> None:
    write(uri, sweep)
    found = load(uri).final(sweep[1].trial, "test/accuracy")
    # The manifest of 40 epochs says [20, 38].
    expected = sweep[1].curves["test/accuracy"][:, 20:38].astype(np.float64).mean(axis=1)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (Faults(unrecorded=[NAMES[2]]), "not recorded"),
        (Faults(failed=[NAMES[2]]), "failed: worker died"),
        (Faults(running=[NAMES[2]]), "running"),
        (Faults(deleted=[NAMES[2]]), "deleted"),
        (Faults(torn=[NAMES[2]]), "curves without all 40 epochs for seed 2"),
    ],
)
def test_incomplete_sweep(uri: str, sweep: list[Recorded], faults: Faults, reason: str) -> None:
    write(uri, sweep, faults=faults)
    stop = refusal(uri)
    assert stop.code == INCOMPLETE
    assert f"lacks 1 of 4 trials: {NAMES[2]} ({reason})" in str(stop)
    assert "--allow-partial" in str(stop)
    record = load(uri, allow_partial=True)
    assert record.partial == "partial: 1 of 4 trials missing"
    left = [sweep[0], sweep[1], sweep[3]]
    assert record.usable == tuple(one.trial for one in left)
    for one in left:
        assert np.array_equal(record.curve(one.trial, "train/loss"), one.curves["train/loss"])


def test_many_missing_trials_are_counted(uri: str) -> None:
    sweep = made_up_sweep(["l2"], [{"l2": number / 1000} for number in range(30)], 1, 4)
    write(uri, sweep, faults=Faults(unrecorded=[one.trial.name for one in sweep[5:]]))
    assert "l2=0.005000 (not recorded)" in str(refusal(uri))
    assert "and 17 more" in str(refusal(uri))


def test_nothing_usable_stops_in_spite_of_allow_partial(uri: str, sweep: list[Recorded]) -> None:
    write(uri, sweep, faults=Faults(failed=NAMES))
    with pytest.raises(Stop, match="no complete trial"):
        load(uri, allow_partial=True)


@pytest.mark.parametrize("faults", [Faults(twice_rows=NAMES[:2]), Faults(twice_in_file=NAMES[:2])])
def test_repeated_rows_count_once(uri: str, sweep: list[Recorded], faults: Faults) -> None:
    write(uri, sweep, faults=faults)
    record = load(uri)
    assert len(record.curves) == 4 * 3 * 40
    assert np.array_equal(
        record.curve(sweep[1].trial, "test/accuracy"), sweep[1].curves["test/accuracy"]
    )
    assert np.array_equal(record.parameter(sweep[1].trial, "0.bias"), sweep[1].weights["0.bias"])


def test_contradicting_rows_are_refused(uri: str, sweep: list[Recorded]) -> None:
    write(uri, sweep, faults=Faults(conflicting=[NAMES[1]]))
    stop = refusal(uri)
    assert stop.code == STORE
    assert f"{NAMES[1]} is recorded twice with different numbers" in str(stop)


def test_duplicated_run_is_told_and_counted_once(uri: str, sweep: list[Recorded]) -> None:
    write(uri, sweep, faults=Faults(twice_run=[NAMES[1]]))
    record = load(uri)
    assert record.warnings == (
        f"{NAMES[1]} has 2 finished runs, expected 1; its rows are counted once",
    )
    assert len(record.trials) == 4


@pytest.mark.slow
def test_2500_child_runs_are_all_read(uri: str) -> None:
    """More than two of MLflow's pages; and one deleted run among them is found and named."""
    sweep = made_up_sweep(["l2"], [{"l2": number / 10000} for number in range(2500)], 1, 4)
    write(uri, sweep, faults=Faults(no_run=[one.trial.name for one in sweep[1:]]))
    stop = refusal(uri)
    assert stop.code == INCOMPLETE
    assert "lacks 2499 of 2500 trials" in str(stop)
    copy_runs(uri, sweep[0], sweep[1:])
    record = load(uri)
    assert list(record.trials["trial_key"]) == [one.trial.key for one in sweep]
    assert record.trials["run_id"].nunique() == 2500
    assert len(record.curves) == 2500 * 4
    MlflowClient(uri).delete_run(record.run_of(sweep[2400].trial))
    assert "lacks 1 of 2500 trials: l2=0.240000 (deleted)" in str(refusal(uri))


def test_running_sweep_is_named_with_what_to_do(uri: str, sweep: list[Recorded]) -> None:
    faults = Faults(unrecorded=NAMES[3:], running=NAMES[2:3])
    run_id = write(uri, sweep, run_name="l2-now", status="RUNNING", faults=faults)
    stop = refusal(uri, run_id)
    assert stop.code == INCOMPLETE
    assert "sweep l2-now is still RUNNING and lacks 2 of 4 trials" in str(stop)
    assert f"{NAMES[2]} (running), {NAMES[3]} (not recorded)" in str(stop)
    assert "wait for it, or" in str(stop)
    assert f"python sweeps/l2.py --resume {run_id}" in str(stop)
    assert "--allow-partial" in str(stop)
    record = load(uri, run_id, allow_partial=True)
    assert record.partial == "partial: 2 of 4 trials missing"
    assert record.warnings == ("sweep l2-now is still RUNNING; this is what it has so far",)


def test_sweep_that_has_just_begun(uri: str, sweep: list[Recorded]) -> None:
    run_id = write(uri, sweep, status="RUNNING", faults=Faults(unrecorded=NAMES))
    assert "lacks 4 of 4 trials" in str(refusal(uri, run_id))
    with pytest.raises(Stop, match="no complete trial"):
        load(uri, run_id, allow_partial=True)


def test_failed_trials_are_tried_again_by_the_command(uri: str, sweep: list[Recorded]) -> None:
    run_id = write(uri, sweep, faults=Faults(failed=NAMES[1:2]))
    assert f"python sweeps/l2.py --resume {run_id} --retry-failed" in str(refusal(uri))


def test_runs_that_nobody_promised_are_named(uri: str, sweep: list[Recorded]) -> None:
    run_id = write(uri, sweep)
    (stranger,) = made_up_sweep(["l2"], [{"l2": 0.05}])
    copy_runs(uri, sweep[0], [stranger])
    (warning,) = load(uri, run_id).warnings
    assert "1 run belongs to no promised trial" in warning


def test_rows_of_one_trial_may_lie_in_several_files(
    uri: str, sweep: list[Recorded], tmp_path: Path
) -> None:
    write(uri, sweep)
    file = min(tmp_path.rglob("curves/*.parquet"))
    rows = pd.read_parquet(file).sample(frac=1, random_state=0)
    rows.iloc[:100].to_parquet(file)
    rows.iloc[60:].to_parquet(file.with_name("more.parquet"))
    record = load(uri)
    for one in sweep:
        for metric in CURVES:
            assert np.array_equal(record.curve(one.trial, metric), one.curves[metric])


def test_files_without_a_column_are_refused(
    uri: str, sweep: list[Recorded], tmp_path: Path
) -> None:
    write(uri, sweep)
    file = max(tmp_path.rglob("curves/*.parquet"))
    pd.read_parquet(file).drop(columns="test/loss").to_parquet(file)
    stop = refusal(uri)
    assert stop.code == STORE
    assert f"{file.name} lacks the columns ['test/loss']" in str(stop)


def test_parameters_that_are_not_recorded_stop(uri: str, sweep: list[Recorded]) -> None:
    write(uri, sweep)
    with pytest.raises(Stop, match=r"has no recorded 7\.weight"):
        load(uri).parameter(sweep[0].trial, "7.weight")


def test_reading_changes_nothing(uri: str, sweep: list[Recorded], tmp_path: Path) -> None:
    write(uri, sweep)

    def state() -> dict[str, str]:
        files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    before = state()
    load(uri)
    assert state() == before


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": 2}, "has record format 2, this program reads formats up to 1: upgrade"),
        ({"summary_epochs": [20, 41]}, "not within 40 epochs"),
        ({"axes": [{"field": "l2"}]}, "lacks the fields decimals, high, label, log, low"),
    ],
)
def test_foreign_manifest_is_refused(
    uri: str, sweep: list[Recorded], change: dict[str, object], text: str
) -> None:
    write(uri, sweep, changes=change)
    stop = refusal(uri)
    assert stop.code == STORE
    assert text in str(stop)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-9], lambda text: text.replace("0.1", "0.2")]
)
def test_changed_manifest_is_refused(
    uri: str, sweep: list[Recorded], tmp_path: Path, change: Callable[[str], str]
) -> None:
    write(uri, sweep)
    (file,) = tmp_path.rglob("sweep.json")
    file.write_text(change(file.read_text()))
    for allow_partial in (False, True):
        with pytest.raises(
            Stop, match=r"sweep\.json of l2-.* is not the one that the sweep wrote"
        ) as caught:
            load(uri, allow_partial=allow_partial)
        assert caught.value.code == STORE


def test_sweep_without_the_manifests_tag_is_read(uri: str, sweep: list[Recorded]) -> None:
    MlflowClient(uri).delete_tag(write(uri, sweep), "manifest.sha256")
    assert load(uri).partial is None


def test_lost_artifacts_are_one_line(uri: str, sweep: list[Recorded], tmp_path: Path) -> None:
    write(uri, sweep)
    (tmp_path / "artifacts").rename(tmp_path / "elsewhere")
    assert refusal(uri).code == STORE
