"""Running sweeps for real, and reading what they recorded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from playwright.sync_api import Browser, sync_playwright

if TYPE_CHECKING:
    from everything import Everything

ROOT = Path(__file__).parent.parent
# A test run that is told to end takes its servers and sweeps with it, as after Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)

HANG = 300  # seconds until a subprocess counts as hanging; no test measures speed

_SLOWEST_FIRST = ("hosts", "slow", "sweep", "browser")  # markers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one that is begun last leaves other workers idle."""
    ranks: dict[Path, int] = {}
    for item in items:
        marked = [n for n, name in enumerate(_SLOWEST_FIRST) if item.get_closest_marker(name)]
        rank = min(marked, default=len(_SLOWEST_FIRST))
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])


def environment() -> dict[str, str]:
    """The environment of a user who has set nothing of MLflow's or Ray's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "RAY_", "TUNE_"))}


def run_script(
    script: str, *flags: str, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs `python script flags` in `cwd` as a user does who has set those `variables`."""
    return subprocess.run(
        [sys.executable, str(ROOT / script), *flags],
        cwd=cwd,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


def start_script(script: str, *flags: str, cwd: Path) -> subprocess.Popen[str]:
    """Starts the same in the background, in a process group of its own as a terminal does."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *flags],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@dataclass(frozen=True)
class Record:
    """What the newest sweep in a folder's store left behind."""

    folder: Path
    parent: Run
    trials: list[Run]
    seeds: list[Run]
    manifest: dict[str, Any]

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.folder}/mlflow.db")

    def artifact(self, name: str) -> Path:
        return Path(self.parent.info.artifact_uri.removeprefix("file://")) / name

    def table(self, kind: str) -> pd.DataFrame:
        """`curves` or `weights` of every model, in one order whatever the packing was."""
        parts = [pd.read_parquet(path) for path in sorted(self.artifact(kind).glob("*.parquet"))]
        keys = ["config", "seed", "epoch"] if kind == "curves" else ["config", "seed"]
        table = pd.concat(parts, ignore_index=True)
        return table.astype({"config": str, "trial_key": str}).sort_values(keys, ignore_index=True)


def read_record(folder: Path) -> Record:
    """Reads the store in `folder` through MLflow's own client."""
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = list(client.search_runs(experiments, max_results=5000))
    parent = next(run for run in runs if run.data.tags["kind"] == "sweep")  # newest first
    mine = [run for run in runs if run.data.tags["sweep"] == parent.info.run_name]
    manifest_path = Path(parent.info.artifact_uri.removeprefix("file://")) / "sweep.json"
    return Record(
        folder,
        parent,
        [run for run in mine if run.data.tags["kind"] == "trial"],
        [run for run in mine if run.data.tags["kind"] == "seed"],
        json.loads(manifest_path.read_text()),
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser in which records are looked at; each of its contexts is a fresh profile."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs chromium: apt-get update && apt-get install chromium")
        pytest.skip("no chromium here; on Debian: apt-get update && apt-get install chromium")
    quiet = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync")
    still = ("disable-background-networking", "disable-component-update")
    with sync_playwright() as playwright:
        flags = [f"--{name}" for name in (*quiet, *still)]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


RunSweep = Callable[..., Record]


@pytest.fixture(scope="session")
def l2_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A small finished sweep: 6 values of λ, 3 seeds, 40 epochs, a run per seed too."""
    folder = tmp_path_factory.mktemp("l2")
    flags = ("--num-samples", "6", "--seeds", "3", "--epochs", "40", "--log-seeds")
    done = run_script("sweeps/l2.py", *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return read_record(folder)


# Five results one after the other, with time between them for a fault.
PACED = ("--num-samples", "5", "--seeds", "2", "--epochs", "600", "--pack", "1")
PACED = (*PACED, "--max-concurrent", "1")


@pytest.fixture(scope="session")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """All of a sweep with the flags `PACED` that no fault has met."""
    from invariants import check_invariants  # these import this module
    from sweep_process import started

    folder = tmp_path_factory.mktemp("paced")
    with started("sweeps/l2.py", *PACED, cwd=folder) as process:
        assert process.wait() == 0, process.stderr
        found = check_invariants(folder, process=process)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def lesson_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tracking URI of a store with a made-up sweep for every claim of the lesson."""
    from lesson_fixture import write_lesson  # it imports the analysis
    from record_fixture import new_store

    uri = new_store(tmp_path_factory.mktemp("lesson"))
    write_lesson(uri)
    return uri
