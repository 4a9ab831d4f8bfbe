"""Sweeps on a cluster of several nodes: the same record as alone, and what a cluster must have."""

from __future__ import annotations

import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from support.everything import Everything, all_runs, differences
from support.invariants import check_invariants
from support.ray_cluster import RayCluster, ray_cluster
from support.scripts import HANG, PACED, ROOT, run_script
from support.sweep_process import started, trials_recorded
from sweeps.cluster.ray_address import find_cluster

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

WAITING = "still waiting for an answer of "
FREE = PACED[:-2]  # the same five packs, as many at once as find room
HEAD = {"num_cpus": 0}
# Only Ray believes in these GPUs. Five quarters would fit on them, if one could be cut in two.
LARGE, SMALL = {"num_cpus": 5, "num_gpus": 1}, {"num_cpus": 1, "num_gpus": 1}
NO_REAL_GPU = """
def granted_device(granted, gpu_share):
    return "cpu", "a GPU" if granted else "cpu"

def why_no_cuda():
    return ""
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head that computes nothing and two nodes, each with a GPU."""
    with ray_cluster(HEAD, LARGE, SMALL) as cluster:
        yield cluster


def until(happened: Callable[[], bool]) -> None:
    """Waits until `happened`."""
    deadline = time.monotonic() + HANG
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_cluster_records_what_a_laptop_does_four_trials_at_once_on_one_gpu(
    tmp_path: Path, cluster: RayCluster, paced: Everything
) -> None:
    quarters = ("--gpus-per-trial", "0.25", "--device", "cpu", "--expect-nodes", "3")
    flags = (*FREE, *quarters, "--address", cluster.address)
    with started("sweeps/l2.py", *flags, cwd=tmp_path) as process:
        assert process.wait() == 0, process.stderr
        assert f"cluster at {cluster.address}" in process.stderr
        check_invariants(tmp_path, process=process, reference=paced)
    # On a busy machine the first trials end before the last have started: what Ray held for them
    # tells that there was room for four, the workers that there were never five.
    assert cluster.most_gpus() == [0.25, 1]
    assert max(cluster.most_workers()) <= 4
    until(lambda: cluster.workers() == 0)
    assert cluster.alive() == 3


def test_gpus_and_cpus_are_used_at_once(
    tmp_path: Path, cluster: RayCluster, paced: Everything
) -> None:
    # The same code with one file changed: what Ray grants as a GPU computes on the CPU.
    code, store = tmp_path / "code", tmp_path / "store"
    for package in ("sweeps", "trainables"):
        shutil.copytree(ROOT / package, code / package)
    (code / "trainables" / "device.py").write_text(NO_REAL_GPU)
    store.mkdir()
    both = ("--gpus-per-trial", "1", "--device", "cpu,cuda", "--address", cluster.address)
    script = code / "sweeps" / "l2.py"
    with started(script, *FREE, *both, cwd=store, PYTHONPATH=str(code)) as process:
        assert process.wait() == 0, process.stderr
        found = check_invariants(store, process=process)
    assert found is not None
    assert not [each for each in differences(found, paced) if ": device differ" not in each]
    runs = all_runs(MlflowClient(f"sqlite:///{store}/mlflow.db"), None)
    devices = Counter(run.data.tags["device"] for run in runs if "device" in run.data.tags)
    assert set(devices) == {"a GPU", "cpu"}
    assert devices.total() == 5


def test_a_stopped_sweep_leaves_the_cluster_as_it_was_and_is_resumed_there(
    tmp_path: Path, cluster: RayCluster, paced: Everything
) -> None:
    there = ("--address", cluster.address)
    with started("sweeps/l2.py", *PACED, *there, cwd=tmp_path) as process:
        process.wait_until(lambda: trials_recorded(tmp_path) > 0, "a trial was recorded")
        process.signal(signal.SIGINT)
        assert process.wait() == 130, process.stderr
        check_invariants(tmp_path, process=process, complete=False)
    until(lambda: cluster.workers() == 0)
    assert cluster.alive() == 3
    with started("sweeps/l2.py", "--resume", *there, cwd=tmp_path) as process:
        assert process.wait() == 0, process.stderr
        check_invariants(tmp_path, process=process, reference=paced)


def test_the_cluster_of_this_machine_is_found_where_ray_start_leaves_its_address(
    cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", cluster.temporary)
    assert find_cluster("auto", print) == cluster.address
    monkeypatch.setenv("RAY_TMPDIR", "/tmp/none")
    assert find_cluster("auto", print) is None


def test_a_node_that_is_slow_to_answer_is_waited_for(
    tmp_path: Path, cluster: RayCluster, paced: Everything
) -> None:
    until(lambda: cluster.alive() == 3)  # a node that was killed is alive for a while
    cluster.pause(2)
    try:
        with started("sweeps/l2.py", *FREE, "--address", cluster.address, cwd=tmp_path) as process:
            process.wait_until(lambda: WAITING in process.stderr, "that was said")
            cluster.go_on(2)
            assert process.wait() == 0, process.stderr
            (line,) = [each for each in process.messages if WAITING in each]
            assert re.fullmatch(rf"{WAITING}node \S+ \(\S+\)", line)  # of one
            check_invariants(tmp_path, process=process, reference=paced)
    finally:
        cluster.go_on(2)
    assert cluster.alive() == 3


def test_a_node_with_another_torch_is_named_and_nothing_is_trained(
    tmp_path: Path, cluster: RayCluster
) -> None:
    other = tmp_path / "other" / "torch-1.2.3.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.2.3\n")
    node = cluster.add(num_cpus=1, env_vars={"PYTHONPATH": str(other.parent)})
    try:
        done = run_script("sweeps/l2.py", *PACED, "--address", cluster.address, cwd=tmp_path)
    finally:
        cluster.kill(node)
    assert done.returncode == 5
    assert re.search("^error: node .* has torch 1.2.3, this machine ", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr
    assert trials_recorded(tmp_path) == 0


def test_a_cluster_of_another_ray_is_refused(tmp_path: Path) -> None:
    with ray_cluster({"num_cpus": 1}, version="2.50.1") as other:
        done = run_script("sweeps/l2.py", "--address", other.address, cwd=tmp_path)
    assert done.returncode == 5
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"Ray at {other.address} cannot be used: Version mismatch" in line
    assert "2.50.1" in line
    assert line.endswith("; install the same versions on this machine and all nodes")
    assert "Traceback" not in done.stderr


def test_too_few_nodes_are_refused(tmp_path: Path, cluster: RayCluster) -> None:
    flags = ("--address", cluster.address, "--expect-nodes", "9")
    done = run_script("sweeps/l2.py", *PACED, *flags, cwd=tmp_path)
    assert done.returncode == 5
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: --expect-nodes needs 9 nodes, the cluster has ")
    assert trials_recorded(tmp_path) == 0


def test_nodes_leave_and_come_while_a_sweep_runs(
    tmp_path: Path, cluster: RayCluster, paced: Everything
) -> None:
    with started("sweeps/l2.py", *PACED, "--address", cluster.address, cwd=tmp_path) as process:
        process.wait_until(lambda: cluster.workers() > 0, "a trial ran")
        first = cluster.busiest()
        cluster.kill(first)
        cluster.kill({1: 2, 2: 1}[first])  # where the trial goes on
        process.wait_until(lambda: "has no node left" in process.stderr, "that was noticed")
        cluster.add(**LARGE)
        assert process.wait() == 0, process.stderr
        assert process.stdout.startswith("Does L2 regularization")  # what Ray says is beside it
        check_invariants(tmp_path, process=process, reference=paced)


def test_a_sweep_whose_cluster_goes_ends_and_is_resumed_without_it(
    tmp_path: Path, cluster: RayCluster, paced: Everything
) -> None:
    with started("sweeps/l2.py", *PACED, "--address", cluster.address, cwd=tmp_path) as process:
        process.wait_until(lambda: trials_recorded(tmp_path) > 0, "a trial was recorded")
        cluster.kill_head()
        assert process.wait() == 5, process.stderr
        assert f"error: the Ray cluster at {cluster.address} has gone" in process.messages[-1]
        assert process.living_after_the_end() == []
    check_invariants(tmp_path, complete=False)
    with started("sweeps/l2.py", "--resume", "--address", "local", cwd=tmp_path) as process:
        assert process.wait() == 0, process.stderr
        check_invariants(tmp_path, process=process, reference=paced)
