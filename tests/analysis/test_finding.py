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


def test_sweep_id_that_does_not_fit(uri: str, sweep: list[Recorded], tmp_path: Path) -> None:
    run_id = write(uri, sweep)
    child = load(uri).run_of(sweep[0].trial)
    other = write_sweep(
        uri, tmp_path / "a", "dropout", ["dropout"], made_up_sweep(["dropout"], [{}])
    )
    for wrong, text in (
        (uuid.uuid4().hex, "no such run"),
        ("nonsense", "no such run"),
        (child, "is a trial of sweep"),
        (other, "is a sweep 'dropout', this analysis needs 'l2'"),
    ):
        stop = refusal(uri, wrong)
        assert stop.code == BAD_INPUT
        assert text in str(stop)
    assert load(uri, run_id).run_id == run_id
