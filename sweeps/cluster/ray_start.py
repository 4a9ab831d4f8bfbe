"""Ray: a cluster joined, or one started here whose workers are ready early; what it has to give."""

from __future__ import annotations

import logging
import math
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ray

from sweeps.cluster.ray_address import ResourceError
from sweeps.cluster.ray_private import cpus_found, keep_our_signal_handlers, start_no_helpers
from sweeps.cluster.ray_token import check_token
from sweeps.plan.options import BOTH_DEVICES, Options
from trainables.installation import NO_TRIALS, code_files

_UNTIL_ASKED_SECONDS = 0.2  # that an actor takes until a worker for it is being started
_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no CSV, JSON and TensorBoard files beside MLflow
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # `interrupts` answers signals
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # no snapshots: the record is MLflow
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray starts a worker for each CPU at once; they spend the time until Tune needs them on the
    # imports that they will need.
    "RAY_preload_python_modules": "trainables.worker_imports",
    # Once the CPUs are promised to Tune's trials, Ray takes its idle workers for surplus: it would
    # end them before the trials ask for workers, and start others.
    "RAY_idle_worker_killing_time_threshold_ms": "60000",
    "PL_DISABLE_FORK": "1",  # see `ray_private.no_environment_asked`
}


def start_ray(cpus: int | None) -> Path:
    """Starts Ray on this machine, with so many CPUs; None for all that it finds.

    The folder of its session, which stays when it has ended.
    """
    start_no_helpers()
    about = _init(
        "cannot be started",
        address="local",
        include_dashboard=False,
        num_cpus=cpus,
    )
    return Path(about["session_dir"])


def cpus_to_use(options: Options, useful_workers: int | None) -> int | None:
    """Those of as many trials at once as are allowed and useful; None for all that Ray finds.

    Ray starts a worker for each CPU that it has, and each costs seconds of a core.
    `useful_workers`: see `plan.packs`; None when it is not known what is to be trained.
    """
    limits = (options.max_concurrent, None if options.gpus_per_trial else useful_workers)
    at_once = min((limit for limit in limits if limit is not None), default=None)
    if at_once is None:
        return None
    needed = math.ceil(at_once * options.cpus_per_trial)
    return needed if needed < cpus_found() else None


def join_cluster(address: str) -> int:
    """Connects to the Ray cluster at `address`; how many bytes of code its workers receive.

    They run this installation's trainables, whatever is installed on their nodes. Ending Ray here
    leaves the cluster as it is and takes this sweep's workers from it.
    """
    check_token(address)
    environment, size = sent_code()
    _init(f"at {address} cannot be used", address=address, runtime_env=environment)
    return size


def sent_code() -> tuple[dict[str, Any], int]:
    """Ray's description of the code that a cluster's workers receive, and its size in bytes."""
    files = code_files()
    without = ["__pycache__", "py.typed", NO_TRIALS]
    environment = {"py_modules": [str(files[0].parent)], "excludes": without}
    return environment, sum(file.stat().st_size for file in files)


def prepare() -> None:
    """Sets what Ray and Tune are asked to do otherwise in this process, unless it is set.

    To be called before a sweep uses Ray, whoever has started that.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    keep_our_signal_handlers()
    for name in ("ray", "ray.tune", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _init(what_failed: str, **arguments: Any) -> Mapping[str, Any]:
    """What Ray says of itself once it stands."""
    try:
        started: Any = ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **arguments)
    except Exception as error:  # Ray raises a dozen kinds here; all mean the same to the user
        reason = " ".join(str(error).split())[:300]
        if reason.startswith("Version mismatch"):
            reason += "; install the same versions on this machine and all nodes"
        raise ResourceError(f"Ray {what_failed}: {reason}") from error
    about: Mapping[str, Any] = started.address_info
    return about


def stand_workers_ready() -> None:
    """Has Ray start workers for the trials of another sweep, which import while nobody waits.

    Workers end with the trials that they ran, and Ray starts others when these are asked for. Here
    actors ask for them that are gone before they are there. (Workers that have run a task of Ray's
    would be left over, but are not given to actors.)
    """
    class_of_nobody: Any = ray.remote(num_cpus=0)(_Nobody)
    cpus = int(sum(node.resources.get("CPU", 0) for node in living_nodes()))
    waiting = [class_of_nobody.remote() for _ in range(cpus)]
    time.sleep(_UNTIL_ASKED_SECONDS)
    for each in waiting:
        ray.kill(each)


class _Nobody:
    """An actor that does nothing."""


class Node(NamedTuple):
    """A node of the cluster: its id, how a user knows it, and how much it has of what."""

    id: str
    name: str
    resources: Mapping[str, float]


def living_nodes() -> list[Node]:
    """The cluster's nodes that are alive."""
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [
        Node(
            each["NodeID"],
            f"node {each['NodeManagerHostname']} ({each['NodeManagerAddress']})",
            each["Resources"],
        )
        for each in known
        if each["Alive"]
    ]


class Slots(NamedTuple):
    """How many packs can run at once, on GPUs and on CPUs alone."""

    cuda: int
    cpu: int


def free_slots(options: Options) -> int:
    """How many packs Ray can run at once. Raises `ResourceError` when it is none."""
    cpus, gpus = options.cpus_per_trial, options.gpus_per_trial
    nodes = [node.resources for node in living_nodes()]
    slots = slots_on(nodes, options)
    if (slots.cuda if gpus else slots.cpu) == 0:
        asked = f"{cpus:g} CPUs" + (f" and {gpus:g} GPUs" if gpus else "")
        kinds = Counter((node.get("CPU", 0), node.get("GPU", 0)) for node in nodes)
        has = ", ".join(
            f"{count} with {cpu:g} CPUs and {gpu:g} GPUs" for (cpu, gpu), count in kinds.items()
        )
        raise ResourceError(
            f"each Ray Tune trial asks for {asked} on one node; nodes: {has}; lower "
            "--cpus-per-trial or --gpus-per-trial, or use a cluster that has them"
        )
    return min(sum(slots), options.max_concurrent or sum(slots))


def slots_on(nodes: Sequence[Mapping[str, float]], options: Options) -> Slots:
    """What nodes with these resources have room for.

    Without `--gpus-per-trial` all slots are of CPUs; with it of GPUs, and beside them of CPUs when
    `--device` names both.
    """
    cpus, gpus = options.cpus_per_trial, options.gpus_per_trial
    if not gpus:
        return Slots(0, sum(slots_of(node, cpus, 0) for node in nodes))
    cuda = [slots_of(node, cpus, gpus) for node in nodes]
    if options.device != BOTH_DEVICES:
        return Slots(sum(cuda), 0)
    left = [node.get("CPU", 0) - n * cpus for node, n in zip(nodes, cuda, strict=True)]
    return Slots(sum(cuda), sum(slots_of({"CPU": each}, cpus, 0) for each in left))


def slots_of(node: Mapping[str, float], cpus: float, gpus: float) -> int:
    """How many trials that ask for so many CPUs and GPUs fit on a node with those resources."""

    # Ray counts in ten-thousandths; so must this, or 3 × 0.1 would not fit into 0.3.
    def times(available: float, asked: float) -> float:
        return round(available * 10_000) // round(asked * 10_000) if asked else math.inf

    if 0 < gpus < 1:
        by_gpu: float = node.get("GPU", 0) * times(1, gpus)  # a fraction stays on one GPU
    else:
        by_gpu = times(node.get("GPU", 0), gpus)
    return int(min(times(node.get("CPU", 0), cpus), by_gpu))
