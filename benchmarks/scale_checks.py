"""The model against real sweeps: sleeping trials on clusters of several nodes of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from local_cluster import local_cluster
from measure import shown
from queueing import DriverCosts, Outcome, Pack, RecorderCosts, simulate
from scale_costs import SEEDS, settle
from sleeping_runs import Shape, SleepingRun, run
from tracking_servers import FILE, SQLITE, store

NODES = (1, 2, 4)
CPUS = 4  # of each node


@dataclass(frozen=True)
class Check:
    """Sweeps of one kind on one cluster, and what the model says of them before."""

    what: str
    runs: list[SleepingRun]
    predicted: Outcome


def cases(epochs: int, quick: bool) -> list[tuple[str, str, Shape]]:
    """What is expected to be full, the store, and a sweep for one worker; more have more trials."""
    if quick:
        return [("workers", FILE, Shape(4, 2, SEEDS, epochs, 0.1))]
    return [
        ("workers", FILE, Shape(20, 5, SEEDS, epochs, 0.4)),
        ("driver, recorder", FILE, Shape(20, 1, SEEDS, epochs, 0.05)),
        ("recorder at a server", SQLITE, Shape(5, 5, SEEDS, epochs, 0.4)),
    ]


def check(
    stock: Path,
    epochs: int,
    driver: DriverCosts,
    recorders: Mapping[tuple[str, int], RecorderCosts],
    quick: bool,
    runs: int,
    patience: float,
) -> Iterator[Check]:
    """Runs the sweeps and simulates them. `recorders`: costs by store and number of trials."""
    for nodes in (1,) if quick else NODES:
        with local_cluster(nodes, 2 if quick else CPUS) as cluster:
            workers = nodes * (2 if quick else CPUS)
            for what, kind, one in cases(epochs, quick):
                shape = one._replace(trials=one.trials * workers)
                packs = [Pack(one.together, one.pack_seconds)] * shape.packs
                predicted = simulate(packs, workers, driver, recorders[kind, shape.trials])
                measured = []
                for _ in range(runs):
                    with store(kind) as place:
                        settle(patience)
                        uri = None if kind == FILE else place.uri
                        measured.append(run(cluster, nodes, workers, shape, stock, kind, uri))
                yield Check(what, measured, predicted)


def sizes(epochs: int, quick: bool) -> list[tuple[str, int]]:
    """Store and number of trials of all sweeps that `check` will run."""
    nodes, cpus = ((1,), 2) if quick else (NODES, CPUS)
    return [(kind, one.trials * n * cpus) for n in nodes for _, kind, one in cases(epochs, quick)]


def lines(checks: Sequence[Check]) -> list[dict[str, str]]:
    """A line of a table for each check: measured, predicted, and by how much the model is off."""
    found = []
    for each in checks:
        first = each.runs[0]
        line = {
            "sweep": f"{first.shape.trials} × {first.shape.trial_seconds:g} s, "
            f"packs of {first.shape.together}, {first.store}",
            "nodes": str(first.nodes),
            "workers": str(first.workers),
            "n": str(len(each.runs)),
        }
        for name in ("trained", "recorded"):
            seconds = [getattr(one, name) for one in each.runs]
            predicted = getattr(each.predicted, name)
            line[f"{name}, s"] = shown(seconds, 1)
            line[f"model, s ({name})"] = f"{predicted:.1f}"
            line[f"off ({name})"] = f"{predicted / median(seconds) - 1:+.0%}".replace("%", " %")
        line["trials/s"] = shown([first.shape.trials / one.recorded for one in each.runs], 1)
        line["load"] = shown([one.load for one in each.runs], 1)
        found.append(line)
    return found
