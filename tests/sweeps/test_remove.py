"""`sweeps/remove.py`: nothing of a removed sweep is left, and nothing of any other has changed."""

from __future__ import annotations

import hashlib
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from support.everything import differences, everything
from support.kept_store import FOLDS, KEPT, KILLED, LESSON, LOG_SEEDS, PLAIN, Store, unpack
from support.record_fixture import made_up_sweep, write_sweep
from support.scripts import ROOT, environment
from support.servers import mlflow_server
from support.warm_scripts import run_warm
from sweeps.record import removal
from sweeps.record.lock import Owner


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return unpack(tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of which nothing may go."""
    store = unpack(tmp_path_factory.mktemp("unchanged"))
    before = dump(store.folder), files(store.folder)
    yield store
    assert (dump(store.folder), files(store.folder)) == before


def remove(store: Store, *flags: str) -> CompletedProcess[str]:
    return run_warm("sweeps/remove.py", *flags, cwd=store.folder)


def files(folder: Path) -> dict[str, str]:
    """The digest of every file but the database, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("mlflow.db")
    }


def dump(folder: Path) -> str:
    """All rows of the database as text."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return "\n".join(database.iterdump())


def belongings(store: Store, sweep: str) -> tuple[set[str], set[str]]:
    """The ids of all that is of the sweep, and its files."""
    parent = store.sweeps[sweep]
    runs = [parent, *store.runs(sweep), *store.runs(sweep, "seed")]
    where = [parent.info.experiment_id]
    models = store.client.search_logged_models(where)
    mine = {each.model_id for each in models if each.source_run_id == parent.info.run_id}
    ids = {run.info.run_id for run in runs} | mine
    own = {name for name in files(store.folder) if any(each in name for each in (*ids, sweep))}
    return ids, own


def assert_gone(store: Store, sweep: str, ids: set[str]) -> None:
    """No row and no file knows of the sweep or of anything of it."""
    text, paths = dump(store.folder), list(store.folder.rglob("*"))
    for each in (*ids, sweep):
        assert each not in text
        assert not [path for path in paths if each in str(path)]


@pytest.mark.parametrize("sweep", [LOG_SEEDS, pytest.param(FOLDS, marks=pytest.mark.slow)])
def test_nothing_of_a_removed_sweep_is_left_and_others_stay_as_they_were(
    store: Store, sweep: str
) -> None:
    ids, own = belongings(store, sweep)
    others = [name for name in store.sweeps if name != sweep]
    before = {name: everything(store.client, name) for name in others}
    all_files, size = files(store.folder), (store.folder / "mlflow.db").stat().st_size
    assert len(own) > 5
    done = remove(store, sweep, "--yes")
    assert done.returncode == 0, done.stderr
    assert f"{sweep} is removed" in done.stdout
    assert_gone(store, sweep, ids)
    assert files(store.folder) == {name: all_files[name] for name in set(all_files) - own}
    assert (store.folder / "mlflow.db").stat().st_size < size
    client = MlflowClient(store.uri)
    for name in others:
        assert differences(everything(client, name), before[name]) == []


@pytest.mark.slow
def test_other_sweeps_are_read_drawn_and_reproduced_as_before(store: Store) -> None:
    trial = store.runs(PLAIN)[0].info.run_id
    commands = (
        ("analysis/l2.py", "--sweep", PLAIN, "--no-upload"),
        ("analysis/choosing.py", "--no-upload"),
        ("sweeps/reproduce.py", trial),
    )

    def outcomes() -> list[tuple[int, str]]:
        done = [run_warm(script, *flags, cwd=store.folder) for script, *flags in commands]
        return [(each.returncode, each.stdout) for each in done]

    before, drawn = outcomes(), files(store.folder / "figures")
    assert remove(store, LESSON, LOG_SEEDS, "--yes").returncode == 0
    assert outcomes() == before
    assert files(store.folder / "figures") == drawn


def test_results_that_wait_and_what_a_dead_process_left_go_too(store: Store) -> None:
    run_id = store.sweeps[KEPT].info.run_id
    store.client.delete_tag(run_id, "lock")  # else the machine that is gone is watched
    ids, _ = belongings(store, KEPT)
    said = remove(store, run_id[:8], "--dry-run").stdout
    assert f"results that wait to be recorded in {store.folder}/unrecorded/{KEPT}" in said
    assert remove(store, run_id[:8], "--yes").returncode == 0
    assert_gone(store, KEPT, ids)
    assert [path.name for path in (store.folder / "unrecorded").iterdir()] == [KILLED]


def test_files_of_models_that_no_row_knows_go_too(store: Store) -> None:
    """As `mlflow gc`, or a process that was killed, leaves them."""
    ids, _ = belongings(store, PLAIN)
    (model,) = [each for each in ids if each.startswith("m-")]
    with closing(sqlite3.connect(store.folder / "mlflow.db")) as database, database:
        database.execute("DELETE FROM logged_models WHERE model_id = ?", (model,))
        database.execute("DELETE FROM inputs WHERE destination_id = ?", (model,))
    assert [name for name in files(store.folder) if model in name]
    assert remove(store, PLAIN, "--yes").returncode == 0
    assert not [name for name in files(store.folder) if model in name]


def test_a_dry_run_says_what_there_is_and_changes_nothing(unchanged: Store) -> None:
    done = remove(unchanged, PLAIN, LOG_SEEDS, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "5 runs, 1 models, " in done.stdout
    assert f"{1 + 3 + 3 * 2} runs" in done.stdout


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("answer", "goes"),
    [
        ("\n", False),
        pytest.param("n\n", False, marks=_SLOW),
        pytest.param("\x04", False, marks=_SLOW),
        ("y\n", True),
    ],
)
def test_only_yes_removes(store: Store, answer: str, goes: bool) -> None:
    before = dump(store.folder), files(store.folder)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        done = subprocess.run(
            [sys.executable, str(ROOT / "sweeps" / "remove.py"), PLAIN],
            cwd=store.folder,
            env=environment(),
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert "remove it for good? [y/N]" in done.stdout
    if goes:
        assert PLAIN not in dump(store.folder)
    else:
        assert "nothing was removed" in done.stdout
        assert (dump(store.folder), files(store.folder)) == before


@pytest.mark.slow
def test_what_cannot_be_is_one_line_and_removes_nothing(unchanged: Store) -> None:
    for words, text in (
        ((), "needs the run id of a sweep"),
        ((PLAIN,), "needs --yes where nobody can be asked"),
        (("0" * 32, "--yes"), "is no run in"),
        ((f"{PLAIN[:-1]}e", "--yes"), f"({PLAIN})"),
        ((unchanged.runs(PLAIN)[0].info.run_id, "--yes"), f"is a trial of sweep {PLAIN}"),
        ((PLAIN, "nonsense", "--yes"), "nonsense is no run in"),
        ((PLAIN, "--yes", "--tracking-uri", "sqlite:///no.db"), "there is no store"),
    ):
        done = remove(unchanged, *words)
        assert done.returncode == 2, words
        (line,) = done.stderr.splitlines()
        assert text in line
        assert done.stdout == ""


def test_a_sweep_that_is_running_stays(unchanged: Store) -> None:
    run_id = unchanged.sweeps[PLAIN].info.run_id
    unchanged.client.set_tag(run_id, "lock", Owner.here(os.getpid()).to_tag())
    done = remove(unchanged, run_id, "--yes")
    unchanged.client.delete_tag(run_id, "lock")
    assert done.returncode == 6
    (line,) = done.stderr.splitlines()
    assert f"{PLAIN}, run {run_id}, is running: process {os.getpid()}" in line


def test_what_refers_to_a_sweep_is_named(store: Store) -> None:
    run_id = store.sweeps[PLAIN].info.run_id
    store.client.set_tag(store.sweeps[LESSON].info.run_id, "from", run_id)
    store.client.create_registered_model("flowers")
    store.client.create_model_version("flowers", f"runs:/{run_id}/best_model", run_id=run_id)
    warning = f"warning: {LESSON} took its configurations from {PLAIN} (--from)"
    said = remove(store, PLAIN, "--dry-run").stdout
    assert warning in said
    assert f"warning: version 1 of the registered model flowers is of {PLAIN}" in said
    assert warning not in remove(store, PLAIN, LESSON, "--dry-run").stdout


class Killed(BaseException):
    """As if the process had ended there."""


@pytest.mark.parametrize(
    ("step", "call"), [("_clear", 1), ("erase_model", 1), ("erase_run", 2), ("_tidy", 1)]
)
def test_interrupted_anywhere_it_is_finished_by_the_same_command(
    store: Store, step: str, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, _ = belongings(store, LOG_SEEDS)
    calls = iter(range(1, 1000))
    original: Callable[..., object] = getattr(removal, step)

    def dying(*given: object) -> object:
        if next(calls) == call:
            raise Killed
        return original(*given)

    found = removal.find(store.client, store.uri, LOG_SEEDS)
    with monkeypatch.context() as patched:
        patched.setattr(removal, step, dying)
        with pytest.raises(Killed):
            removal.remove(store.client, found)
    if step != "_tidy":  # after the sweep's own run
        removal.remove(store.client, removal.find(store.client, store.uri, LOG_SEEDS))
    assert_gone(store, LOG_SEEDS, ids)


@pytest.mark.slow
def test_on_a_server_it_is_marked_and_with_its_database_it_goes(tmp_path: Path) -> None:
    sweep = made_up_sweep(["l2"], [{"l2": 0.0}, {"l2": 0.1}])
    with mlflow_server() as server:
        name = "l2-20261130-123456-ab12"
        place = tmp_path / "artifacts"
        write_sweep(server.uri, place, "l2", ["l2"], sweep, run_name=name)
        before = files(place)
        client = MlflowClient(server.uri)
        ids = [each.experiment_id for each in client.search_experiments()]
        flags = (name, "--yes", "--tracking-uri", server.uri)
        for _ in range(2):
            done = run_warm("sweeps/remove.py", *flags, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert f"{name} is marked as deleted" in done.stdout
            assert "until `mlflow gc` is called where its database is" in done.stdout
            assert not client.search_runs(ids)
            assert len(client.search_runs(ids, run_view_type=ViewType.DELETED_ONLY)) == 3
            assert files(place) == before
        done = run_warm(
            "sweeps/remove.py", name, "--yes", "--tracking-uri", server.store, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert f"{name} is removed" in done.stdout
        assert not client.search_runs(ids, run_view_type=ViewType.ALL)
        assert files(place) == {}


def test_a_killed_sweep_of_a_machine_that_is_gone_is_watched_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.record.lock._WATCH_SECONDS", 0.5)
    ids, _ = belongings(store, KILLED)
    removal.remove(store.client, removal.find(store.client, store.uri, KILLED))
    assert_gone(store, KILLED, ids)
