"""The default sweep on more and more workers, simulated from the scale benchmark's costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from queueing import DriverCosts, Outcome, Pack, RecorderCosts, simulate
from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import parse
from sweeps.plan.packs import form_packs

CONFIGURATIONS, SEEDS, EPOCHS = 50, 10, 500
WORKERS = (1, 2, 4, 8, 16, 32, 50)


def pack_seconds(trained: Sequence[Mapping[str, Any]], network: str, models: int) -> float:
    """Of a pack of so many models, between the sizes measured; outside as at the nearest."""
    sizes = sorted(
        (one["models"], median(one["seconds_a_model_epoch"]))
        for one in trained
        if one["network"] == network
    )
    counts, seconds = zip(*sizes, strict=True)
    each = np.interp(np.log(models), np.log(counts), np.log(seconds))
    return float(models * EPOCHS * np.exp(each))


def simulated(found: Mapping[str, Any]) -> list[tuple[int, int, str, Outcome]]:
    """Workers, packs, store and outcome of the sweep as it would be packed; start-up left out."""
    trained, driver = found["training"], DriverCosts(**found["driver"])
    network = trained[0]["network"]
    flags = {"--num-samples": CONFIGURATIONS, "--seeds": SEEDS, "--epochs": EPOCHS}
    words = [str(word) for pair in flags.items() for word in pair]
    trials = DeclaredSweep(SWEEP, parse(SWEEP, "", words)).plan().trials
    recorders = {
        row["store"]: RecorderCosts(**row["recorder"])
        for row in found["limits"]
        if row["network"] == network and row["trials"] == CONFIGURATIONS
    }
    outcomes = []
    for store, recorder in recorders.items():
        for workers in WORKERS:
            packs = [
                Pack(len(pack), pack_seconds(trained, network, sum(one.models for one in pack)))
                for pack in form_packs(trials, workers, None)
            ]
            outcome = simulate(packs, workers, driver, recorder)
            outcomes.append((workers, len(packs), store, outcome))
    return outcomes


def lines(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """A line of a table for each number of workers."""
    by_workers: dict[int, dict[str, str]] = {}
    for workers, packs, store, outcome in simulated(found):
        line = by_workers.setdefault(workers, {"workers": str(workers), "packs": str(packs)})
        line["trained, s"] = f"{outcome.trained:.1f}"
        line[f"recorded, s: {store}"] = f"{outcome.recorded:.1f}"
    return list(by_workers.values())
