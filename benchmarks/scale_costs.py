"""What each part of a sweep costs, measured on this machine one after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil

from local_cluster import local_cluster
from prepared_results import train
from queueing import DriverCosts, RecorderCosts
from recording_costs import Recording, counted, record
from sleeping_runs import Shape, SleepingRun, run
from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import parse
from sweeps.plan.packs import training_seconds
from sweeps.record.runs.trial_runs import TrialRuns
from tracking_servers import (
    FILE,
    POSTGRESQL,
    SERVER_PROCESSES,
    SQLITE,
    postgresql_programs,
    store,
)
from trainables import data
from trainables.pack_run import PackRun
from trainables.result import TrialResult, to_bytes

SEEDS, EPOCHS = 10, 500


class Network(NamedTuple):
    """Which models; `measured_epochs` of each pack are trained, the time of 500 is computed."""

    name: str
    flags: tuple[str, ...]
    measured_epochs: int


NETWORKS = (
    Network("Iris, 32 (the lesson's)", (), 100),
    Network("Iris, 64 × 64", ("--hidden", "64", "64"), 40),
    Network("digits, 256 × 256", ("--dataset", "digits", "--hidden", "256", "256"), 1),
)


@dataclass(frozen=True)
class Training:
    """Seconds of one core for an epoch of one model, by run, in a pack of so many models.

    `bytes_a_trial`: of the results of 10 seeds and 500 epochs. `estimated`: what
    `sweeps.plan.packs.training_seconds` assumes.
    """

    network: str
    models: int
    seconds_a_model_epoch: list[float]
    estimated: float
    bytes_a_trial: float


def settle(patience: float) -> float:
    """Waits until others leave three quarters of the CPUs idle, at most so long; the load then."""
    until = time.monotonic() + patience
    while psutil.cpu_percent(interval=1.0) > 25 and time.monotonic() < until:
        pass
    return os.getloadavg()[0]


def training(network: Network, trials: int, runs: int) -> Training:
    """Trains a pack of that many trials of ten seeds each."""
    epochs = network.measured_epochs
    flags = [*network.flags, "--seeds", str(SEEDS), "--epochs", str(epochs)]
    options = parse(SWEEP, "", ["--num-samples", str(trials), *flags])
    planned, dataset = DeclaredSweep(SWEEP, options).plan().trials, data.load(options.dataset)
    PackRun(planned[:1], dataset).advance(0)
    seconds: list[float] = []
    results: list[TrialResult] = []
    for _ in range(runs):
        pack, results = PackRun(planned, dataset), []
        began = time.process_time()  # of the one thread: others share this machine
        while not pack.done:
            results += pack.advance()
        seconds.append(time.process_time() - began)
    models = trials * SEEDS
    curves = 4 * SEEDS * len(results[0].trained.curves)  # bytes of an epoch
    size = len(to_bytes(results)) / trials + curves * (EPOCHS - epochs)
    estimate = training_seconds(planned[0].hyperparameters, models) / epochs / models
    each = [one / epochs / models for one in seconds]
    return Training(network.name, models, each, estimate, size)


def sleeping(prepared: Path, quick: bool, patience: float) -> list[SleepingRun]:
    """Sweeps whose parts differ in packs, reports, trials and workers: see `driver_costs`."""
    few, shape = (4, 2) if quick else (120, 20), (SEEDS, 5 if quick else EPOCHS)
    shapes = (
        (Shape(few[0], 1, *shape, 0.1), 8),
        (Shape(few[1] * 5, 5, *shape, 0.4, 0.1), 8),
        (Shape(few[1] * 20, 20, *shape, 0.02), 8),
        (Shape(few[1], 1, *shape, 0.1), 1),
    )
    found = []
    with local_cluster(1, 2 if quick else 8) as cluster:
        for each, workers in shapes[1:3] if quick else shapes:
            settle(patience)
            found.append(
                run(cluster, 1, 2 if quick and workers > 1 else workers, each, prepared, FILE)
            )
    return found


def driver_costs(runs: Sequence[SleepingRun]) -> DriverCosts:
    """The costs that explain the CPU seconds of the first three of `sleeping`'s sweeps.

    A pack's seconds = pack + reports · report + trials · trial: three equations. Those that come
    out below zero are less than what was measured can tell, and count as none. The handover is what
    the fourth sweep's only worker waited besides.
    """
    one, reports, trials, alone = runs if len(runs) == 4 else (runs[0], *runs, runs[0])
    trial = (trials.driver_a_pack - one.driver_a_pack) / (trials.shape.together - 1)
    trial = max(0.0, trial)
    more = reports.driver_a_pack - one.driver_a_pack - (reports.shape.together - 1) * trial
    report = max(0.0, more / max(1, reports.shape.reports - 1))
    pack = max(0.0, one.driver_a_pack - report - trial)
    a_pack = alone.trained / alone.shape.packs - alone.shape.pack_seconds
    return DriverCosts(pack, report, trial, max(0.0, a_pack - one.driver_a_pack))


def recording(folder: Path, quick: bool, patience: float) -> tuple[list[Recording], dict[str, Any]]:
    """Recorders at work on all kinds of stores, and the bytes that one sends to a server."""
    epochs = 5 if quick else EPOCHS
    flags = ("--seeds", str(SEEDS), "--epochs", str(epochs))
    prepared = train(4 if quick else 50, flags, folder / "lesson.arrow")
    large_flags = (*NETWORKS[-1].flags, "--seeds", str(SEEDS), "--epochs", "5")
    large = None if quick else train(2, large_flags, folder / "large.arrow")
    kinds = [FILE] if quick else [FILE, SQLITE, *([POSTGRESQL] if postgresql_programs() else [])]
    few = 4 if quick else 50
    found, network = [], {}
    for kind in kinds:
        with store(kind) as place:
            for recorders, promised, together, trials in (
                (1, few, 1, few // 2),
                (1, few, few // 2, few),
                (1, 10 if quick else 2000, few // 2, few),
                *(() if quick else ((2, few, few // 2, few), (4, few, few // 2, few // 2))),
            ):
                settle(patience)
                case = (recorders, promised, together, trials)
                found.append(record(kind, place, prepared, flags, *case))
            if large is not None:
                settle(patience)
                name = f"{kind}, {NETWORKS[-1].name}"
                found.append(record(name, place, large, large_flags, 1, few, 5, 10))
            if kind != FILE:
                with counted(place.uri) as (uri, counts):
                    record(kind, place._replace(uri=uri), prepared, flags, 1, few, few // 2, few)
                network[kind] = {"sent": counts[0] / few, "received": counts[1] / few}
    return found, network


@cache  # thousands of trials are planned for it
def points_of(trials: int, epochs: int) -> int:
    """Points of curves that a trial has in the store, in a sweep of that many trials."""
    options = parse(SWEEP, "", ["--num-samples", str(trials), "--epochs", str(epochs)])
    made = TrialRuns(make_manifest(*DeclaredSweep(SWEEP, options).plan()))
    return len(made.steps) * len(made.curves)


def recorder_costs(
    found: Sequence[Recording], kind: str, trials: int, epochs: int
) -> RecorderCosts:
    """Of one recorder on that kind of store in a sweep of that many trials.

    Its seconds are delivery + trials · (trial + points · point), from three recordings: the CPU
    seconds of the recorder, and of the server and the database that it waits for. Not the seconds
    that passed, since others may use the machine too; waits for a disk are left out with these.
    """
    single, many, large, *_ = [each for each in found if each.store == kind]
    ours, theirs = (
        _fitted(single, many, large, trials, epochs, parts)
        for parts in (set(many.cpu_a_trial), {"server"})
    )
    return RecorderCosts(*ours, theirs[1], SERVER_PROCESSES)


def _fitted(
    single: Recording, many: Recording, large: Recording, trials: int, epochs: int, parts: set[str]
) -> tuple[float, float]:
    """CPU seconds of those parts for a delivery and for a trial."""
    alone, together, fewer = (
        sum(seconds for part, seconds in each.cpu_a_trial.items() if part in parts)
        for each in (single, many, large)
    )
    delivery = max(0.0, alone - together) / (1 / single.together - 1 / many.together)
    here, there = points_of(many.promised, epochs), points_of(large.promised, epochs)
    point = max(0.0, together - fewer) / max(1, here - there)
    trial = max(0.0, together - delivery / many.together - point * here)
    return delivery, trial + point * points_of(trials, epochs)


def large_recorder_costs(
    found: Sequence[Recording], kind: str, usual: RecorderCosts
) -> RecorderCosts:
    """The same for trials of the largest network, whose weights are megabytes."""
    (large,) = [each for each in found if each.store == f"{kind}, {NETWORKS[-1].name}"]
    trial = max(0.0, sum(large.cpu_a_trial.values()) - usual.delivery / large.together)
    server = large.cpu_a_trial.get("server", 0.0)
    return RecorderCosts(usual.delivery, trial, server, SERVER_PROCESSES)


def seconds_a_trial(found: Sequence[Training], network: str) -> float:
    """Worker seconds of a trial of ten seeds and 500 epochs, in the largest pack measured."""
    largest = max((one for one in found if one.network == network), key=lambda one: one.models)
    return SEEDS * EPOCHS * median(largest.seconds_a_model_epoch)
