"""Packs that are decided when all others are trained: for workers that are there already.

A second run of Tune would start workers anew, which takes longer than a small sweep's training. So
some Tune trials more than there are packs stand at the end of the queue. Their workers wait until
the launcher writes down what is left to train.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from ray.tune.experiment import Trial as TuneTrial

from sweeps.cluster.ray_private import remove_note, write_note
from trainables.trial import Trial

_BLOCKED_SECONDS = 2.0  # after which waiting workers give way to packs that have no room

Decide = Callable[[], Sequence[Sequence[Trial]] | None]


class LaterPacks:
    """What the launcher decides, and what comes of it.

    `count`: how many workers wait. `decide` gives the packs, none, or None as long as that is not
    known; it is asked after each step once all other packs are over. `results`: as they came from
    the workers. `failures`: trials that could not be trained, each with the error. `asked`: whether
    `decide` has given packs, and these were handed to workers.
    """

    def __init__(self, count: int, decide: Decide) -> None:
        self.count, self._decide = count, decide
        self.name = f"later-packs-{secrets.token_hex(8)}"
        self.results: list[bytes] = []
        self.failures: list[tuple[list[Trial], str]] = []
        self.asked = False
        self._shares: list[list[list[Trial]]] = []
        self._written = False
        self._blocked: float | None = None  # since when

    def look(self, packs: int, status: Mapping[int, str]) -> None:
        """Decides, if it is time.

        `packs`: how many there are besides these. `status`: those of Tune trials by pack number.
        """
        if self._written:
            return
        own = [state for number, state in status.items() if number < packs]
        waiting = [state for number, state in status.items() if number >= packs]
        over = sum(state in (TuneTrial.TERMINATED, TuneTrial.ERROR) for state in own)
        if over == packs:
            decided = self._decide()
            if decided is not None:
                self._write([list(pack) for pack in decided])
        elif TuneTrial.RUNNING in waiting and TuneTrial.RUNNING not in own:
            # A pack that is repeated finds its place taken.
            self._blocked = self._blocked or time.monotonic()
            if time.monotonic() - self._blocked > _BLOCKED_SECONDS:
                self._write([])
        else:
            self._blocked = None

    def _write(self, packs: Sequence[list[Trial]]) -> None:
        self._written, self.asked = True, bool(packs)
        self._shares = [list(packs[number :: self.count]) for number in range(self.count)]
        write_note(self.name, self._shares)

    def failed(self, share: int, error: str) -> None:
        """That worker's share could not be trained; what came of it before is kept."""
        trials = [trial for pack in self._shares[share] for trial in pack] if self._shares else []
        if trials:
            self.failures.append((trials, error))

    def end(self) -> None:
        """Tidies up."""
        if self._written:
            remove_note(self.name)
