"""One Ray Tune trial: receives a pack, trains it, hands over its trials. Alone knows Ray.

Result keys beside Tune's own: `models` (models' worth of epochs trained so far in this pack) and
`results` (Arrow bytes of the trials completed by this step, absent when there are none), which the
launcher takes out of the result as soon as it arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from trainables import data
from trainables.device import granted_device
from trainables.trial import Trial

if TYPE_CHECKING:  # the launcher needs this class too, but not torch
    from trainables.pack_run import PackRun

_REPORT_SECONDS = 1.0  # how long progress may be silent, and how long Ctrl-C may have to wait


class PackTrainable(tune.Trainable):
    """Trains the pack number `config["pack"]` of the `packs` given to `setup`."""

    def setup(  # type: ignore[override]  # `tune.with_parameters` adds all but the first
        self,
        config: dict[str, Any],
        packs: list[list[Trial]],
        dataset: data.Dataset,
        gpu_share: float,
        cpu_only: bool,
    ) -> None:
        """`packs`: all packs of the sweep. `gpu_share`: GPUs that Ray grants a trial that has any.

        `cpu_only`: computes on the CPU whatever is granted.
        """
        self._packs, self._dataset = packs, dataset
        granted = bool(ray.get_gpu_ids()) and not cpu_only
        self._device, self._device_name = granted_device(granted, gpu_share)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Starts over with another pack; nothing of the pack before is kept."""
        from trainables.pack_run import PackRun

        trials = self._packs[new_config["pack"]]
        self._run: PackRun = PackRun(trials, self._dataset, self._device, self._device_name)
        return True

    def step(self) -> dict[str, Any]:
        """Trains for about a second."""
        from trainables.result import to_bytes

        completed = self._run.advance(_REPORT_SECONDS)
        result: dict[str, Any] = {"models": self._run.models_done, "done": self._run.done}
        if completed:
            result["results"] = to_bytes(completed)
        return result
