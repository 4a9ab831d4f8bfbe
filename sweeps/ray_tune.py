"""Packs as Ray Tune trials: starting Ray, checking that it can serve them, running them."""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial as TuneTrial

from sweeps.options import Options
from trainables import data
from trainables.hyperparameters import Trial
from trainables.trainable import PackTrainable

_RETRIES = 2  # of a pack that fails; a worker that was killed deserves another chance


_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no CSV, JSON and TensorBoard files beside MLflow
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # `interrupts` answers signals
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # no snapshots: the record is MLflow
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


class ResourceError(Exception):
    """Ray cannot be started, or has not what the sweep asks for."""


def start_ray() -> None:
    """Starts Ray on this machine."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ("ray", "ray.tune", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        ray.init(
            address="local",
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
        )
    except Exception as error:  # Ray raises a dozen kinds here; all mean the same to the user
        reason = " ".join(str(error).split())[:300]
        raise ResourceError(f"Ray cannot be started: {reason}") from error


def free_slots(options: Options) -> int:
    """How many packs Ray can run at once. Raises `ResourceError` when it is none."""
    cpus, gpus = options.cpus_per_trial, options.gpus_per_trial
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = [node["Resources"] for node in known if node["Alive"]]
    slots = sum(_slots_of(node, cpus, gpus) for node in nodes)
    if slots == 0:
        asked = f"{cpus:g} CPUs" + (f" and {gpus:g} GPUs" if gpus else "")
        has = "; ".join(
            f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes
        )
        raise ResourceError(
            f"each Ray Tune trial asks for {asked} on one node, the cluster has {has}: lower "
            "--cpus-per-trial or --gpus-per-trial, or use a cluster that has them"
        )
    return min(slots, options.max_concurrent or slots)


def _slots_of(node: dict[str, float], cpus: float, gpus: float) -> int:
    # Ray counts in ten-thousandths; so must this, or 3 × 0.1 would not fit into 0.3.
    def times(available: float, asked: float) -> float:
        return round(available * 10_000) // round(asked * 10_000) if asked else math.inf

    if 0 < gpus < 1:
        by_gpu: float = node.get("GPU", 0) * times(1, gpus)  # a fraction stays on one GPU
    else:
        by_gpu = times(node.get("GPU", 0), gpus)
    return int(min(times(node.get("CPU", 0), cpus), by_gpu))


class Outcome:
    """What has come back from the packs so far."""

    def __init__(self, packs: list[list[Trial]]) -> None:
        self.models = [0.0] * len(packs)  # trained so far, by pack
        self.failed_packs = 0
        self.finished_packs = 0

    @property
    def models_trained(self) -> float:
        """Models' worth of epochs over all packs."""
        return sum(self.models)


def run_packs(
    packs: list[list[Trial]],
    options: Options,
    on_results: Callable[[bytes], None],
    on_failed: Callable[[list[Trial], str], None],
    on_step: Callable[[Outcome], None],
    trainable: type[tune.Trainable] = PackTrainable,
) -> Outcome:
    """Trains all packs; returns when all have finished or failed, or when Tune was stopped.

    `on_results` receives the Arrow bytes of trained trials, `on_failed` the trials of a pack that
    failed for good with its error, `on_step` the state after each step of Tune's loop. What they
    raise ends the sweep and comes out of this call.
    """
    outcome = Outcome(packs)
    callback = _PackCallback(packs, outcome, on_results, on_failed, on_step)
    resources = {"CPU": options.cpus_per_trial, "GPU": options.gpus_per_trial}
    # The data travel with the packs: loading them would cost every worker an import of seconds.
    with_packs = tune.with_parameters(
        trainable,
        packs=packs,
        dataset=data.load(options.dataset),
        gpu_share=options.gpus_per_trial,
    )
    storage = Path(tempfile.mkdtemp(prefix="sweep-tune-"))
    try:
        tuner = tune.Tuner(
            tune.with_resources(with_packs, resources),
            param_space={"pack": tune.grid_search(list(range(len(packs))))},
            tune_config=tune.TuneConfig(
                reuse_actors=True,
                max_concurrent_trials=options.max_concurrent,
                trial_dirname_creator=lambda trial: f"pack-{trial.config['pack']}",
            ),
            run_config=tune.RunConfig(
                name="packs",
                storage_path=str(storage),
                callbacks=[callback],
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=_RETRIES),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        tuner.fit()
    except Exception:
        if callback.raised is not None:
            raise callback.raised from None
        raise
    finally:
        shutil.rmtree(storage, ignore_errors=True)
    return outcome


class _PackCallback(tune.Callback):
    """Takes results out of Tune's hands as they arrive."""

    def __init__(
        self,
        packs: list[list[Trial]],
        outcome: Outcome,
        on_results: Callable[[bytes], None],
        on_failed: Callable[[list[Trial], str], None],
        on_step: Callable[[Outcome], None],
    ) -> None:
        self._packs, self._outcome = packs, outcome
        self._on_results, self._on_failed, self._on_step = on_results, on_failed, on_step
        self.raised: Exception | None = None  # Tune wraps what a callback raises; this is it bare

    def __reduce__(self) -> tuple[Any, ...]:
        return (tune.Callback, ())  # Tune pickles its callbacks; nothing of this one is to be kept

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        except Exception as error:
            self.raised = error
            raise

    def on_trial_result(
        self,
        iteration: int,
        trials: list[TuneTrial],
        trial: TuneTrial,
        result: dict[str, Any],
        **info: Any,
    ) -> None:
        self._outcome.models[trial.config["pack"]] = result["models"]
        content = result.pop("results", None)  # popped, or Tune would keep and save it
        if content is not None:
            self._call(self._on_results, content)

    def on_trial_complete(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        self._outcome.finished_packs += 1

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        self._outcome.failed_packs += 1
        self._call(self._on_failed, self._packs[trial.config["pack"]], _error_of(trial))

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        self._call(self._on_step, self._outcome)


def _error_of(trial: TuneTrial) -> str:
    """The last line of a failed trial's traceback."""
    path = trial.error_file
    text = Path(path).read_text(errors="replace") if path and Path(path).exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "the worker process died without an error message"
