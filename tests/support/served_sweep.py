"""A recorded sweep and MLflow's UI on it, started and opened as the sweep's last lines say."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from support.scripts import HANG, environment, run_script
from support.servers import end_group, free_port


@dataclass(frozen=True)
class Served:
    """The UI as a sweep has printed it: its address, the links to open, the sweep's run."""

    url: str
    links: list[str]
    experiment: str
    run_id: str

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.url)

    def run_page(self, run_id: str, rest: str = "") -> str:
        return f"{self.url}/#/experiments/{self.experiment}/runs/{run_id}{rest}"

    def best(self, count: int) -> list[Run]:
        """The sweep's trials with the highest accuracies."""
        return list(
            self.client.search_runs(
                [self.experiment],
                f"tags.kind = 'trial' AND tags.`mlflow.parentRunId` = '{self.run_id}'",
                order_by=["metrics.`final/test_accuracy` DESC"],
                max_results=count,
            )
        )


@contextmanager
def served_sweep(folder: Path, *flags: str) -> Iterator[Served]:
    """A sweep of λ with these flags and its figures, recorded in the folder."""
    done = run_script("sweeps/l2.py", *flags, cwd=folder, MLFLOW_PORT=str(free_port()))
    assert done.returncode == 0, done.stderr
    drawn = run_script("analysis/l2.py", cwd=folder)
    assert drawn.returncode == 0, drawn.stderr
    (start,) = re.findall(r"1\. start: +(.*)", done.stdout)
    links = re.findall(r"http\S+/#\S+", done.stdout)
    with _running(start, folder, links[0].partition("/#")[0]) as url:
        client = MlflowClient(url)
        found = client.get_experiment_by_name("l2")
        assert found is not None
        sweeps = client.search_runs([found.experiment_id], "tags.kind = 'sweep'")
        (run_id,) = (run.info.run_id for run in sweeps if "confirms" not in run.data.tags)
        yield Served(url, links, found.experiment_id, run_id)


@contextmanager
def _running(command: str, folder: Path, url: str) -> Iterator[str]:
    """The address, once the printed command serves it."""
    words = shlex.split(command)
    words = words[words.index("mlflow") :]  # where the tests' own Python finds it
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words, "--workers", "1"],
            cwd=folder,
            env=environment() | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(f"{url}/health", process)
        yield url
    finally:
        end_group(process, signal.SIGTERM)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + HANG
    while True:
        try:
            urllib.request.urlopen(address, timeout=HANG).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < give_up, "the server does not answer"
            time.sleep(0.2)
