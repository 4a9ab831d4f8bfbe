"""A sweep that comes after another and is trained along with it, on workers that are there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.errors import SweepError
from sweeps.plan.packs import form_packs
from trainables.trial import Trial

if TYPE_CHECKING:
    from sweeps.cluster.later_packs import LaterPacks

_MOST_WORKERS = 4  # as many configurations as there are at most
_LAG_SECONDS = 20.0  # that workers wait for the store; then the sweep that follows has its own


class FollowUp:
    """What follows, as `plan` decides it from the results of the sweep before; perhaps nothing.

    `made`: its plan, once there is one. `packs`: those that the workers train, if they are asked.
    `complete`: whether they have trained all of it.
    """

    def __init__(self, plan: Callable[[SourceSweep], Plan | None], pack: int | None) -> None:
        self._make, self._pack = plan, pack
        self._workers = 0
        self._waited_since: float | None = None
        self.made: Plan | None = None
        self.packs: LaterPacks | None = None
        self.complete = False
        self.refused: SweepError | None = None  # why there is no plan

    def on_workers(
        self, slots: int, decide: Callable[[], Sequence[Sequence[Trial]] | None]
    ) -> LaterPacks | None:
        """The packs that are decided later, for some of so many workers, if these can be told."""
        from sweeps.cluster.later_packs import LaterPacks
        from sweeps.cluster.ray_private import notes_work

        if not notes_work():
            return None
        self._workers = min(slots, _MOST_WORKERS)
        self.packs = LaterPacks(self._workers, decide)
        return self.packs

    def decide(self, source: SourceSweep, known: bool) -> Sequence[Sequence[Trial]] | None:
        """Its packs, or none; None as long as not all of the `source` is `known`."""
        self._waited_since = self._waited_since or time.monotonic()
        if not known:
            return [] if time.monotonic() - self._waited_since > _LAG_SECONDS else None
        plan = self.plan(source)
        return [] if plan is None else form_packs(plan.trials, self._workers, self._pack)

    def plan(self, source: SourceSweep) -> Plan | None:
        """Its plan, made once; None where nothing follows, or `refused` says why it cannot."""
        if self.made is None and self.refused is None:
            try:
                self.made = self._make(source)
            except SweepError as error:
                self.refused = error
        return self.made

    @property
    def trained(self) -> LaterPacks | None:
        """What came of it, if all of it was trained."""
        return self.packs if self.complete and self.packs and self.packs.asked else None
