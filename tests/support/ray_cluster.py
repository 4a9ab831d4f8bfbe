"""A Ray cluster of several nodes on this machine, in a process of its own.

The script takes the nodes' descriptions, keyword arguments of `Cluster.add_node`, as JSON, the head
first, and a version of Ray to pretend, or an empty text. It answers each line of its input with one
of JSON, and ends with its input.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import ray
from ray.cluster_utils import Cluster

from support.scripts import HANG, environment

_STORE = 80_000_000  # bytes of shared memory of each node


class RayCluster:
    """The cluster as a test sees it."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]], version: str = "") -> None:
        # Directly under /tmp, since Ray puts sockets there whose paths have to be short. Its own,
        # since the cluster's address is left there for all to find.
        self.temporary = tempfile.mkdtemp(prefix="c-", dir="/tmp")
        own = {"RAY_TMPDIR": self.temporary, "TMPDIR": self.temporary}
        self._log = (Path(self.temporary) / "log.txt").open("wb")
        self._process = subprocess.Popen(
            # As a module, from the folder of `support`: what it imports of that is found.
            [sys.executable, "-m", "support.ray_cluster", json.dumps(nodes), version],
            cwd=Path(__file__).parents[1],
            env=environment() | own | {"RAY_USAGE_STATS_ENABLED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.address: str = self._answer()

    def add(self, **node: Any) -> int:
        """Adds a node; its number, the head being 0."""
        return int(self._ask("add", node))

    def kill(self, node: int) -> None:
        """kill -9 of what makes the node one and of its workers, as without power."""
        self._ask("kill", node)

    def pause(self, node: int) -> None:
        """Stops what answers on the node, as if other programs left it no time, until `go_on`.

        The process that tells the head that the node is alive goes on.
        """
        self._ask("pause", node)

    def go_on(self, node: int) -> None:
        """What `pause` has stopped goes on."""
        self._ask("go_on", node)

    def kill_head(self) -> None:
        """kill -9 of what makes the cluster one; it is of no use afterwards."""
        self._ask("kill_head")

    def busiest(self) -> int:
        """The node with the most actors."""
        return int(self._ask("busiest"))

    def alive(self) -> int:
        """How many nodes the cluster has."""
        return int(self._ask("alive"))

    def workers(self) -> int:
        """How many actors live."""
        return int(self._ask("workers"))

    def most_workers(self) -> list[int]:
        """The most actors that lived at once on each node since it was asked last, sorted."""
        return sorted(self._ask("most"))

    def most_gpus(self) -> list[float]:
        """The most GPUs that trials held at once on each node that has any, since the start."""
        return sorted(self._ask("gpus"))

    def end(self) -> None:
        """Ends all processes of the cluster."""
        # Ray's own way waits for half a minute when the head has been killed.
        _kill_with_children(self._process.pid)
        self._process.wait(HANG)
        self._log.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _ask(self, *question: Any) -> Any:
        assert self._process.stdin is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, Path(self._log.name).read_text()
        return json.loads(line)


def _kill_with_children(pid: int) -> None:
    parent = psutil.Process(pid)
    for process in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.kill()


@contextmanager
def ray_cluster(*nodes: Mapping[str, Any], version: str = "") -> Iterator[RayCluster]:
    """A cluster of these nodes; the first is its head. `version`: of Ray, as it says itself."""
    cluster = RayCluster(nodes, version)
    try:
        yield cluster
    finally:
        cluster.end()


class _Keeper:
    """The cluster in the process that keeps it."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]]) -> None:
        self._cluster = Cluster()
        self._nodes: list[Any] = []
        self._most: Counter[str] = Counter()
        self._least_gpus: dict[str, float] = {}
        self._paused: dict[int, list[psutil.Process]] = {}
        for each in nodes:
            self.add(each)

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, node: Mapping[str, Any]) -> int:
        arguments = {"object_store_memory": _STORE, "include_dashboard": False, **node}
        self._nodes.append(self._cluster.add_node(**arguments))
        return len(self._nodes) - 1

    def kill(self, node: int) -> None:
        (raylet,) = self._nodes[node].all_processes["raylet"]
        _kill_with_children(raylet.process.pid)

    def pause(self, node: int) -> None:
        (raylet,) = self._nodes[node].all_processes["raylet"]
        # Its workers, and the agent without which it starts none for a job that brings its code.
        self._paused[node] = psutil.Process(raylet.process.pid).children(recursive=True)
        for each in self._paused[node]:
            with suppress(psutil.NoSuchProcess):
                each.suspend()

    def go_on(self, node: int) -> None:
        for each in self._paused.pop(node, []):
            with suppress(psutil.NoSuchProcess):
                each.resume()

    def kill_head(self) -> None:
        (gcs,) = self._nodes[0].all_processes["gcs_server"]
        os.kill(gcs.process.pid, signal.SIGKILL)

    def alive(self) -> int:
        return sum(each["Alive"] for each in self._cluster.global_state.node_table())  # type: ignore[no-untyped-call]

    def workers(self) -> int:
        return self._actors().total()

    def busiest(self) -> int:
        ((node, _),) = self._actors().most_common(1)
        return [each.node_id for each in self._nodes].index(node)

    def most(self) -> list[int]:
        most = list(self._most.values())
        self._most.clear()
        return most

    def gpus(self) -> list[float]:
        table = self._cluster.global_state.node_table()  # type: ignore[no-untyped-call]
        return [
            each["Resources"]["GPU"] - self._least_gpus.get(each["NodeID"], 1.0)
            for each in table
            if "GPU" in each["Resources"]
        ]

    def look(self) -> None:
        self._most |= self._actors()
        for node, free in self._cluster.global_state.available_resources_per_node().items():  # type: ignore[no-untyped-call]
            # What is taken completely is left out.
            self._least_gpus[node] = min(self._least_gpus.get(node, 1.0), free.get("GPU", 0.0))

    def end(self) -> None:
        self._cluster.shutdown()  # type: ignore[no-untyped-call]

    def _actors(self) -> Counter[str]:
        table = self._cluster.global_state.actor_table(None, None, "ALIVE")
        return Counter(each["Address"]["NodeID"] for each in table.values())


def _keep(nodes: Sequence[Mapping[str, Any]]) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no answer
    keeper = _Keeper(nodes)
    print(json.dumps(keeper.address), file=out, flush=True)
    while True:
        ready, _, _ = select.select([0], [], [], 0.05)
        if not ready:
            keeper.look()
            continue
        line = sys.stdin.readline()
        if not line:  # the test run has gone
            return keeper.end()
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(keeper, name)(*arguments)), file=out, flush=True)


if __name__ == "__main__":
    ray.__version__ = sys.argv[2] or ray.__version__
    _keep(json.loads(sys.argv[1]))
