"""docs/cluster.md, step by step: `ray up` over SSH on three hosts, sweeps, a lost host, the end.

The tests stand in the order of the page and share its cluster.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from support.everything import all_runs, download, key_of, sweeps
from support.network_hosts import Host, require_namespaces
from support.page_hosts import TRUSTING, Cluster, documented, hosts_of_the_page
from support.scripts import HANG, start_script

pytestmark = [pytest.mark.hosts, pytest.mark.sweep, pytest.mark.slow]

FIFTY = ("--num-samples", "50")
TempPaths = pytest.TempPathFactory
CUT = 90.0  # seconds
WRONG = f"RAY_AUTH_TOKEN={'0' * 64}"
L2 = "regularization-sweeps/sweeps/l2.py"  # on the hosts


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The sweep on one machine, under way while the cluster is made, and its folder."""
    require_namespaces()
    folder = tmp_path_factory.mktemp("alone")
    sweep = start_script("sweeps/l2.py", *FIFTY, cwd=folder)
    yield sweep, folder
    sweep.kill()
    sweep.communicate()


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A laptop with the project, and three hosts as their owner hands them over."""
    with hosts_of_the_page(tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture(scope="module")
def cluster(hosts: Cluster) -> Cluster:
    """The cluster that the page's first three steps bring up."""
    hosts.follow("ray get-auth-token")
    hosts.follow("ray up")
    hosts.wait_for_nodes(3)
    assert "Active:" in hosts.follow("ray exec cluster.yaml 'ray status'")
    return hosts


@dataclass(frozen=True)
class Numbers:
    """All numbers of a sweep: final metrics by trial, curves and weights of every model."""

    metrics: dict[Any, dict[str, float]]
    tables: dict[str, pd.DataFrame]


def numbers(client: MlflowClient, folder: Path) -> Numbers:
    """Those of the newest sweep, of which nothing may be missing, double or failed."""
    parent = next(run for run in sweeps(client) if "confirms" not in run.data.tags)
    name = parent.data.tags["sweep"]
    trials = [run for run in all_runs(client) if run.data.tags.get("sweep") == name]
    assert {run.info.status for run in trials} == {"FINISHED"}
    trials = [run for run in trials if key_of(run)[0] == "trial"]
    place = download(client, parent.info.run_id, folder)
    tables = {}
    for kind, by in (("curves", ["config", "seed", "epoch"]), ("weights", ["config", "seed"])):
        parts = [pd.read_parquet(path) for path in sorted((place / kind).glob("*.parquet"))]
        table = pd.concat(parts, ignore_index=True).astype({"config": str, "trial_key": str})
        table = table.map(lambda cell: repr(cell.tolist()) if hasattr(cell, "tolist") else cell)
        tables[kind] = table.sort_values(by, ignore_index=True)
    kept = {
        key_of(run): {n: v for n, v in run.data.metrics.items() if not n.startswith("time/")}
        for run in trials
    }
    assert len(kept) == len(trials) == 50
    return Numbers(kept, tables)


@pytest.fixture(scope="module")
def expected(
    alone: tuple[subprocess.Popen[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Numbers:
    """The numbers of the same sweep on one machine."""
    sweep, folder = alone
    _, printed = sweep.communicate(timeout=HANG)
    assert sweep.returncode == 0, printed
    return numbers(MlflowClient(f"sqlite:///{folder}/mlflow.db"), tmp_path_factory.mktemp("found"))


def assert_recorded(cluster: Cluster, expected: Numbers, folder: Path) -> None:
    """The newest sweep of the cluster's server has those numbers, to the last bit."""
    with cluster.laptop.network():
        found = numbers(MlflowClient(cluster.tracking_uri), folder)
    assert found.metrics == expected.metrics
    for kind, table in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[kind], table, check_exact=True)


def test_every_node_has_the_same_commit_and_nothing_else(cluster: Cluster) -> None:
    look = "cd {} && git rev-parse HEAD && git status --porcelain"
    committed = cluster.laptop.run(look.format("project")).stdout.split()[0]
    for host in (cluster.head, *cluster.workers):
        assert host.run(look.format("regularization-sweeps")).stdout.split() == [committed]
    versions = {
        host.path("/root/sweeps-cluster/versions.txt").read_text()
        for host in (cluster.head, *cluster.workers)
    }
    assert len(versions) == 1


def test_nobody_is_answered_without_the_token(cluster: Cluster) -> None:
    address = f"--address={cluster.head.address}:6379"
    join = f"ray start {address} --node-ip-address={cluster.laptop.address}"
    joining = cluster.laptop.start(f"RAY_AUTH_MODE=token {WRONG} {join}")
    worker = cluster.workers[0]
    assert worker.run(f"ray status {address}").returncode == 0
    assert worker.run(f"RAY_AUTH_MODE=disabled ray status {address}").returncode != 0
    assert worker.run(f"{WRONG} ray status {address}").returncode != 0
    printed, _ = joining.communicate(timeout=HANG)
    assert joining.returncode == 1
    assert "InvalidAuthToken" in printed
    assert cluster.nodes() == 3


def test_a_sweep_with_a_wrong_token_is_refused_in_one_line(cluster: Cluster) -> None:
    there = f"Ray cluster at {cluster.head.address}:6379"
    expected = {
        WRONG: f"the {there} has another token than RAY_AUTH_TOKEN: its head has it in",
        "RAY_AUTH_MODE=disabled": f"the {there} asks for a token and RAY_AUTH_MODE is disabled",
        "RAY_AUTH_TOKEN_PATH=/none": f"no token for the {there} in RAY_AUTH_TOKEN_PATH: its head",
    }
    command = f"exec python {L2} --smoke-test --quiet"
    refused = {each: cluster.head.start(f"export {each}; {command}") for each in expected}
    for setting, sweep in refused.items():
        printed, _ = sweep.communicate(timeout=HANG)
        assert sweep.returncode == 5, printed
        (line,) = printed.splitlines()
        assert line.startswith(f"error: {expected[setting]}")


def status_of(url: str, host: str | None = None) -> int:
    """The status of the answer to a request that is made of `host`."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=HANG) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_server_answers_by_its_names_only(cluster: Cluster) -> None:
    with cluster.laptop.network():
        assert status_of(cluster.tracking_uri) == 200
        assert status_of(cluster.tracking_uri, "evil.example") == 403


def test_a_tunnel_leads_to_the_ui(cluster: Cluster) -> None:
    command = cluster.filled_in(cluster.command("ssh "))
    tunnel = cluster.laptop.start(command.replace("ssh", f"exec ssh {TRUSTING}", 1))
    deadline = time.monotonic() + HANG
    try:
        with cluster.laptop.network():
            while True:
                with suppress(urllib.error.URLError):
                    assert status_of("http://localhost:5000") == 200
                    break
                assert tunnel.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        tunnel.kill()
        tunnel.wait()


def one_that_trains(workers: Sequence[Host], sweep: subprocess.Popen[str]) -> Host:
    """Waits until a pack is trained on one of the workers; this one.

    Not on each of them: one that is slow to start may find that the others have done everything.
    """
    deadline = time.monotonic() + HANG
    while True:
        for host in workers:
            if any("Trainable.train" in line for line in host.processes()):
                return host
        assert sweep.poll() is None, sweep.communicate()[0]
        assert time.monotonic() < deadline, "no worker trains anything"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def undisturbed(
    cluster: Cluster, expected: Numbers, tmp_path_factory: pytest.TempPathFactory
) -> float:
    """The seconds of a sweep from the head on all nodes."""
    began = time.monotonic()
    cluster.follow("ray exec cluster.yaml 'python")
    seconds = time.monotonic() - began
    assert_recorded(cluster, expected, tmp_path_factory.mktemp("undisturbed"))
    return seconds


def test_a_host_that_loses_power_delays_a_sweep_little(
    cluster: Cluster, expected: Numbers, undisturbed: float, tmp_path: Path
) -> None:
    """By at most 60 seconds and the work that is lost, which is no more than was done."""
    began = time.monotonic()
    sweep = cluster.head.start(f"exec python {L2} --num-samples 50 --expect-nodes 3 --confirm 0")
    try:
        one_that_trains(cluster.workers, sweep).power_off()
        done = time.monotonic() - began
        printed, _ = sweep.communicate(timeout=HANG)
    finally:
        sweep.kill()
    assert sweep.returncode == 0, printed
    assert time.monotonic() - began < undisturbed + 60 + done
    assert_recorded(cluster, expected, tmp_path)


def test_a_host_that_is_back_is_used_again(cluster: Cluster) -> None:
    lost = next((host for host in cluster.workers if not host.on), cluster.workers[1])
    lost.power_off()
    cluster.wait_for_nodes(2)
    lost.power_on()
    cluster.wait_for_nodes(3)


def test_a_job_meets_a_poor_line_and_a_cut(
    cluster: Cluster, expected: Numbers, tmp_path: Path
) -> None:
    """The cable of a worker that trains is out for 90 seconds, and the other's line turns poor."""
    command = cluster.command("ray exec cluster.yaml 'ray job submit")
    job = cluster.laptop.start(f"cd project; exec {command}")
    try:
        cut = one_that_trains(cluster.workers, job)
        (poor,) = (host for host in cluster.workers if host is not cut)
        with poor.poor_line(seconds=0.2, jitter=0.05, loss=0.05):
            cut.cut()
            began = time.monotonic()
            printed, _ = job.communicate(timeout=HANG)
    finally:
        job.kill()
    assert job.returncode == 0, printed
    assert "succeeded" in printed
    assert_recorded(cluster, expected, tmp_path)
    time.sleep(max(0.0, began + CUT - time.monotonic()))
    assert cluster.nodes() == 2
    cut.mend()
    cluster.wait_for_nodes(3)


def test_nothing_runs_after_the_end(cluster: Cluster) -> None:
    cluster.follow("ray exec cluster.yaml 'bash")
    cluster.follow("ray down")
    for host in (cluster.laptop, cluster.head, *cluster.workers):
        host.wait_until_idle()


def test_the_plain_way(hosts: Cluster) -> None:
    head, worker = hosts.head, hosts.workers[0]
    for host in (head, worker):  # "in a copy of the project"
        copy = f"rsync -a -e 'ssh {TRUSTING}' project/ root@{host.address}:"
        assert hosts.laptop.run(f"{copy}regularization-sweeps/").returncode == 0
    hosts.follow("bash regularization-sweeps/cluster/install.sh", head)
    hosts.follow("ray get-auth-token --generate > /dev/null", head)
    hosts.follow("bash regularization-sweeps/cluster/mlflow.sh start", head)
    hosts.follow("ray start --head", head)
    for file in ("/root/.ray/auth_token", "/root/sweeps-cluster/versions.txt"):
        worker.path(file).parent.mkdir(exist_ok=True)
        shutil.copy(head.path(file), worker.path(file))
    hosts.follow("bash regularization-sweeps/cluster/install.sh HEAD_ADDRESS", worker)
    hosts.follow("ray start --address", worker)
    hosts.wait_for_nodes(2)
    hosts.follow("python regularization-sweeps/sweeps/l2.py --smoke-test", head)
    for host in (worker, head):
        hosts.follow("ray stop", host)
    hosts.follow("bash regularization-sweeps/cluster/mlflow.sh stop", head)
    for host in (worker, head):
        host.wait_until_idle()


def test_every_command_of_the_page_was_run(hosts: Cluster) -> None:
    assert hosts.run == set(documented())
