"""Which pack goes to GPUs and which to CPUs alone: whichever comes free takes the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from sweeps.cluster.ray_start import Slots


class MixedDevices(Searcher):
    """Gives Tune the packs in their order, each for a kind of device that has room for it.

    How much faster one kind is need not be known: it comes back sooner and takes more packs. Tune
    asks again after every step, and gets nothing while all slots are taken.
    """

    def __init__(self, packs: int, slots: Callable[[], Slots]) -> None:
        """`slots` is asked each time, since nodes come and go."""
        super().__init__()
        self._left = iter(range(packs))
        self._slots = slots
        self._device_of: dict[str, str] = {}  # of the Tune trials that have not ended

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """The configuration of the next Tune trial: `pack`, its number, and `device`."""
        taken = Counter(self._device_of.values())
        free = [device for device, room in self._slots()._asdict().items() if taken[device] < room]
        if not free and self._device_of:
            return None
        # Without any node there is no room, and Tune would wait for it inside this call: one pack
        # waits for the first node instead.
        device = free[0] if free else "cpu"
        self._device_of[trial_id] = device
        return {"pack": next(self._left), "device": device}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Its slot is free again."""
        del self._device_of[trial_id]

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a sweep goes on from its record in MLflow."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, as `save`."""
