"""The checker of the fault tests sees what it is there to see."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from support import sweep_process
from support.everything import everything
from support.invariants import check_invariants
from support.record import Record, copy_record
from support.sweep_process import SweepProcess

pytestmark = pytest.mark.sweep


def copy_of(record: Record, folder: Path) -> Path:
    """The store and its artifacts once more, to be damaged."""
    copy_record(record.folder, folder / "copy")
    return folder / "copy"


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        assert database.execute(statement).rowcount > 0
        database.commit()


def of(kind: str, key: str = "kind") -> str:
    """SQL: the first run of that kind."""
    return f"(SELECT run_uuid FROM tags WHERE key = '{key}' AND value = '{kind}' LIMIT 1)"


def again(folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiments = [each.experiment_id for each in client.search_experiments()]
    first = client.search_runs(experiments)[0]
    second = client.create_run(first.info.experiment_id, tags=dict(first.data.tags))
    client.set_terminated(second.info.run_id)


def stray(folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    client.set_terminated(client.create_run("1").info.run_id)


def shortened(folder: Path) -> None:
    path = next(folder.rglob("curves/*.parquet"))
    pd.read_parquet(path).iloc[:-1].to_parquet(path)


def altered(folder: Path) -> None:
    path = next(folder.rglob("curves/*.parquet"))
    table = pd.read_parquet(path)
    losses = table["train/loss"]
    table["train/loss"] = losses.where(losses.index != 3, losses + 0.1)
    table.to_parquet(path)


def two_results(folder: Path) -> None:
    path = next(folder.rglob("curves/*.parquet"))
    table = pd.read_parquet(path).iloc[:1]
    table["train/loss"] += 0.1
    table.to_parquet(path.with_name("part-00099.parquet"))


def other_promise(folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    found = everything(client)
    client.set_tag(found.parent.info.run_id, "manifest.sha256", "0" * 64)


def sql(statement: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, statement)


DAMAGE = {
    "twice": ("I1", again),
    "gone": ("I1", sql(f"UPDATE runs SET lifecycle_stage='deleted' WHERE run_uuid={of('seed')}")),
    "running": ("I2", sql(f"UPDATE runs SET status='RUNNING' WHERE run_uuid={of('seed')}")),
    "shortened": ("I3", shortened),
    "altered": ("I3", altered),
    "two results": ("I3", two_results),
    "point": ("I3", sql("UPDATE metrics SET value=value+.1 WHERE key='test/loss' AND step=40")),
    "no points": ("I3", sql("DELETE FROM metrics WHERE key='test/loss' AND step=40")),
    "stray": ("I4", stray),
    "untagged": ("I4", sql(f"DELETE FROM tags WHERE key='config' AND run_uuid={of('trial')}")),
    "orphan": ("I4", sql("UPDATE tags SET value='none' WHERE key='mlflow.parentRunId'")),
    "param": ("I5", sql(f"UPDATE params SET value='9' WHERE key='lr' AND run_uuid={of('trial')}")),
    "promise": ("I5", other_promise),
    "failed": ("I6", sql(f"UPDATE runs SET status='FAILED' WHERE run_uuid={of('trial')}")),
    "lock": ("I7", sql(f"INSERT INTO tags VALUES ('lock', '{{}}', {of('sweep')})")),
    "kept": ("I7", lambda folder: (folder / "unrecorded").mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_seen_and_named(l2_record: Record, tmp_path: Path, damage: str) -> None:
    folder = copy_of(l2_record, tmp_path)
    reference = check_invariants(folder)
    invariant, make = DAMAGE[damage]
    make(folder)
    with pytest.raises(AssertionError, match=f"^{re.escape(invariant)}: "):
        check_invariants(folder, reference=reference)


def test_other_numbers_than_without_faults_are_seen(l2_record: Record, tmp_path: Path) -> None:
    folder = copy_of(l2_record, tmp_path)
    reference = check_invariants(folder)
    change(folder, "UPDATE latest_metrics SET value = value + 0.1 WHERE key LIKE 'best/%'")
    with pytest.raises(AssertionError, match=r"^I3: not as without faults: .*the sweep.*best/"):
        check_invariants(folder, reference=reference)


@pytest.mark.parametrize("leave", [pytest.param("process", marks=pytest.mark.slow), "file"])
def test_what_a_script_leaves_behind_is_seen(
    l2_record: Record, tmp_path: Path, leave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_process, "_LINGERING", 5)  # it is not going to end
    folder = copy_of(l2_record, tmp_path)
    script = tmp_path / "script.py"
    child = [sys.executable, "-c", "import time; time.sleep(100)"]
    script.write_text(
        f"import subprocess; subprocess.Popen({child}, start_new_session=True)"
        if leave == "process"
        else "import tempfile; tempfile.mkdtemp(prefix='sweep-')"
    )
    process = SweepProcess(script, cwd=tmp_path)
    try:
        with pytest.raises(AssertionError, match=r"^I7: .*(time\.sleep|sweep-)"):
            check_invariants(folder, process=process)
    finally:
        process.remove()
