"""What a user sees while a sweep runs.

In a terminal, and in a notebook, one line that is kept up to date; else a plain one every 10 s.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

_PLAIN_SECONDS = 10.0
_NOTEBOOK_SECONDS = 0.5


class Progress:
    """Shows trials recorded, models per second, the best so far and the time left, on stderr."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._trials, self._models = 0, 0
        self._recorded, self._trained = 0, 0.0
        self._best = ""
        self._store_away = False
        self._stage = "starting Ray and the MLflow store"
        self._began = time.monotonic()
        self._training_since: float | None = None
        self._trained_before = 0.0
        self._update_cell: Callable[[str], None] | None = None  # a notebook's
        # Whatever comes on stderr is an error to people at a notebook.
        self._console = Console(stderr=not _in_notebook(), force_jupyter=False)
        self._live: Live | None = None
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._quiet:
            return self
        if _in_notebook():
            self._update_cell = _new_cell(self._line().plain)
            self._start_ticker(_NOTEBOOK_SECONDS)
        elif self._console.is_terminal:
            self._live = Live(
                get_renderable=self._line,
                console=self._console,
                refresh_per_second=4,
                transient=True,
            )
            self._live.start()
        else:
            self._start_ticker(_PLAIN_SECONDS)
        return self

    def _start_ticker(self, seconds: float) -> None:
        self._ticker = threading.Thread(target=self._tick, args=(seconds,), daemon=True)
        self._ticker.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._ticker is not None:
            self._stop.set()
            self._ticker.join()
        if self._update_cell is not None:
            self._update_cell(self._line().plain)  # it stays

    def expect(self, trials: int, models: int) -> None:
        """How many trials and models the sweep has."""
        self._trials, self._models = trials, models

    def stage(self, text: str) -> None:
        """Names what is being done."""
        self._stage = text

    def trained(self, models: float) -> None:
        """Models' worth of epochs trained so far in the whole sweep."""
        if self._training_since is None and models > 0:
            # Counted from the first models on: workers take seconds to start.
            self._training_since, self._trained_before = time.monotonic(), models
        self._trained = models

    def recorded(self, best: str | None) -> None:
        """One more trial stands in MLflow; `best`: in words, if it is the best one so far."""
        self._recorded += 1
        self._best = best or self._best

    def recorded_before(self, trials: int) -> None:
        """So many more trials stand in MLflow from an earlier run of the sweep."""
        self._recorded += trials

    def store_away(self, why: str) -> None:
        """The store does not answer because of `why`, or, when that is empty, does so again."""
        self._store_away = bool(why)
        if why:
            text = f"warning: the tracking store does not answer, results wait on disk: {why}"
        else:
            text = "the tracking store answers again"
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line that stays, unless the user wants to see errors only."""
        if not self._quiet:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _tick(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            if self._update_cell is not None:
                self._update_cell(self._line().plain)
            else:
                self._console.print(self._line(), soft_wrap=True)

    def _line(self) -> Text:
        now = time.monotonic()
        parts = [f"{now - self._began:.0f} s", self._stage]
        if self._training_since is not None:
            seconds = now - self._training_since
            rate = (self._trained - self._trained_before) / seconds if seconds > 1 else 0.0
            parts.append(f"{self._trained:.0f} of {self._models} models trained")
            if rate > 0:
                parts.append(f"{rate:.3g} models/s")
        if self._trials:
            parts.append(f"{self._recorded} of {self._trials} trials recorded")
        if self._store_away:
            parts.append("waiting for the tracking store")
        if self._best:
            parts.append(f"best {self._best}")
        if self._training_since is not None and 0 < self._trained < self._models and rate > 0:
            parts.append(f"about {(self._models - self._trained) / rate:.0f} s left")
        return Text(" · ".join(parts))


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _new_cell(text: str) -> Callable[[str], None]:
    """Shows `text` below the notebook's cell; what is called with the text that takes its place."""
    from IPython.display import display

    shown = display({"text/plain": text}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return lambda text: shown.update({"text/plain": text}, raw=True)
