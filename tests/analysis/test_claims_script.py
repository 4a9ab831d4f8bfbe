"""The lesson's sweeps in a store: which play a role, what is lacking, and the script's table."""

from __future__ import annotations

import re
import shlex
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from mlflow import MlflowClient

from analysis.claims import ClaimsOptions, judge, main
from analysis.claims_of_lesson.claims_table import WIDTH, markdown
from analysis.claims_of_lesson.lesson_sweeps import LessonSweeps, load_lesson
from analysis.claims_of_lesson.verdict_texts import word
from analysis.reading.connection import open_store
from analysis.reading.errors import Stop
from support.lesson_fixture import dataset_of, in_memory, made_up, write_role
from support.record_fixture import Faults, new_store
from support.warm_scripts import run_warm


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_store(tmp_path)


def test_the_newest_finished_sweep_in_the_lessons_setting_plays_the_role(uri: str) -> None:
    client = open_store(uri)
    write_role(uri, "l2", run_name="old")
    wanted = write_role(uri, "l2", run_name="new")
    write_role(uri, "l2", made_up("l2", seeds=2, epochs=40), run_name="short")
    write_role(uri, "l2", run_name="unfinished", status="KILLED")
    two = write_role(uri, "small-l2")
    found = load_lesson(client, allow_partial=True).records
    assert {role: record.run_id for role, record in found.items()} == {
        "l2": wanted,
        "small-l2": two,
    }


def test_run_ids_lead_to_the_ui_that_its_command_starts(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # by something else
        taken_port = taken.getsockname()[1]
        monkeypatch.setenv("MLFLOW_PORT", str(taken_port))
        write_role(uri, "l2")
        sweeps = load_lesson(open_store(uri), allow_partial=True)
        page = markdown(sweeps, judge(sweeps))
    start = re.search("`(.*mlflow ui .*)`", page)
    assert start
    words = shlex.split(start[1])
    assert words[words.index("--backend-store-uri") + 1] == uri
    port = words[words.index("--port") + 1]
    assert int(port) > taken_port
    addresses = {urlsplit(link).netloc for link in re.findall(r"\((http\S+)\)", page)}
    assert addresses == {f"127.0.0.1:{port}"}


@pytest.mark.parametrize(
    ("store", "address"),
    [
        ("https://me:secret@host:8080/mlflow/", "https://host:8080/mlflow"),
        ("http://10.0.0.1:5001", "http://10.0.0.1:5001"),
    ],
)
def test_of_a_server_run_ids_lead_to_its_own_address(store: str, address: str) -> None:
    record = replace(in_memory("l2", made_up("l2", seeds=3, epochs=40)), tracking_uri=store)
    sweeps = LessonSweeps({"l2": record})
    page = markdown(sweeps, judge(sweeps))
    links = re.findall(r"\((http\S+)\)", page)
    assert set(links) == {f"{address}/#/runs/{record.run_id}"}
    assert "mlflow ui" not in page
    assert "secret" not in page


def test_missing_sweeps_are_named_with_the_remedy(uri: str) -> None:
    client = open_store(uri)
    with pytest.raises(Stop, match=r"dropout, l2, .*: python sweeps/lesson\.py$") as none:
        load_lesson(client, allow_partial=True)
    assert none.value.code == 2
    write_role(uri, "l2")
    with pytest.raises(Stop, match=r"for: dropout-stratified, dropout, .*lesson\.py$") as some:
        load_lesson(client)
    assert some.value.code == 3
    found = judge(load_lesson(client, allow_partial=True))
    assert "No finished sweep for dropout" in found[0].reason


def test_of_another_network_its_own_sweeps_are_judged_by_the_claims_on_one_network(
    uri: str,
) -> None:
    client = open_store(uri)
    write_role(uri, "l2")
    with pytest.raises(Stop, match=r"setting --hidden 12 12 for: .*lesson\.py --hidden 12 12$"):
        load_lesson(client, allow_partial=True, hidden=(12, 12))
    hyperparameters = [trial.trial.hyperparameters for trial in made_up("l2")]
    assert {one.hidden for one in hyperparameters} == {(32,)}
    wanted = write_role(uri, "l2", made_up("l2", seeds=4, hidden=(12, 12)))
    sweeps = load_lesson(client, allow_partial=True, hidden=(12, 12))
    assert [record.run_id for record in sweeps.records.values()] == [wanted]
    found = {verdict.id: verdict for verdict in judge(sweeps)}
    assert "size-matters-net" not in found
    assert "size-matters-data" in found
    assert found["l2-too-strong"].run_ids == (wanted,)
    assert "of a network with hidden units 12 12" in markdown(sweeps, list(found.values()))


def test_units_that_no_network_has_are_refused_in_one_line(
    lesson_store: str, tmp_path: Path
) -> None:
    flags = ("--hidden", "0", "--tracking-uri", lesson_store)
    done = run_warm("analysis/claims.py", *flags, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("--hidden needs ")
    assert line.endswith("got 0")


def test_sweeps_on_different_data_are_refused(uri: str) -> None:
    write_role(uri, "l2")
    other = {"dataset": {**dataset_of("l1"), "digest": "f" * 16}}
    write_role(uri, "l1", changes=other)
    with pytest.raises(Stop, match=r"different data .* --again") as refused:
        load_lesson(open_store(uri), allow_partial=True)
    assert refused.value.code == 2


def test_partial_sweeps_are_said_to_be(uri: str) -> None:
    sweep = made_up("l2", seeds=4)
    write_role(uri, "l2", sweep, faults=Faults(failed=[sweep[0].trial.name]))
    sweeps = load_lesson(open_store(uri), allow_partial=True)
    found = {verdict.id: verdict for verdict in judge(sweeps)}
    assert "baseline" in found["l2-too-strong"].reason
    assert "(partial: 1 of 5 trials missing)" in markdown(sweeps, list(found.values()))


@pytest.mark.slow
def test_the_script_prints_saves_and_uploads_the_table(lesson_store: str, tmp_path: Path) -> None:
    done = run_warm("analysis/claims.py", "--tracking-uri", lesson_store, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    places = ("MLflow runs in ", "figures/")  # whose paths are as long as they are
    lines = [line for line in done.stdout.splitlines() if not line.startswith(places)]
    assert max(map(len, lines)) <= WIDTH
    sweeps = load_lesson(open_store(lesson_store))
    expected = judge(sweeps)
    table = pd.read_csv(tmp_path / "figures" / "claims.csv")
    assert list(table["id"]) == [one.id for one in expected]
    assert list(table["verdict"]) == [one.verdict for one in expected]
    assert table["effect"].to_numpy() == pytest.approx([one.effect for one in expected])
    page = (tmp_path / "figures" / "claims.md").read_text(encoding="utf-8")
    for one in expected:
        assert re.search(rf"^{one.id} +{word(one)} ", done.stdout, re.MULTILINE)
        assert f"| **{one.id}**: " in page
    client = MlflowClient(lesson_store)
    for record in sweeps.records.values():
        assert f"/#/runs/{record.run_id})" in page
        uploaded = [each.path for each in client.list_artifacts(record.run_id, "figures")]
        assert {"figures/claims.csv", "figures/claims.md"} <= set(uploaded)


def test_the_script_refuses_in_one_line(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    write_role(uri, "l2")
    for options, code in (
        (ClaimsOptions(tracking_uri=uri), 3),
        (ClaimsOptions(tracking_uri=f"sqlite:///{tmp_path}/none.db"), 4),
        (ClaimsOptions(tracking_uri=uri, allow_partial=True, out=blocked), 2),
    ):
        assert main(options) == code
        assert len(capsys.readouterr().err.splitlines()) == 1
