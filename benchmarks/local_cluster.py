"""A Ray cluster of several nodes on this machine, in a process of its own.

    python benchmarks/local_cluster.py NODES CPUS

makes the nodes, each of which says that it has that many CPUs, besides a head that computes
nothing; prints the cluster's address, and ends it when its input ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

_STORE = 100_000_000  # bytes of shared memory of each node


class LocalCluster(NamedTuple):
    """A running cluster; `keeper`: the parent of its processes."""

    address: str
    keeper: psutil.Process

    def cpu_seconds(self) -> float:
        """What Ray's own processes have used so far, of the head and of all nodes: no workers."""
        total = 0.0
        for each in self.keeper.children(recursive=True):
            try:
                command = " ".join(each.cmdline())
                if command.startswith("ray::") or "default_worker.py" in command:
                    continue
                times = each.cpu_times()
                total += times.user + times.system
            except psutil.Error:
                continue
        return total


@contextmanager
def local_cluster(nodes: int, cpus: int) -> Iterator[LocalCluster]:
    """A cluster of so many nodes with so many CPUs each."""
    # Directly under /tmp, since Ray puts sockets there whose paths have to be short.
    folder = Path(tempfile.mkdtemp(prefix="c-", dir="/tmp"))
    own = {"RAY_TMPDIR": str(folder), "TMPDIR": str(folder), "RAY_USAGE_STATS_ENABLED": "0"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "TUNE_"))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(nodes), str(cpus)],
            env=inherited | own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"no cluster:\n{(folder / 'log').read_text()[-2000:]}")
        yield LocalCluster(address, psutil.Process(process.pid))
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _keep(nodes: int, cpus: int) -> None:
    from ray.cluster_utils import Cluster

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no address
    cluster = Cluster()
    try:
        for number in range(nodes + 1):
            cluster.add_node(
                num_cpus=cpus if number else 0,
                object_store_memory=_STORE,
                include_dashboard=False,
            )
        print(cluster.address, file=out, flush=True)
        sys.stdin.read()
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    _keep(*map(int, sys.argv[1:]))
