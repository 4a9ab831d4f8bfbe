"""Sweeps that are resumed from damaged records, twice at once, or under another clock."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from support.everything import Everything, sweeps
from support.invariants import check_invariants
from support.scripts import PACED
from support.sweep_process import SweepProcess, flip_a_byte, read_only, started, trials_recorded

pytestmark = [pytest.mark.sweep, pytest.mark.slow]


def sweep_of(folder: Path) -> Run:
    return sweeps(MlflowClient(f"sqlite:///{folder}/mlflow.db"))[0]


def has_a_sweep(folder: Path) -> bool:
    query = "SELECT count(*) FROM tags WHERE key = 'lock'"
    with suppress(sqlite3.Error), closing(read_only(folder / "mlflow.db")) as database:
        return bool(database.execute(query).fetchone() == (1,))
    return False


def artifacts_of(run: Run) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"))


def until_recorded(process: SweepProcess, trials: int = 1) -> None:
    process.wait_until(lambda: trials_recorded(process.cwd) >= trials, f"{trials} were recorded")


class Interrupted:
    """A folder with an interrupted sweep, as often as it is asked for.

    It stays in its place, since a store knows its artifacts by their full path.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._kept = folder, folder.with_name(f"{folder.name}-kept")
        shutil.copytree(folder, self._kept)

    def again(self) -> Path:
        client = MlflowClient(f"sqlite:///{self._folder}/mlflow.db")
        client._tracking_client.store.engine.dispose()  # else it goes on to read the removed file
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder)
        return self._folder


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    folder = tmp_path_factory.mktemp("stopped")
    with started("sweeps/l2.py", *PACED, cwd=folder) as process:
        until_recorded(process)
        process.signal(signal.SIGINT)
        assert process.wait() == 130, process.stderr
        check_invariants(folder, complete=False, process=process)
    return Interrupted(folder)


@pytest.fixture(scope="module")
def killed_once(tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    folder = tmp_path_factory.mktemp("killed")
    with started("sweeps/l2.py", *PACED, cwd=folder) as process:
        until_recorded(process)
        process.kill_all()
    return Interrupted(folder)


@pytest.fixture
def stopped(stopped_once: Interrupted) -> Path:
    """The folder of a sweep that Ctrl-C has stopped after its first trial."""
    return stopped_once.again()


@pytest.fixture
def killed(killed_once: Interrupted) -> Path:
    """The folder of a sweep of which every process was killed after its first trial."""
    return killed_once.again()


def resume(folder: Path, *flags: str, **variables: str) -> tuple[int, str]:
    with started("sweeps/l2.py", "--resume", *flags, cwd=folder, **variables) as process:
        code = process.wait()
        assert "Traceback" not in process.stderr
        assert process.living_after_the_end() == []
        assert process.temporary_files() == []
        return code, "\n".join(process.messages)


def test_damaged_records_are_refused_and_left_as_they_are(stopped: Path, paced: Everything) -> None:
    place = artifacts_of(sweep_of(stopped))
    part = sorted(place.glob("curves/*.parquet"))[0]
    weights = sorted(place.glob("weights/*.parquet"))[0]
    recorded = trials_recorded(stopped)
    for file, kinds in ((place / "sweep.json", 1), (part, 3), (weights, 1)):
        good = file.read_bytes()
        flip_a_byte(file)
        for bad in (file.read_bytes(), good[: len(good) // 2], b"")[:kinds]:
            file.write_bytes(bad)
            code, errors = resume(stopped)
            assert code == 7, f"{file.name} of {len(bad)} bytes: {errors}"
            assert file.name in errors
            assert len(errors.strip().splitlines()) == 1
            assert file.read_bytes() == bad
            assert trials_recorded(stopped) == recorded
        file.write_bytes(good)
    (place / "sweep.json").rename(place / "elsewhere.json")
    code, errors = resume(stopped)
    assert code == 7, errors
    (place / "elsewhere.json").rename(place / "sweep.json")
    check_invariants(stopped, complete=False)
    code, errors = resume(stopped)
    assert code == 0, errors
    check_invariants(stopped, reference=paced)


def test_a_sweep_under_way_is_not_started_again(tmp_path: Path) -> None:
    long = ("--num-samples", "40", "--epochs", "20000")  # longer than the two that are refused
    with started("sweeps/l2.py", *long, cwd=tmp_path) as process:
        process.wait_until(lambda: has_a_sweep(tmp_path), "the sweep's run was there")
        run_id = sweep_of(tmp_path).info.run_id
        for flags in ((), (run_id,)):
            code, errors = resume(tmp_path, *flags)
            assert code == 6, errors
            assert len(errors.strip().splitlines()) == 1
        process.signal(signal.SIGINT)
        assert process.wait() == 130, process.stderr
        check_invariants(tmp_path, complete=False, process=process)


def test_of_two_that_resume_one_sweep_at_once_one_completes_it(
    killed: Path, paced: Everything
) -> None:
    run_id = sweep_of(killed).info.run_id
    with ExitStack() as stack:
        both = [
            stack.enter_context(started("sweeps/l2.py", "--resume", run_id, cwd=killed))
            for _ in range(2)
        ]
        codes = sorted(process.wait() for process in both)
        assert codes == [0, 6], [process.stderr for process in both]
        for process in both:
            check_invariants(killed, reference=paced, process=process)


def test_a_killed_sweep_is_resumed(killed: Path, paced: Everything) -> None:
    code, errors = resume(killed)
    assert code == 0, errors
    check_invariants(killed, reference=paced)


def test_two_sweeps_in_one_experiment_at_once(tmp_path: Path) -> None:
    """In a store that neither finds there: MLflow itself lets two processes make its tables."""
    flags = (*PACED, "--experiment-name", "both", "--search-seed")
    with ExitStack() as stack:
        both = [
            stack.enter_context(started("sweeps/l2.py", *flags, seed, cwd=tmp_path))
            for seed in ("0", "1")
        ]
        for process in both:
            assert process.wait() == 0, process.stderr
        for process in both:
            check_invariants(tmp_path, experiment="both", process=process)
    found = sweeps(MlflowClient(f"sqlite:///{tmp_path}/mlflow.db"), "both")
    assert len({run.data.tags["sweep"] for run in found}) == 2
    assert {run.info.status for run in found} == {"FINISHED"}


def test_resumed_in_another_time_zone_after_the_clock_was_set_back_an_hour(
    stopped: Path, paced: Everything
) -> None:
    """To a clock set back an hour, all that was recorded before is of the hour to come.

    The record is moved instead of the clock: Python cannot sleep under libfaketime 0.9.10.
    """
    with closing(sqlite3.connect(stopped / "mlflow.db")) as database:
        for table, column in (
            ("runs", "start_time"),
            ("runs", "end_time"),
            ("metrics", "timestamp"),
            ("latest_metrics", "timestamp"),
        ):
            database.execute(f"UPDATE {table} SET {column} = {column} + 3600000")
        database.commit()
    code, errors = resume(stopped, TZ="Pacific/Auckland")
    assert code == 0, errors
    found = check_invariants(stopped)
    assert found is not None
    numbers = found.parent.data.metrics
    assert numbers == paced.parent.data.metrics
    # The order is that of the manifest, which knows nothing of clocks.
    promised = [trial["name"] for trial in paced.manifest["trials"]]
    text = (artifacts_of(sweep_of(stopped)) / "results.csv").read_text().splitlines()
    assert [line.split(",")[0].strip('"') for line in text[1:]] == promised


def test_a_lock_from_the_future_is_judged_by_its_owner_and_not_by_its_time(killed: Path) -> None:
    """The machine's clock was set back after the kill: the lock seems to be of tomorrow."""
    client = MlflowClient(f"sqlite:///{killed}/mlflow.db")
    run = sweep_of(killed)
    lock = json.loads(run.data.tags["lock"])
    numbers = {name: value for name, value in lock.items() if isinstance(value, int | float)}
    times = {name: value + 86_400 for name, value in numbers.items() if "time" in name}
    client.set_tag(run.info.run_id, "lock", json.dumps(lock | times))
    code, errors = resume(killed, TZ="America/Los_Angeles")
    assert code == 0, errors


def trial_runs(folder: Path) -> list[Run]:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ids = [each.experiment_id for each in client.search_experiments()]
    return list(client.search_runs(ids, "tags.kind = 'trial'"))
