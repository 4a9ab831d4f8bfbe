"""Real sweeps of sleeping trials on a cluster of this machine, and what they took."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from commands import check, start
from local_cluster import LocalCluster
from measure import ROOT
from sleeping import Sleep, opened_at
from sweeps.plan.exit_codes import RESOURCES

_TRIES = 3


class Shape(NamedTuple):
    """A sweep of sleeping trials: `together` in a pack, each trial for `trial_seconds`."""

    trials: int
    together: int
    seeds: int
    epochs: int
    trial_seconds: float
    report_seconds: float = 1.0

    @property
    def packs(self) -> int:
        return -(-self.trials // self.together)

    @property
    def pack_seconds(self) -> float:
        """Of a full pack."""
        return self.together * self.trial_seconds

    @property
    def reports(self) -> int:
        """Of a full pack."""
        return max(1, -(-round(self.pack_seconds * 1e6) // round(self.report_seconds * 1e6)))


@dataclass(frozen=True)
class SleepingRun:
    """A sweep of `shape` on `nodes` with `workers` in all.

    `trained`, `recorded`: seconds from when all workers were there to the last result and to the
    last trial in the store. CPU seconds: `driver_a_pack` of the launcher's main thread, for each
    pack from the first result on, and `ray` of Ray's own processes, their start included.
    `bytes_a_trial`: of results, from workers to driver. `load`: of the machine, before.
    """

    nodes: int
    workers: int
    store: str
    shape: Shape
    trained: float
    recorded: float
    driver_a_pack: float
    ray: float
    bytes_a_trial: float
    load: float


def run(
    cluster: LocalCluster, nodes: int, workers: int, shape: Shape, prepared: Path,
    store: str, uri: str | None = None,
) -> SleepingRun:  # fmt: skip
    """Runs such a sweep.

    `prepared`: see `sleeping.Sleep`. `uri`: of the `store`, else it is an SQLite file of its own.
    """
    with tempfile.TemporaryDirectory(prefix="sleeping-") as name:
        folder = Path(name)
        ready = folder / "ready"
        ready.mkdir()
        used = min(workers, shape.packs)
        sleep = Sleep(shape.trial_seconds, shape.report_seconds, str(prepared), str(ready), used)
        flags = {
            "--num-samples": shape.trials,
            "--seeds": shape.seeds,
            "--epochs": shape.epochs,
            "--pack": shape.together,
            "--address": cluster.address,
            "--max-concurrent": workers,
            "--confirm": 0,
            **({"--tracking-uri": uri} if uri else {}),
        }
        words = [str(word) for pair in flags.items() for word in pair]
        command = [sys.executable, str(ROOT / "benchmarks/watched_sweep.py"), "diary.json"]
        command += ["--sleep", json.dumps(asdict(sleep)), "--", *words, "--quiet"]
        ray_before, load = cluster.cpu_seconds(), os.getloadavg()[0]
        for _ in range(_TRIES):
            process = start(command, folder)
            process.wait()
            # A busy machine does not start a worker on every node as fast as the launcher asks.
            if process.returncode != RESOURCES:
                break
        ray_cpu = cluster.cpu_seconds() - ray_before
        check(process, folder)
        diary = json.loads((folder / "diary.json").read_text())
        opened = opened_at(str(ready))
        results, recorded = diary["results"], diary["recorded"]
        driver_cpu = max(results[-1][2], recorded[-1][1]) - results[0][2]
        return SleepingRun(
            nodes,
            workers,
            store,
            shape,
            results[-1][0] - opened,
            recorded[-1][0] - opened,
            driver_cpu / max(1, len(results) - 1),
            ray_cpu,
            sum(each[1] for each in results) / shape.trials,
            load,
        )
