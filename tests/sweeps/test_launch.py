"""Sweeps as users start them, stop them and break them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient

from support.record import Record, read_record
from support.scripts import HANG, run_script, start_script

pytestmark = pytest.mark.sweep

ONE_AT_A_TIME = ("--max-concurrent", "1")  # Ray starts sooner


def statuses(folder: Path) -> list[str]:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiments = [each.experiment_id for each in client.search_experiments()]
    return [run.info.status for run in client.search_runs(experiments, max_results=5000)]


def descendants(process: psutil.Process, name: str) -> list[psutil.Process]:
    """Processes below `process` whose command line contains `name`."""
    found = []
    for child in process.children(recursive=True):
        try:
            if name in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            pass
    return found


def wait_for_worker(process: psutil.Process) -> psutil.Process:
    """The first Ray worker that trains a pack."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline and process.status() != psutil.STATUS_ZOMBIE:
        # Tune wraps the class to give it resources: the process is named after the wrapper.
        for worker in descendants(process, "Trainable"):
            return worker
        time.sleep(0.05)
    raise AssertionError("no worker started")


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=90)
    return not alive


@pytest.mark.slow
def test_numbers_depend_neither_on_packs_nor_on_a_killed_worker(
    l2_record: Record, tmp_path: Path
) -> None:
    flags = ("--num-samples", "6", "--seeds", "3", "--epochs", "40", "--pack", "1")
    process = start_script("sweeps/l2.py", *flags, *ONE_AT_A_TIME, cwd=tmp_path)
    everyone = psutil.Process(process.pid)
    worker = wait_for_worker(everyone)
    idle = descendants(everyone, "ray::IDLE")
    worker.kill()
    assert idle == []  # for one trial at a time Ray has no second worker
    _, errors = process.communicate(timeout=HANG)
    assert process.returncode == 0, errors
    other = read_record(tmp_path)
    assert len(other.trials) == 6
    assert set(statuses(tmp_path)) == {"FINISHED"}
    for kind in ("curves", "weights"):
        pd.testing.assert_frame_equal(other.table(kind), l2_record.table(kind), check_exact=True)


@pytest.mark.slow
def test_smoke_test_works_anywhere_and_leaves_nothing(tmp_path: Path) -> None:
    """In the worker that Ray has ready, all that so little work needs: it could also replace it."""
    workers: set[str] = set()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # paths of sockets have to be short
        other = Path(folder, "ray", "session_of_another_process")
        other.mkdir(parents=True)
        flags = ("--smoke-test", "--pack", "1")
        process = start_script("sweeps/batch_size.py", *flags, cwd=tmp_path, RAY_TMPDIR=folder)
        while process.poll() is None:
            workers |= {each.name for each in Path(folder).glob("ray/*/logs/worker-*.out")}
            time.sleep(0.05)
        output, errors = process.communicate(timeout=HANG)
        assert list(Path(folder, "ray").iterdir()) == [other], "Ray's own session is gone"
    assert process.returncode == 0, errors
    assert "baseline" in output
    assert "nothing is kept" in output
    assert "mlflow ui" not in output
    assert list(tmp_path.iterdir()) == []
    assert len(workers) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
def test_a_signal_ends_the_sweep_in_order(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = start_script("sweeps/l2.py", "--num-samples", "40", "--epochs", "20000", cwd=tmp_path)
    everyone = psutil.Process(process.pid)
    wait_for_worker(everyone)
    time.sleep(2)
    started = everyone.children(recursive=True)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # a terminal's Ctrl-C reaches every process of the group
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=HANG)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert f"stopped by {number.name}" in errors
    assert "python" in errors
    assert set(statuses(tmp_path)) == {"KILLED"}
    assert gone(started)


@pytest.mark.slow
def test_a_killed_launcher_leaves_no_run_running(tmp_path: Path) -> None:
    process = start_script("sweeps/l2.py", "--num-samples", "40", "--epochs", "20000", cwd=tmp_path)
    everyone = psutil.Process(process.pid)
    wait_for_worker(everyone)
    recorder = descendants(everyone, "sweeps.record.process")
    assert len(recorder) == 1
    process.kill()
    process.communicate(timeout=HANG)
    assert gone(recorder)
    assert set(statuses(tmp_path)) == {"KILLED"}


@pytest.mark.slow
def test_trials_of_a_pack_that_always_dies_are_failed_and_the_others_finish(
    tmp_path: Path,
) -> None:
    flags = ("--num-samples", "4", "--seeds", "2", "--epochs", "8000", "--pack", "2")
    process = start_script("sweeps/l2.py", *flags, *ONE_AT_A_TIME, cwd=tmp_path)
    everyone = psutil.Process(process.pid)
    # Three tries are all that a pack has. Whether a killed one is tried again at once or after
    # the other, five kills of two packs use up the tries of one and not of the other.
    for _ in range(5):
        worker = wait_for_worker(everyone)
        worker.kill()
        assert gone([worker])
    _, errors = process.communicate(timeout=HANG)
    record = read_record(tmp_path)
    failed = [run for run in record.trials if run.info.status == "FAILED"]
    finished = [run for run in record.trials if run.info.status == "FINISHED"]
    assert process.returncode == 3, errors
    assert (len(failed), len(finished)) == (2, 2)
    for run in failed:
        assert run.data.tags["error"]
        assert run.info.run_name in errors
    assert record.parent.info.status == "FINISHED"
    assert record.parent.data.tags["failed_trials"] == "2"


def test_nothing_of_tune_s_own_is_printed(l2_record: Record) -> None:
    printed = (l2_record.folder / "stdout.txt").read_text()
    assert printed.startswith("Does L2 regularization change test accuracy")
    assert "Trial " not in printed


@pytest.mark.slow
def test_gpus_that_the_cluster_lacks_are_refused(tmp_path: Path) -> None:
    done = run_script("sweeps/l2.py", "--gpus-per-trial", "0.25", "--seeds", "1", cwd=tmp_path)
    assert done.returncode == 5
    assert "0.25 GPUs" in done.stderr
    assert "0 GPUs" in done.stderr
    assert "Traceback" not in done.stderr
    assert "RUNNING" not in statuses(tmp_path)


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = run_script("sweeps/l2.py", "--address", "127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 5
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: no Ray cluster answers at 127.0.0.1:9 (--address): ")
    assert line.endswith("; start one there, or use --address local")
    assert statuses(tmp_path) == []


@pytest.mark.parametrize(
    ("uri", "part"),
    [
        ("./mlruns", "sqlite:///"),
        ("ftp://host/x", "sqlite:///"),
        ("sqlite:////proc/none/mlflow.db", "cannot be written"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused(tmp_path: Path, uri: str, part: str) -> None:
    done = run_script("sweeps/l2.py", "--tracking-uri", uri, *ONE_AT_A_TIME, cwd=tmp_path)
    assert done.returncode == 4
    assert part in done.stderr
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_deleted_experiment_is_named_with_its_remedy(tmp_path: Path) -> None:
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    client.delete_experiment(client.create_experiment("l2"))
    done = run_script("sweeps/l2.py", *ONE_AT_A_TIME, cwd=tmp_path)
    assert done.returncode == 4
    assert "mlflow experiments restore" in done.stderr


def test_dry_run_prints_the_plan_and_touches_nothing(tmp_path: Path) -> None:
    done = run_script("sweeps/dropout.py", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0
    assert "11 configurations × 10 seeds = 110 models" in done.stdout
    assert "dropout=0.50000" in done.stdout
    assert list(tmp_path.iterdir()) == []
