"""The model against real sweeps: sleeping trials on clusters of several nodes of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from local_cluster import local_cluster
from measure import shown
from queueing import DriverCosts, Outcome, Pack, simulate
from recording_costs import Recording
from scale_costs import SEEDS, recorder_costs, settle
from sleeping_runs import Shape, SleepingRun, run
from tracking_servers import FILE, SQLITE, store

NODES = (1, 2, 4)
CPUS = 2  # of each node


def cases(epochs: int, quick: bool) -> list[tuple[str, Shape]]:
    """The store, and a sweep for one worker; more have more trials."""
    if quick:
        return [(FILE, Shape(4, 2, SEEDS, epochs, 0.1))]
    return [
        (FILE, Shape(25, 5, SEEDS, epochs, 0.4)),  # the workers are to be full,
        (FILE, Shape(40, 1, SEEDS, epochs, 0.05)),  # driver and recorder,
        (SQLITE, Shape(5, 5, SEEDS, epochs, 0.4)),  # and the recorder at its server
    ]


def measure(
    prepared: Path,
    epochs: int,
    quick: bool,
    runs: int,
    patience: float,
    there: Sequence[SleepingRun],
) -> Iterator[list[SleepingRun]]:
    """The runs of each kind of sweep on each cluster, but for those like one of `there`."""
    known = {(each.nodes, each.store, each.shape) for each in there}
    for kind, one in cases(epochs, quick):
        for nodes in (1,) if quick else NODES:
            workers = nodes * CPUS
            shape = one._replace(trials=one.trials * workers)
            if (nodes, kind, shape) in known:
                continue
            with local_cluster(nodes, CPUS) as cluster, store(kind) as place:
                uri = None if kind == FILE else place.uri
                measured = []
                for _ in range(runs):
                    settle(patience)
                    measured.append(run(cluster, nodes, workers, shape, prepared, kind, uri))
                yield measured


def predict(one: SleepingRun, driver: DriverCosts, recorded: Sequence[Recording]) -> Outcome:
    """What the model says of such a sweep."""
    shape = one.shape
    recorder = recorder_costs(recorded, one.store, shape.trials, shape.epochs)
    packs = [Pack(shape.together, shape.pack_seconds)] * shape.packs
    return simulate(packs, one.workers, driver, recorder, shape.report_seconds)


def lines(checks: Sequence[tuple[Sequence[SleepingRun], Outcome]]) -> list[dict[str, str]]:
    """A line of a table for each check: measured, predicted, and by how much the model is off."""
    found = []
    for runs, outcome in checks:
        first = runs[0]
        line = {
            "sweep": f"{first.shape.trials} × {first.shape.trial_seconds:g} s, "
            f"packs of {first.shape.together}, {first.store}",
            "nodes": str(first.nodes),
            "workers": str(first.workers),
            "n": str(len(runs)),
        }
        for name in ("trained", "recorded"):
            seconds = [getattr(one, name) for one in runs]
            predicted = getattr(outcome, name)
            line[f"{name}, s"] = shown(seconds, 1)
            line[f"model, s ({name})"] = f"{predicted:.1f}"
            line[f"off ({name})"] = f"{predicted / median(seconds) - 1:+.0%}".replace("%", " %")
        line["trials/s"] = shown([first.shape.trials / one.recorded for one in runs], 1)
        line["load"] = shown([one.load for one in runs], 1)
        found.append(line)
    return found
