"""Packs as Ray Tune trials, and what comes back from them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Trial as TuneTrial

from sweeps.cluster.later_packs import LaterPacks
from sweeps.cluster.mixed_devices import MixedDevices
from sweeps.cluster.ray_private import no_environment_asked, repeat_what_was_lost
from sweeps.cluster.ray_start import living_nodes, slots_on
from sweeps.cluster.waiting_packs import WaitingPacks
from sweeps.plan.options import BOTH_DEVICES, Options
from trainables import data
from trainables.trainable import PackTrainable
from trainables.trial import Trial

_RETRIES = 2  # of a pack that fails; a worker that was killed deserves another chance
# Of a result, by Tune: which pack, and where it was trained; `done`, or Tune prints that it is.
_KEPT = ("trial_id", "node_ip", "pid", "done")


def run_packs(
    packs: list[list[Trial]],
    options: Options,
    on_results: Callable[[bytes], None],
    on_failed: Callable[[list[Trial], str], None],
    on_step: Callable[[float], None],
    note: Callable[[str], None],
    later: LaterPacks | None = None,
) -> None:
    """Trains all packs; returns when all have finished or failed, or when Tune was stopped.

    `on_results` receives the Arrow bytes of trained trials, `on_failed` the trials of a pack that
    failed for good with its error, `on_step` the models' worth of epochs trained so far, after each
    step of Tune's loop, `note` what a user should know. What they raise ends the sweep and comes
    out of this call, as does `ResourceError` when packs wait for nodes that do not come back.
    `later`: what is trained after all of them, if anything; not on mixed devices.
    """
    repeat_what_was_lost()
    waiting = WaitingPacks(note)
    callback = _PackCallback(packs, on_results, on_failed, on_step, waiting, later)
    count = len(packs) + (later.count if later else 0)
    # The data travel with the packs: loading them would cost every worker an import of seconds.
    with_packs = tune.with_parameters(
        PackTrainable,
        packs=packs,
        dataset=data.load(options.dataset),
        gpu_share=options.gpus_per_trial,
        cpu_only=options.device == "cpu",
        note=later.name if later else "",
    )
    mixed = options.device == BOTH_DEVICES
    storage = Path(tempfile.mkdtemp(prefix="sweep-tune-"))
    try:
        tuner = tune.Tuner(
            tune.with_resources(with_packs, _resources(options)),
            param_space={} if mixed else {"pack": tune.grid_search(list(range(count)))},
            tune_config=tune.TuneConfig(
                search_alg=_by_device(packs, options) if mixed else None,
                num_samples=len(packs) if mixed else 1,
                reuse_actors=True,
                max_concurrent_trials=options.max_concurrent,
                trial_dirname_creator=lambda trial: f"pack-{trial.config['pack']}",
            ),
            run_config=tune.RunConfig(
                name="packs",
                storage_path=str(storage),
                callbacks=[callback],
                verbose=0,
                # Tune's own in a notebook clears the cell, the sweep's progress with it.
                progress_reporter=tune.CLIReporter(),
                failure_config=tune.FailureConfig(max_failures=_RETRIES),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        with no_environment_asked():
            tuner.fit()
    except Exception:
        if callback.raised is not None:
            raise callback.raised from None
        raise
    finally:
        if later is not None:
            later.end()
        shutil.rmtree(storage, ignore_errors=True)


def _resources(options: Options) -> dict[str, float] | Callable[..., PlacementGroupFactory]:
    """What each Tune trial asks Ray for; of mixed devices, by its configuration."""
    cpus, gpus = options.cpus_per_trial, options.gpus_per_trial
    if options.device != BOTH_DEVICES:
        return {"CPU": cpus, "GPU": gpus}

    # Workers receive this function, and of this project only what they train with: it may use
    # nothing else of it.
    def of(config: dict[str, Any]) -> PlacementGroupFactory:
        return PlacementGroupFactory([{"CPU": cpus, "GPU": gpus * (config["device"] == "cuda")}])

    return of


def _by_device(packs: list[list[Trial]], options: Options) -> MixedDevices:
    # Tune starts one worker at a time of those that a search suggests, unless it is told how many.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(len(packs))
    return MixedDevices(
        len(packs), lambda: slots_on([node.resources for node in living_nodes()], options)
    )


class _PackCallback(tune.Callback):
    """Takes results out of Tune's hands as they arrive."""

    def __init__(
        self,
        packs: list[list[Trial]],
        on_results: Callable[[bytes], None],
        on_failed: Callable[[list[Trial], str], None],
        on_step: Callable[[float], None],
        waiting: WaitingPacks,
        later: LaterPacks | None = None,
    ) -> None:
        self._packs, self._waiting, self._later = packs, waiting, later
        self._models: dict[int, float] = {}  # trained so far, by pack
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
        number = trial.config["pack"]
        self._models[number] = result["models"]
        content = result.get("results")
        # Tune lets callbacks change what it keeps. It would keep the results, and statistics of
        # every number: 16 kB for each pack, until the sweep ends.
        for name in result.keys() - set(_KEPT):
            del result[name]
        if content is not None and number < len(self._packs):
            self._call(self._on_results, content)
        elif content is not None and self._later is not None:
            self._later.results.append(content)

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        number = trial.config["pack"]
        if number < len(self._packs):
            self._call(self._on_failed, self._packs[number], _error_of(trial))
        elif self._later is not None:
            self._later.failed(number - len(self._packs), _error_of(trial))

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        self._call(self._on_step, sum(self._models.values()))
        self._call(self._waiting.look, trials)
        if self._later is not None:
            status = {each.config["pack"]: each.status for each in trials}
            self._call(self._later.look, len(self._packs), status)


def _error_of(trial: TuneTrial) -> str:
    """The last line of a failed trial's traceback."""
    path = trial.error_file
    text = Path(path).read_text(errors="replace") if path and Path(path).exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "the worker process died without an error message"
