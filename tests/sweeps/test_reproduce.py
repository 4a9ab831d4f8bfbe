"""A recorded trial, trained again from its record alone, gives every recorded number."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from mlflow.entities import Metric

from support.record import Record, read_record
from support.scripts import run_script
from sweeps.reproduce import reproduce

pytestmark = pytest.mark.sweep


@pytest.fixture
def copied(l2_record: Record, tmp_path: Path) -> Record:
    """A record of its own to tamper with; its artifacts are still at their first place."""
    shutil.copy(l2_record.folder / "mlflow.db", tmp_path)
    return read_record(tmp_path)


def test_any_trial_of_a_sweep_in_packs_is_reproduced_alone(
    l2_record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    for run in l2_record.trials:
        code = reproduce(l2_record.client, run.info.run_id)
        printed = capsys.readouterr().out
        assert code == 0, printed
        assert run.info.run_name in printed
        assert "equal to the last bit" in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "flags"),
    [
        ("dropout", ("--seeds", "3", "--epochs", "30", "--pack", "2")),
        ("batch_size", ("--seeds", "2", "--epochs", "12", "--dataset", "wine", "--standardize")),
    ],
)
def test_trials_of_other_sweeps_and_packs_are_reproduced(
    tmp_path: Path, script: str, flags: tuple[str, ...]
) -> None:
    done = run_script(f"sweeps/{script}.py", "--num-samples", "5", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trials = read_record(tmp_path).trials
    done = run_script("sweeps/reproduce.py", trials[3].info.run_id, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_seeds_run_stands_for_its_trial(l2_record: Record) -> None:
    seed = l2_record.seeds[0]
    done = run_script("sweeps/reproduce.py", seed.info.run_id, cwd=l2_record.folder)
    assert done.returncode == 0, done.stderr
    assert seed.data.tags["config"] in done.stdout


def test_numbers_that_differ_are_shown(copied: Record) -> None:
    run = copied.trials[0]
    client, now = copied.client, 1_700_000_000_000
    client.log_batch(run.info.run_id, metrics=[Metric("final/test_accuracy", 0.123, now, 0)])
    client.log_batch(run.info.run_id, metrics=[Metric("train/loss", 9.0, now, 7)])
    client.log_metric(run.info.run_id, "invented", 1.0)
    seed = next(s for s in copied.seeds if s.data.tags["config"] == run.info.run_name)
    client.delete_run(seed.info.run_id)
    done = run_script("sweeps/reproduce.py", run.info.run_id, cwd=copied.folder)
    assert done.returncode == 3, done.stdout + done.stderr
    for text in ("train/loss", "invented", f"seed={seed.data.tags['seed']}", "no run"):
        assert text in done.stdout
    assert "the record may have been changed afterwards" in done.stdout


@pytest.mark.slow
def test_numbers_of_other_vector_instructions_are_no_changed_record(l2_record: Record) -> None:
    run = l2_record.trials[0]
    other = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    done = run_script("sweeps/reproduce.py", run.info.run_id, cwd=l2_record.folder, **other)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    if done.returncode == 3:
        for name, value in other.items():
            assert f"likely reason: other {name}: not set then, {value} now" in done.stdout
        assert "may have been changed" not in done.stdout


def test_what_was_otherwise_where_a_trial_was_trained_is_named(
    copied: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    client, run = copied.client, copied.trials[0]
    client.log_metric(run.info.run_id, "invented", 1.0)
    assert reproduce(client, run.info.run_id) == 3
    assert "the record may have been changed afterwards" in capsys.readouterr().out
    here = json.loads(run.data.tags["arithmetic"])
    then = here | {"torch": "1.0", "cpu": "Abacus", "MKL_CBWR": "AVX2"}
    client.set_tag(run.info.run_id, "arithmetic", json.dumps(then))
    assert reproduce(client, run.info.run_id) == 3
    printed = capsys.readouterr().out
    assert f"other torch: 1.0 then, {here['torch']} now" in printed
    assert f"other CPU: Abacus then, {here['cpu']} now" in printed
    assert "other MKL_CBWR: AVX2 then, not set now" in printed
    assert "other numpy" not in printed
    assert "may have been changed" not in printed


@pytest.mark.slow
def test_records_that_know_their_driver_alone_name_its_torch_and_its_cpu(copied: Record) -> None:
    client, run = copied.client, copied.trials[0]
    parent = copied.parent
    client.log_metric(run.info.run_id, "invented", 1.0)
    client.delete_tag(run.info.run_id, "arithmetic")
    unsure = run_script("sweeps/reproduce.py", run.info.run_id, cwd=copied.folder)
    assert "may have been changed afterwards, or it was made with other vector" in unsure.stdout
    manifest = dict(copied.manifest)
    manifest["versions"] = manifest["versions"] | {"torch": "1.0"}
    manifest["machine"] = manifest["machine"] | {"cpu": "Abacus"}
    text = json.dumps(manifest)
    place = copied.artifact("sweep.json")
    before = place.read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    client.set_tag(parent.info.run_id, "manifest.sha256", digest)
    try:
        place.write_text(text)
        set_now = {"MKL_CBWR": "COMPATIBLE"}
        done = run_script("sweeps/reproduce.py", run.info.run_id, cwd=copied.folder, **set_now)
    finally:
        place.write_text(before)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "other torch: 1.0 then" in done.stdout
    assert "Abacus then" in done.stdout
    assert "MKL_CBWR=COMPATIBLE is set now; whether it was then" in done.stdout


@pytest.mark.slow
def test_only_trials_are_reproduced(l2_record: Record) -> None:
    for run_id, text in ((l2_record.parent.info.run_id, "whole sweep"), ("0" * 32, "no run in")):
        done = run_script("sweeps/reproduce.py", run_id, cwd=l2_record.folder)
        assert done.returncode == 2, done.stderr
        (line,) = done.stderr.strip().splitlines()
        assert text in line
