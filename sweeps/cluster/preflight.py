"""Before the first trial: does every node of a cluster have what this sweep needs, and the same?

Nothing of a node's data or code is needed: both are sent from here. Whether the tracking store can
be used is asked by the recorder, which runs here too and alone writes to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweeps.cluster.ray_address import ResourceError
from sweeps.cluster.ray_start import Node, living_nodes
from sweeps.plan.options import Options
from trainables.installation import ABSENT, NUMBERS_DEPEND_ON, installation

# A cluster with a node that is known to be unfit is refused within 30 s, the seconds that it takes
# to connect included.
_SECONDS = 20.0  # a worker has to start on every node
_JOINING_SECONDS = 12.0  # of these, for nodes that are still on their way
# For nodes that have said nothing yet. Ray's workers give way to their machine's other processes
# (nice 15): where those keep it busy, a node that is fit takes longer to start one.
_PATIENCE_SECONDS = 90.0
_CODE = ("trainer", "code")


def check_nodes(options: Options, check: Callable[[], None], note: Callable[[str], None]) -> None:
    """Raises `ResourceError` with a line for each node that is unfit, or one if they are too few.

    `check` is called while nodes are waited for; what it raises comes out. `note` is told of
    differences that change no more than the last bits of numbers, and of nodes that are waited for
    beyond the usual time.
    """
    began = time.monotonic()
    nodes = _wait_for(options.expect_nodes or 1, check)
    asks_cuda = options.gpus_per_trial > 0 and options.device != "cpu"
    question: Any = ray.remote(num_cpus=0, max_retries=0)(installation)
    answers = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        cuda = asks_cuda and node.resources.get("GPU", 0) > 0
        answers[question.options(scheduling_strategy=there).remote(cuda)] = node
    here = installation()
    unfit: list[str] = []
    waiting = list(answers)
    told = False
    while waiting:
        check()
        waited = time.monotonic() - began
        if waited > (_SECONDS if unfit else _PATIENCE_SECONDS):
            break
        if waited > _SECONDS and not told:
            names = ", ".join(sorted(answers[each].name for each in waiting))
            note(f"still waiting for an answer of {names}")
            told = True
        ready, waiting = ray.wait(waiting, timeout=0.5)
        for each in ready:
            found = _answer(each)
            name = answers[each].name
            if isinstance(found, str):
                unfit.append(f"{name} cannot run trials: {found}")
                continue
            unfit += unfitness(name, here, found)
            if text := difference(name, here, found):
                note(text)
    seconds = time.monotonic() - began
    unfit += [
        f"{answers[each].name} has not answered for {seconds:.0f} s: see `ray status` "
        "and restart Ray there, or take the node out of the cluster"
        for each in waiting
    ]
    if unfit:
        raise ResourceError("\n".join(sorted(set(unfit))))


def unfitness(name: str, here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Why the node of that name would give other numbers than this machine, a line each.

    `here` and `there`: what `installation` found on this machine and on the node.
    """
    found = [
        f"{name} {_has(package, there)}, this machine {here[package]}: install {package} "
        f"{here[package]} there"
        for package in ("python", *NUMBERS_DEPEND_ON)
        if _release(there[package]) != _release(here[package])
    ]
    if any(there[each] != here[each] for each in _CODE):
        found.append(
            f"{name} runs other code, from {there['folder']} (trainer version {there['trainer']}, "
            f"here {here['trainer']}): bring it to the same commit, or remove it there"
        )
    if why := there.get("cuda", ""):
        found.append(
            f"{name} cannot use its GPUs: {why}; install a CUDA build of torch {here['torch']} "
            "there, or leave out --gpus-per-trial"
        )
    return found


def _has(package: str, there: Mapping[str, str]) -> str:
    version = there[package]
    return f"has no {package}" if version == ABSENT else f"has {package} {version}"


def difference(name: str, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """A warning when numbers of that node may differ in their last bits; empty when not."""
    builds = [each for each in NUMBERS_DEPEND_ON if _release(there[each]) == _release(here[each])]
    differences = [
        f"{label} {there[each]}, this machine {here[each]}"
        for label, each in (*zip(builds, builds, strict=True), ("CPU", "cpu"))
        if there[each] != here[each]
    ]
    if not differences:
        return ""
    return f"warning: {name} has {'; '.join(differences)}: the last bits of numbers may differ"


def _wait_for(count: int, check: Callable[[], None]) -> list[Node]:
    until = time.monotonic() + _JOINING_SECONDS
    while len(nodes := living_nodes()) < count:
        if time.monotonic() > until:
            raise ResourceError(
                f"--expect-nodes needs {count} nodes, the cluster has {len(nodes)} after "
                f"{_JOINING_SECONDS:.0f} s: see `ray status`, start Ray on the others with "
                "`ray start --address`, or expect fewer"
            )
        check()
        time.sleep(0.2)
    return nodes


def _answer(reference: Any) -> dict[str, str] | str:
    """What the node answered, or why it could not."""
    try:
        found: dict[str, str] = ray.get(reference)
        return found
    except Exception as error:  # of Ray, of the node's Python, or of setting up the code there
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:300]


def _release(version: str) -> str:
    """A version without what says how it was built: 2.13.0+cpu and 2.13.0+cu130 are one."""
    return version.split("+", maxsplit=1)[0]
