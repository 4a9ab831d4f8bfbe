"""A sweep whose nodes have gone for good ends with a reason, and goes on when one comes."""

from __future__ import annotations

import pytest
from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Trial as TuneTrial

import sweeps.cluster.waiting_packs
from sweeps.cluster.ray_address import ResourceError
from sweeps.cluster.ray_start import Node
from sweeps.cluster.waiting_packs import WaitingPacks

NOTHING, CPUS, GPU = {"memory": 1.0}, {"CPU": 4.0}, {"CPU": 4.0, "GPU": 1.0}


class Clock:
    """Seconds that pass when it is told so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sweeps.cluster.waiting_packs, "time", clock)
    return clock


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[Node]:
    """The cluster's nodes, to be changed by the test."""
    nodes: list[Node] = []
    monkeypatch.setattr(sweeps.cluster.waiting_packs, "living_nodes", lambda: nodes)
    return nodes


def trial(status: str, cpus: float = 1, gpus: float = 0) -> TuneTrial:
    made = TuneTrial("any", stub=True)
    made.placement_group_factory = PlacementGroupFactory([{"CPU": cpus, "GPU": gpus}])  # type: ignore[assignment]
    made.set_status(status)  # type: ignore[no-untyped-call]
    return made


def test_waiting_without_a_node_is_told_once_and_ends_at_last(
    clock: Clock, nodes: list[Node]
) -> None:
    notes: list[str] = []
    waiting = WaitingPacks(notes.append, patience=60)
    trials = [trial(TuneTrial.PENDING, gpus=0.5), trial(TuneTrial.TERMINATED)]
    nodes.append(Node("0", "head", CPUS))  # without the GPU
    for _ in range(60):
        clock.now += 1
        waiting.look(trials)
    (note,) = notes
    assert note.startswith("warning: the cluster has no node left for 1 Ray Tune trials that wait")
    clock.now += 2
    with pytest.raises(ResourceError, match=r"none has come for 60 s.*add --resume"):
        waiting.look(trials)


@pytest.mark.parametrize(
    ("trials", "node"),
    [
        ([trial(TuneTrial.PENDING)], CPUS),
        ([trial(TuneTrial.PENDING, gpus=1)], GPU),
        ([trial(TuneTrial.PENDING, gpus=1), trial(TuneTrial.PENDING)], CPUS),
        ([trial(TuneTrial.PENDING), trial(TuneTrial.RUNNING)], NOTHING),
        ([trial(TuneTrial.TERMINATED)], NOTHING),
        ([], NOTHING),
    ],
)
def test_nothing_is_said_while_something_runs_or_can(
    clock: Clock, nodes: list[Node], trials: list[TuneTrial], node: dict[str, float]
) -> None:
    notes: list[str] = []
    waiting = WaitingPacks(notes.append, patience=60)
    nodes.append(Node("0", "node", node))
    for _ in range(5):
        clock.now += 50
        waiting.look(trials)
    assert notes == []


def test_a_node_that_comes_starts_the_waiting_anew(clock: Clock, nodes: list[Node]) -> None:
    notes: list[str] = []
    waiting = WaitingPacks(notes.append, patience=60)
    for _ in range(3):
        nodes.clear()
        clock.now += 50
        waiting.look([trial(TuneTrial.PENDING)])
        nodes.append(Node("1", "late", CPUS))
        clock.now += 50
        waiting.look([trial(TuneTrial.PENDING)])
    assert len(notes) == 3
