"""What makes a node unfit for a sweep, and what only deserves a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweeps import l2
from sweeps.cluster import preflight
from sweeps.cluster.preflight import check_nodes, difference, unfitness
from sweeps.cluster.ray_address import ResourceError
from sweeps.cluster.ray_start import Node
from sweeps.plan.options import defaults
from trainables.installation import ABSENT, installation

HERE = installation() | {"torch": "2.13.0+cpu"}


def test_a_node_like_this_machine_is_fit() -> None:
    assert unfitness("node w1", HERE, dict(HERE)) == []
    assert difference("node w1", HERE, dict(HERE)) == ""


@pytest.mark.parametrize("package", ["python", "torch", "numpy"])
def test_another_version_makes_unfit(package: str) -> None:
    (line,) = unfitness("node w1", HERE, HERE | {package: "1.2.3"})
    version = HERE[package].split("+")[0]
    assert line.startswith(f"node w1 has {package} 1.2.3, this machine {version}")
    assert f"install {package} {version}" in line


def test_a_package_that_is_not_there_makes_unfit() -> None:
    (line,) = unfitness("node w1", HERE, HERE | {"torch": ABSENT})
    assert line == "node w1 has no torch, this machine 2.13.0+cpu: install torch 2.13.0+cpu there"


@pytest.mark.parametrize("what", [{"code": "0"}, {"trainer": "1"}])
def test_other_code_makes_unfit(what: dict[str, str]) -> None:
    (line,) = unfitness("node w1", HERE, HERE | what | {"folder": "/old/trainables"})
    assert line.startswith("node w1 runs other code, from /old/trainables (trainer version ")


def test_gpus_that_torch_cannot_use_make_unfit() -> None:
    (line,) = unfitness("node w1", HERE, HERE | {"cuda": "torch 2.13.0 finds no CUDA device"})
    assert line.startswith("node w1 cannot use its GPUs: torch 2.13.0 finds no CUDA device")
    assert unfitness("node w1", HERE, HERE | {"cuda": ""}) == []


def test_every_reason_is_named() -> None:
    there = HERE | {"torch": "1", "numpy": "1", "code": "0", "cuda": "none"}
    assert len(unfitness("node w1", HERE, there)) == 4


@pytest.mark.parametrize("what", [{"torch": "2.13.0+cu130"}, {"cpu": "another"}])
def test_another_build_or_processor_only_deserves_a_word(what: dict[str, str]) -> None:
    assert unfitness("node w1", HERE, HERE | what) == []
    text = difference("node w1", HERE, HERE | what)
    assert text.startswith("warning: node w1 has ")
    assert next(iter(what.values())) in text


def test_whether_torch_can_use_a_gpu_is_asked_only_when_it_matters() -> None:
    assert "cuda" not in installation()
    assert isinstance(installation(ask_for_cuda=True)["cuda"], str)


class Nodes:
    """Stands for Ray and for the clock: a node answers at its second, which comes by waiting."""

    def __init__(self, answers: dict[str, tuple[float, dict[str, str]]]) -> None:
        self._answers, self.now = answers, 0.0

    def monotonic(self) -> float:
        return self.now

    def living(self) -> list[Node]:
        return [Node(name.encode().hex().zfill(56), name, {}) for name in self._answers]

    def remote(self, **_: object) -> Callable[[object], Nodes]:
        return lambda _: self

    def options(self, scheduling_strategy: NodeAffinitySchedulingStrategy) -> Any:
        name = bytes.fromhex(scheduling_strategy.node_id).decode().strip("\0")

        class Question:
            @staticmethod
            def remote(_: bool) -> str:
                return name

        return Question

    def wait(self, waiting: list[str], timeout: float) -> tuple[list[str], list[str]]:
        self.now += timeout
        ready = [name for name in waiting if self._answers[name][0] <= self.now]
        return ready, [name for name in waiting if name not in ready]

    def get(self, name: str) -> dict[str, str]:
        return self._answers[name][1]


Make = Callable[[dict[str, tuple[float, dict[str, str]]]], Nodes]
FIT, UNFIT, NEVER = installation(), installation() | {"torch": "1.2.3"}, float("inf")


@pytest.fixture
def nodes_that_answer(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(answers: dict[str, tuple[float, dict[str, str]]]) -> Nodes:
        made = Nodes(answers)
        monkeypatch.setattr(preflight, "ray", made)
        monkeypatch.setattr(preflight, "time", made)
        monkeypatch.setattr(preflight, "living_nodes", made.living)
        return made

    return make


def check(note: Callable[[str], None]) -> None:
    check_nodes(defaults(l2.SWEEP), lambda: None, note)


def test_slow_nodes_are_named_once_and_waited_for(nodes_that_answer: Make) -> None:
    nodes_that_answer({"w1": (1, FIT), "w3": (40, FIT), "w2": (80, FIT)})
    notes: list[str] = []
    check(notes.append)
    assert notes == ["still waiting for an answer of w2, w3"]


def test_of_nodes_that_answer_soon_nothing_is_said(nodes_that_answer: Make) -> None:
    nodes_that_answer({"w1": (1, FIT), "w2": (19, FIT)})
    notes: list[str] = []
    check(notes.append)
    assert notes == []


def test_an_unfit_node_is_refused_soon_though_another_is_silent(nodes_that_answer: Make) -> None:
    nodes = nodes_that_answer({"w1": (1, UNFIT), "w2": (NEVER, FIT)})
    notes: list[str] = []
    with pytest.raises(ResourceError, match=r"(?m)^w1 has torch 1\.2\.3.*\nw2 has not answered"):
        check(notes.append)
    assert 20 <= nodes.now <= 21
    assert notes == []


def test_a_slow_node_that_proves_unfit_is_refused_then(nodes_that_answer: Make) -> None:
    nodes = nodes_that_answer({"w1": (40, UNFIT), "w2": (NEVER, FIT)})
    with pytest.raises(ResourceError, match=r"(?m)^w1 has torch 1\.2\.3"):
        check(lambda _: None)
    assert 40 <= nodes.now <= 41


def test_a_node_that_never_answers_is_refused_at_last(nodes_that_answer: Make) -> None:
    nodes = nodes_that_answer({"w1": (1, FIT), "w2": (NEVER, FIT)})
    with pytest.raises(ResourceError, match=r"^w2 has not answered for 90 s: see `ray status`"):
        check(lambda _: None)
    assert 90 <= nodes.now <= 91
