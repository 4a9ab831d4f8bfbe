"""What makes a node unfit for a sweep, and what only deserves a word."""

from __future__ import annotations

import pytest

from sweeps.cluster.preflight import difference, unfitness
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
