"""Which sweep is read, and what is said when it is not there, unfinished or deleted."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from mlflow import MlflowClient

from analysis.reading.errors import BAD_INPUT, INCOMPLETE
from support.record_fixture import Faults, Recorded, made_up_sweep, new_store, write_sweep
from support.small_record import NAMES, POINTS, load, refusal, write


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_store(tmp_path)


@pytest.fixture
def sweep() -> list[Recorded]:
    return made_up_sweep(["l2"], POINTS)


def test_newest_finished_sweep_wherever_it_is(uri: str, sweep: list[Recorded]) -> None:
    old = write(uri, sweep, run_name="l2-old")
    new = write(uri, sweep, run_name="l2-new", experiment="another name")
    write(uri, sweep, run_name="l2-killed", status="KILLED")
    assert load(uri).run_id == new
    assert load(uri, old).run_id == old


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("KILLED", "complete it with python sweeps/l2.py --resume"),
        ("RUNNING", "wait for it, or, if its process is gone, resume it with python sweeps/l2.py"),
    ],
)
def test_unfinished_sweep_is_named_with_the_way_to_it(
    uri: str, sweep: list[Recorded], status: str, advice: str
) -> None:
    run_id = write(uri, sweep, run_name="l2-begun", status=status)
    stop = refusal(uri)
    assert stop.code == INCOMPLETE
    assert f"l2-begun, is {status}: {advice}" in str(stop)
    assert f"--resume {run_id} --tracking-uri {uri}, or give --sweep {run_id}" in str(stop)
    assert load(uri, run_id).run_id == load(uri, allow_partial=True).run_id == run_id


def test_commands_in_messages_need_no_flag_for_the_default_store(
    uri: str, sweep: list[Recorded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = write(uri, sweep, faults=Faults(unrecorded=NAMES[1:2]))
    assert f"--resume {run_id}, or give --allow-partial" in str(refusal(uri))
    monkeypatch.chdir("/")
    assert f"--resume {run_id} --tracking-uri {uri}, or give" in str(refusal(uri))


def test_deleted_sweep_is_read_only_when_told_to(uri: str, sweep: list[Recorded]) -> None:
    run_id = write(uri, sweep, run_name="l2-gone")
    client = MlflowClient(uri)
    children = [load(uri).run_of(one.trial) for one in sweep]
    for each in (run_id, *children):
        client.delete_run(each)
    stop = refusal(uri, run_id)
    assert stop.code == INCOMPLETE
    restore = f"sweep l2-gone is deleted: restore it with mlflow runs restore --run-id {run_id}"
    assert restore in str(stop)
    assert "--run-id" in str(refusal(uri)), "the newest is named when there is no other"
    record = load(uri, run_id, allow_partial=True)
    assert record.warnings == (restore,)
    assert len(record.usable) == 4


def test_no_such_sweep_names_the_command(uri: str) -> None:
    stop = refusal(uri)
    assert stop.code == BAD_INPUT
    assert f"no sweep 'l2' in {uri}; record one: python sweeps/l2.py" in str(stop)


def test_a_sweep_is_found_by_what_is_printed_of_it(uri: str, sweep: list[Recorded]) -> None:
    name = "l2-20261130-123456-ab12"
    run_id = write(uri, sweep, run_name=name)
    write(uri, sweep, run_name="l2-20261130-123456-ab13")
    for text in (run_id, run_id[:31], run_id[:8], name):
        record = load(uri, text)
        assert (record.run_id, record.others) == (run_id, ())
    client = MlflowClient(uri)
    client.update_run(run_id, name="the good one")  # as people do in MLflow's UI
    assert load(uri, "the good one").run_id == load(uri, name).run_id == run_id


def test_of_several_sweeps_of_a_name_the_newest_and_all_others_are_told(
    uri: str, sweep: list[Recorded]
) -> None:
    names = ["l2-first", "l2-second", "l2-third"]
    for name in names:
        write(uri, sweep, run_name=name)
    write(uri, sweep, run_name="l2-killed", status="KILLED")
    record = load(uri)
    assert (record.manifest.run_name, record.others) == ("l2-third", ("l2-second", "l2-first"))


@pytest.fixture
def alike(uri: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Run ids of three sweeps and a trial that all begin alike, by name."""
    client = MlflowClient(uri)
    experiment = client.create_experiment("alike")
    found = {}
    for name, kind, digits in (
        ("l2-20261130-123456-ab12", "sweep", "1234abcd0"),
        ("l2-20261130-123456-ab13", "sweep", "1234abcd1"),
        ("l1-20261130-123456-ab12", "sweep", "1234eeee0"),
        ("l2=0.1", "trial", "1234ffff0"),
    ):
        one = uuid.UUID(digits + "0" * 23)
        monkeypatch.setattr(
            "mlflow.store.tracking.sqlalchemy_store.uuid.uuid4", lambda one=one: one
        )
        sweep = name if kind == "sweep" else "l2-20261130-123456-ab12"
        tags = {"kind": kind, "sweep": sweep, "sweep.name": sweep[:2]}
        found[name] = client.create_run(experiment, run_name=name, tags=tags).info.run_id
    monkeypatch.undo()
    return found


def test_digits_that_fit_several_sweeps_are_refused_with_all_of_them(
    uri: str, alike: dict[str, str]
) -> None:
    line = str(refusal(uri, "1234"))
    for name, run_id in alike.items():
        assert (f"{run_id[:8]} ({name})" in line) == (name != "l2=0.1"), name
    assert "give more digits" in line
    line = str(refusal(uri, "1234abcd"))
    assert "1234abcd10 (l2-20261130-123456-ab13), 1234abcd00 (l2-20261130-123456-ab12)" in line
    # Those of one run alone, and of a run that is none of a sweep, say what that is.
    assert "is a sweep 'l1'" in str(refusal(uri, "1234e"))
    assert "1234f is a trial of sweep l2-2026" in str(refusal(uri, "1234f"))


def test_deleted_sweeps_are_meant_where_no_other_can_be(uri: str, alike: dict[str, str]) -> None:
    client = MlflowClient(uri)
    client.delete_run(alike["l2-20261130-123456-ab13"])
    stop = refusal(uri, "1234abcd1")
    assert (stop.code, "is deleted: restore it" in str(stop)) == (INCOMPLETE, True)
    assert "may be any of" not in str(refusal(uri, "1234abcd"))


def test_what_is_none_gets_what_there_is_and_the_nearest(uri: str, alike: dict[str, str]) -> None:
    stop = refusal(uri, "l2-20261130-123465-ab12")
    assert stop.code == BAD_INPUT
    assert all(f"({name})" in str(stop) for name in alike if name != "l2=0.1")
    assert str(stop).endswith("; the nearest is 1234abcd (l2-20261130-123456-ab12)")
    assert str(refusal(uri, "1234eefe0")).endswith(
        "; the nearest is 1234eeee (l1-20261130-123456-ab12)"
    )
    assert "nearest" not in str(refusal(uri, "zzzz"))


@pytest.mark.parametrize("text", ["", "'", "l2' OR 'a' = 'a", "%", "a\\b", "12", "`"])
def test_text_that_no_run_can_have_is_refused_as_any_other(
    uri: str, alike: dict[str, str], text: str
) -> None:
    assert alike
    assert f"{text} is no run in" in str(refusal(uri, text))


def test_sweep_id_that_does_not_fit(uri: str, sweep: list[Recorded], tmp_path: Path) -> None:
    run_id = write(uri, sweep)
    child = load(uri).run_of(sweep[0].trial)
    other = write_sweep(
        uri, tmp_path / "a", "dropout", ["dropout"], made_up_sweep(["dropout"], [{}])
    )
    for wrong, text in (
        (uuid.uuid4().hex, f"is no run in {uri}, which holds "),
        ("nonsense", f"is no run in {uri}, which holds "),
        (child, "is a trial of sweep"),
        (other, "is a sweep 'dropout', this analysis needs 'l2'"),
    ):
        stop = refusal(uri, wrong)
        assert stop.code == BAD_INPUT
        assert text in str(stop)
    assert load(uri, run_id).run_id == run_id
