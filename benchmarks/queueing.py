"""A sweep on a cluster as a network of queues: what it takes, and which part is full first.

Workers train packs, and after every report wait for the driver, which hands out the next step or
the next pack. Trained packs go to the recorder, which writes one after the other; where its store
is a server, it waits for the answers. Driver, recorder and server serve one at a time, in order of
arrival. Each part has a core to itself: on a machine that they share, they also wait for its cores.

Sources: the bounds are the operational laws of Denning and Buzen (1978), "The operational analysis
of queueing network models", ACM Computing Surveys 10(3): throughput of a part = its utilization /
the seconds that it is busy for each trial; workers and driver are their interactive system, a
report's seconds being the think time. The simulation is of discrete events, without chance.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class DriverCosts:
    """Seconds that the driver is busy for a pack, a report and a trial.

    `handover`: seconds that a worker is without work between two packs although the driver is idle.
    """

    pack: float
    report: float
    trial: float
    handover: float = 0.0


@dataclass(frozen=True)
class RecorderCosts:
    """Seconds that a recorder takes for a delivery and for each of its trials, answers included.

    `server`: of the seconds of a trial those of the server's CPU; 0 without a server.
    `server_processes`: how many of these the server has.
    """

    delivery: float
    trial: float
    server: float = 0.0
    server_processes: int = 1


class Pack(NamedTuple):
    """What a worker does at a time: `trials`, in `seconds`."""

    trials: int
    seconds: float


class Outcome(NamedTuple):
    """Seconds from the first step until all is trained, and until all is recorded.

    `driver`, `recorder`: the share of the time until then that each was busy.
    """

    trained: float
    recorded: float
    driver: float
    recorder: float


def simulate(
    packs: Sequence[Pack],
    workers: int,
    driver: DriverCosts,
    recorder: RecorderCosts,
    report_seconds: float = 1.0,
) -> Outcome:
    """A sweep of those packs, given out in their order to workers that are all there at the start.

    A pack's results come with its last report.
    """
    waiting = iter(packs)
    # Ends of steps by time: the worker's pack, and what it has left of it after the step.
    ends: list[tuple[float, int, Pack, float]] = []
    count = 0

    def begin(now: float, pack: Pack, left: float) -> None:
        nonlocal count
        step = min(report_seconds, left)
        heapq.heappush(ends, (now + step, count, pack, left - step))
        count += 1

    for _, pack in zip(range(workers), waiting, strict=False):
        begin(0.0, pack, pack.seconds)
    driver_free = driver_busy = recorder_free = recorder_busy = 0.0
    while ends:
        arrival, _, pack, left = heapq.heappop(ends)
        done = left <= 1e-9
        service = driver.report + (driver.pack + pack.trials * driver.trial if done else 0.0)
        driver_free = max(arrival, driver_free) + service
        driver_busy += service
        if not done:
            begin(driver_free, pack, left)
            continue
        service = recorder.delivery + pack.trials * recorder.trial
        recorder_free = max(driver_free, recorder_free) + service
        recorder_busy += service
        following = next(waiting, None)
        if following is not None:
            begin(driver_free + driver.handover, following, following.seconds)
    recorded = max(driver_free, recorder_free)
    return Outcome(driver_free, recorded, driver_busy / driver_free, recorder_busy / recorded)


class Limit(NamedTuple):
    """The most trials per second that a part lets through, and the workers that reach it."""

    part: str
    trials_a_second: float
    workers: float


def limits(
    pack: Pack,
    driver: DriverCosts,
    recorder: RecorderCosts,
    sweeps: int = 1,
    report_seconds: float = 1.0,
) -> list[Limit]:
    """The limits of a steady state in which all packs are like `pack`, the lowest first.

    `sweeps`: how many run at once, each with a driver and a recorder of its own, all with the same
    server.
    """
    reports = math.ceil(round(pack.seconds / report_seconds, 9))
    busy = driver.pack + reports * driver.report + pack.trials * driver.trial
    writing = recorder.delivery / pack.trials + recorder.trial
    rates = {"driver": sweeps * pack.trials / busy, "recorder": sweeps / writing}
    if recorder.server:
        rates["server"] = recorder.server_processes / recorder.server
    found = [
        Limit(part, rate, rate * cycle(pack, driver) / pack.trials) for part, rate in rates.items()
    ]
    return sorted(found, key=lambda each: each.trials_a_second)


def cycle(pack: Pack, driver: DriverCosts) -> float:
    """Seconds of a worker from one pack to the next when nobody else is there."""
    return pack.seconds + driver.handover


def throughput(
    pack: Pack,
    workers: float,
    driver: DriverCosts,
    recorder: RecorderCosts,
    sweeps: int = 1,
) -> float:
    """The bound on trials per second with so many workers."""
    lowest = limits(pack, driver, recorder, sweeps)[0]
    return min(workers * pack.trials / cycle(pack, driver), lowest.trials_a_second)
