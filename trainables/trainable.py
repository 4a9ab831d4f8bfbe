"""One Ray Tune trial: receives a pack, trains it, hands over its trials. Alone knows Ray.

Result keys beside Tune's own: `models` (models' worth of epochs trained so far in this pack) and
`results` (Arrow bytes of the trials completed by this step, absent when there are none), which the
launcher takes out of the result as soon as it arrives.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from trainables import data
from trainables.device import granted_device
from trainables.trial import Trial

if TYPE_CHECKING:  # the launcher needs this class too, but not torch
    from trainables.pack_run import PackRun

_REPORT_SECONDS = 1.0  # how long progress may be silent, and how long Ctrl-C may have to wait
_LOOK_SECONDS = 0.05  # between two looks for what is still being decided


class PackTrainable(tune.Trainable):
    """Trains the pack number `config["pack"]` of the `packs` given to `setup`.

    A number past their end is a worker's share of packs that are decided when all of these are
    trained: it waits for the note that says which, see `read_note`.
    """

    def setup(  # type: ignore[override]  # `tune.with_parameters` adds all but the first
        self,
        config: dict[str, Any],
        packs: list[list[Trial]],
        dataset: data.Dataset,
        gpu_share: float,
        cpu_only: bool,
        note: str = "",
    ) -> None:
        """`packs`: all packs of the sweep. `gpu_share`: GPUs that Ray grants a trial that has any.

        `cpu_only`: computes on the CPU whatever is granted. `note`: the name of the note on packs
        that are decided later.
        """
        self._packs, self._dataset, self._note = packs, dataset, note
        granted = bool(ray.get_gpu_ids()) and not cpu_only
        self._device, self._device_name = granted_device(granted, gpu_share)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Starts over with another pack; nothing of the pack before is kept."""
        self._share = new_config["pack"] - len(self._packs)
        self._run: PackRun | None = None
        self._models = 0.0  # of the packs before
        self._to_train: deque[list[Trial]] | None = None
        if self._share < 0:
            self._to_train = deque([self._packs[new_config["pack"]]])
            self._begin_next()
        return True

    def step(self) -> dict[str, Any]:
        """Trains for about a second, or waits as long for what is to be trained."""
        from trainables.result import to_bytes

        if self._to_train is None and not self._know_more():
            return {"models": 0.0, "done": False}
        if self._run is None:
            self._begin_next()
        if self._run is None:
            return {"models": self._models, "done": True}
        completed = self._run.advance(_REPORT_SECONDS)
        result: dict[str, Any] = {"models": self._models + self._run.models_done}
        if self._run.done:
            self._models += self._run.models_done
            self._run = None
        result["done"] = self._run is None and not self._to_train
        if completed:
            result["results"] = to_bytes(completed)
        return result

    def _begin_next(self) -> None:
        from trainables.pack_run import PackRun

        if self._to_train:
            self._run = PackRun(
                self._to_train.popleft(), self._dataset, self._device, self._device_name
            )

    def _know_more(self) -> bool:
        """Whether it has been decided what this worker is to train."""
        until = time.monotonic() + _REPORT_SECONDS
        while (content := read_note(self._note)) is None:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
        shares: list[list[list[Trial]]] = pickle.loads(content)
        self._to_train = deque(shares[self._share] if self._share < len(shares) else [])
        return True


def read_note(name: str) -> bytes | None:
    """What stands in the note of that name; None before `sweeps.cluster.ray_private` writes it."""
    from ray.experimental.internal_kv import _internal_kv_get

    content: bytes | None = _internal_kv_get(name)
    return content
