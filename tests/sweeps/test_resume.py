"""What `--resume` takes up, what it refuses, and what it never trains again."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from support.everything import Everything, differences, everything, sweeps
from support.invariants import check_invariants
from support.scripts import ROOT, run_script
from support.sweep_process import started, trials_recorded

pytestmark = pytest.mark.sweep

FOUR = ("--num-samples", "4", "--seeds", "2", "--epochs", "600", "--pack", "2", "--log-seeds")
FLAGS = (*FOUR, "--max-concurrent", "1")


def store(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder}/mlflow.db")


def parent(folder: Path) -> Run:
    return sweeps(store(folder))[0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Everything]:
    """A finished sweep: its folder, and all of it as it was at first."""
    folder = tmp_path_factory.mktemp("finished")
    with started("sweeps/l2.py", *FLAGS, cwd=folder) as process:
        assert process.wait() == 0, process.stderr
        found = check_invariants(folder, process=process)
    assert found is not None
    return folder, found


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of which everything was killed when its first pack was recorded."""
    folder = tmp_path_factory.mktemp("killed")
    with started("sweeps/l2.py", *FLAGS, cwd=folder) as process:
        process.wait_until(lambda: trials_recorded(folder) > 0, "recorded a trial")
        process.kill_all()
    return folder


def refusal(folder: Path, *flags: str, script: str = "sweeps/l2.py") -> str:
    """The one line of a resumption that cannot be."""
    done = run_script(script, *flags, cwd=folder)
    assert done.returncode == 7, done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.slow
def test_options_that_contradict_the_promise_are_refused_by_name(killed: Path) -> None:
    line = refusal(killed, "--resume", "--epochs", "5", "--hidden", "8", "8", "--num-samples", "4")
    assert "--epochs 5 (it has 600)" in line
    assert "--hidden 8 8 (it has 32)" in line
    assert "--num-samples" not in line


@pytest.mark.slow
def test_only_a_sweep_of_that_name_is_resumed(killed: Path) -> None:
    run_id = parent(killed).info.run_id
    trial = store(killed).search_runs(
        [parent(killed).info.experiment_id], "tags.kind = 'trial'", max_results=1
    )[0]
    assert "is a trial of sweep l2-" in refusal(killed, "--resume", trial.info.run_id)
    assert "no run" in refusal(killed, "--resume", "0" * 32)
    other = refusal(killed, "--resume", run_id, script="sweeps/l1.py")
    assert f"python {ROOT}/sweeps/l2.py" in other
    assert "no sweep l1 is recorded" in refusal(killed, "--resume", script="sweeps/l1.py")
    assert "no sweep l2" in refusal(killed, "--resume", "--experiment-name", "elsewhere")
    assert [each.name for each in store(killed).search_experiments()] == ["l2", "Default"]


@pytest.mark.slow
def test_a_dry_run_names_what_is_left_and_touches_nothing(killed: Path) -> None:
    before = everything(store(killed))
    other = {"MKL_CBWR": "COMPATIBLE"}
    done = run_script("sweeps/l2.py", "--resume", "--dry-run", cwd=killed, **other)
    assert done.returncode == 0, done.stderr
    assert "nothing set then, MKL_CBWR=COMPATIBLE now: the last bits" in done.stderr
    recorded = {run.name for key, run in before.runs.items() if key[0] == "trial"}
    promised = {trial["name"] for trial in before.manifest["trials"]}
    named = {line.strip() for line in done.stdout.splitlines() if line.startswith("  ")}
    assert named == promised - recorded
    assert differences(everything(store(killed)), before) == []


@pytest.fixture
def elsewhere(killed: Path) -> Iterator[threading.Event]:
    """The sweep's owner seems to be on another machine, and to live until the event is set."""
    client, run_id = store(killed), parent(killed).info.run_id
    lock = json.loads(parent(killed).data.tags["lock"]) | {"host": "another-machine"}
    dead = threading.Event()

    def beat() -> None:
        while True:
            lock["beat"] += 1
            client.set_tag(run_id, "lock", json.dumps(lock))
            if dead.wait(2):
                return

    thread = threading.Thread(target=beat)
    thread.start()
    yield dead
    dead.set()
    thread.join()


@pytest.mark.slow
def test_an_owner_on_another_machine_is_watched_and_then_believed_dead(
    killed: Path, elsewhere: threading.Event, finished: tuple[Path, Everything]
) -> None:
    done = run_script("sweeps/l2.py", "--resume", cwd=killed)
    assert done.returncode == 6, done.stderr
    assert "another-machine" in done.stderr
    elsewhere.set()
    with started("sweeps/l2.py", "--resume", cwd=killed) as process:
        assert process.wait() == 0, process.stderr
        check_invariants(killed, reference=finished[1], process=process)


@pytest.mark.slow
def test_a_complete_sweep_has_nothing_to_resume(finished: tuple[Path, Everything]) -> None:
    folder, before = finished
    done = run_script("sweeps/l2.py", "--resume", *FLAGS, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 trials" in done.stdout
    assert "complete" in done.stdout
    assert differences(everything(store(folder)), before) == []


@pytest.mark.slow
def test_curves_that_stand_without_their_run_are_not_trained_again(
    finished: tuple[Path, Everything],
) -> None:
    folder, before = finished
    client, sweep = store(folder), parent(folder)
    last = max(run.data.tags.get("curves.part", "") for run in before.raw.values())
    lost = next(r for r in before.raw.values() if r.data.tags.get("curves.part") == last)
    parts = Path(sweep.info.artifact_uri.removeprefix("file://"), "curves")
    files = {path.name: path.stat().st_mtime_ns for path in parts.glob("*.parquet")}
    for run in before.raw.values():
        if run.data.tags.get("trial.key") == lost.data.tags["trial.key"]:
            client.delete_run(run.info.run_id)
    client.set_terminated(sweep.info.run_id, "KILLED")
    with started("sweeps/l2.py", "--resume", cwd=folder) as process:
        assert process.wait() == 0, process.stderr
        assert "models trained" not in process.stderr
        check_invariants(folder, reference=before, process=process)
    assert {path.name: path.stat().st_mtime_ns for path in parts.glob("*.parquet")} == files


@pytest.mark.slow
def test_the_next_start_of_a_sweep_closes_what_a_dead_one_left_running(tmp_path: Path) -> None:
    with started("sweeps/l2.py", *FLAGS, cwd=tmp_path) as process:
        process.wait_until(lambda: trials_recorded(tmp_path) > 0, "recorded a trial")
        process.kill_all()
    left = parent(tmp_path)
    assert left.info.status == "RUNNING"
    with started("sweeps/l2.py", *FLAGS, "--search-seed", "1", cwd=tmp_path) as process:
        process.wait_until(lambda: len(sweeps(store(tmp_path))) > 1, "began")
        process.signal(signal.SIGINT)
        assert process.wait() == 130, process.stderr
    run = store(tmp_path).get_run(left.info.run_id)
    assert run.info.status == "KILLED"
    assert "lock" not in run.data.tags
