"""Notices that packs wait for nodes that have left the cluster, says so, and at last gives up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from ray.tune.experiment import Trial as TuneTrial

from sweeps.cluster.ray_address import ResourceError
from sweeps.cluster.ray_start import living_nodes, slots_of

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 300.0  # a machine starts again in that time


class WaitingPacks:
    """Looks whether the cluster still has a node for what waits, when nothing runs."""

    def __init__(self, note: Callable[[str], None], patience: float = _PATIENCE_SECONDS) -> None:
        self._note, self._patience = note, patience
        self._looked = 0.0
        self._without: float | None = None  # since when there has been no such node

    def look(self, trials: Iterable[TuneTrial]) -> None:
        """Raises `ResourceError` when for `patience` seconds there was no node for any of them."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        status = {trial: trial.status for trial in trials}
        waiting = [trial for trial in status if status[trial] == TuneTrial.PENDING]
        running = TuneTrial.RUNNING in status.values()
        if running or not waiting or any(map(_has_room, {_asked(each) for each in waiting})):
            self._without = None
            return
        what = f"the cluster has no node left for {len(waiting)} Ray Tune trials that wait for one"
        if self._without is None:
            self._without = now
            self._note(f"warning: {what}; they go on when one comes")
        elif now - self._without > self._patience:
            raise ResourceError(
                f"{what}, and none has come for {self._patience:.0f} s; what was recorded stays: "
                "start nodes, or use --address local, and add --resume"
            )


def _asked(trial: TuneTrial) -> tuple[float, float]:
    asked: Mapping[str, float] = trial.placement_group_factory.required_resources  # type: ignore[attr-defined]
    return asked.get("CPU", 0), asked.get("GPU", 0)


def _has_room(asked: tuple[float, float]) -> bool:
    return any(slots_of(node.resources, *asked) > 0 for node in living_nodes())
