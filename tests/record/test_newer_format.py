"""A record of a newer format: every command says so in one line, and leaves it as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient

from support.record_fixture import made_up_sweep, new_store, write_sweep
from support.scripts import run_script
from sweeps.record.sealed_files import write_sealed


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep of format 2 and results of it that are kept on disk."""
    folder = tmp_path_factory.mktemp("newer")
    sweep = made_up_sweep(["l2"], [{"l2": 0.1}, {"l2": 0.0}])
    uri = new_store(folder)
    changes = {"version": 2, "trials": "in a way that only format 2 knows"}
    run_id = write_sweep(uri, folder / "mlartifacts", "l2", ["l2"], sweep, changes=changes)
    kept = folder / "unrecorded" / "l2-1"
    kept.mkdir(parents=True)
    facts = {"run_id": run_id, "tracking_uri": uri}
    write_sealed(kept / "sweep.promise", facts, json.dumps(changes).encode())
    return folder


def _run(folder: Path, kind: str) -> str:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("l2")
    assert experiment is not None
    run_id: str = client.search_runs([experiment.experiment_id], f"tags.kind = '{kind}'")[
        0
    ].info.run_id
    return run_id


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["sweeps/l2.py", "--resume"], 7, "sweep.json of l2-"),
        (["sweeps/reproduce.py", "TRIAL"], 7, "sweep.json of l2-"),
        (["sweeps/upload.py"], 7, "unrecorded/l2-1/sweep.promise"),
        (["sweeps/seeds.py", "--from", "SWEEP"], 7, "sweep.json of l2-"),
        (["analysis/l2.py"], 4, "sweep.json of l2-"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_newer_format_is_refused_in_one_line_with_both_versions(
    newer: Path, words: Sequence[str], code: int, named: str
) -> None:
    script, *flags = (_run(newer, word.lower()) if word.isupper() else word for word in words)
    before = {path: path.read_bytes() for path in newer.rglob("*.json")}
    done = run_script(script, *flags, cwd=newer)
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert named in line
    assert "has record format 2, this program reads formats up to 1: upgrade" in line
    assert {path: path.read_bytes() for path in newer.rglob("*.json")} == before
    assert (newer / "unrecorded" / "l2-1" / "sweep.promise").is_file()
