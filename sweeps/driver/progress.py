"""What a user sees while a sweep runs.

In a terminal a bar with a line below it; in a notebook one line that is kept up to date; else plain
lines every 10 s.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sweeps.driver.terminal import tell

_PLAIN_SECONDS = 10.0
_NOTEBOOK_SECONDS = 0.5
_BETWEEN = " · "


class Progress:
    """Shows trials recorded, models per second, the best so far and the time left, on stderr."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._trials, self._models = 0, 0
        self._recorded, self._writing, self._trained = 0, 0, 0.0
        self._best = ""
        self._store_away = False
        self._stage = "starting Ray and the MLflow store"
        self._began = time.monotonic()
        self._training_since: float | None = None
        self._all_trained_at: float | None = None
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
            self._update_cell = _new_cell(self._line())
            self._start_ticker(_NOTEBOOK_SECONDS)
        elif self._console.is_terminal:
            self._live = Live(
                get_renderable=self._bar,
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
            self._update_cell(self._line())  # it stays

    def expect(self, trials: int, models: int) -> None:
        """How many trials and models the sweep has."""
        self._trials, self._models = trials, models
        if self._trained < models:  # more than there seemed to be
            self._all_trained_at = None

    def stage(self, text: str) -> None:
        """Names what is being done."""
        self._stage = text

    def trained(self, models: float) -> None:
        """Models' worth of epochs trained so far in the whole sweep."""
        if self._training_since is None and models > 0:
            # Counted from the first models on: workers take seconds to start.
            self._training_since, self._trained_before = time.monotonic(), models
        if models >= self._models and self._all_trained_at is None:
            self._all_trained_at = time.monotonic()
        self._trained = models

    def writing(self, trials: int) -> None:
        """So many of the trials that came last have their runs; `recorded` follows for each."""
        self._writing = trials

    def recorded(self, best: str | None) -> None:
        """One more trial stands in MLflow; `best`: in words, if it is the best one so far."""
        self._recorded += 1
        self._writing = max(0, self._writing - 1)
        self._best = best or self._best

    def recorded_before(self, trials: int) -> None:
        """So many more trials stand in MLflow from an earlier run of the sweep."""
        self._recorded += trials

    def store_away(self, why: str) -> None:
        """The store does not answer because of `why`, or, when that is empty, does so again."""
        self._store_away = bool(why)
        if why:
            self._print(f"warning: the tracking store does not answer, results wait on disk: {why}")
        else:
            self._print("the tracking store answers again")

    def note(self, text: str) -> None:
        """A line that stays, unless the user wants to see errors only."""
        if not self._quiet:
            self._print(text)

    def _print(self, text: str) -> None:
        # A terminal's line ends between words, a log's where it ends.
        whole = not self._console.is_terminal
        self._console.print(text, markup=False, highlight=False, soft_wrap=whole)

    def _tick(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            if self._update_cell is not None:
                self._update_cell(self._line())
            else:
                now = self._seconds()
                for parts in (self._training(), self._recording()):
                    if parts:
                        tell(_BETWEEN.join([now, *parts]))

    def _line(self) -> str:
        return _BETWEEN.join([self._seconds(), *self._training(), *self._recording()])

    def _bar(self) -> Group:
        """Two lines that fit a narrow terminal: how far it is, and what is recorded."""
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        cells: list[Text | ProgressBar] = [Text(self._stage), ProgressBar(None, pulse=True)]
        if self._training_since is not None:
            cells[-1] = ProgressBar(self._models, self._trained)
            numbers = [f"{self._trained:.0f} of {self._models} models"]
            if rate := self._rate():
                numbers.append(f"{_short(rate)}/s")
            if left := self._seconds_left():
                numbers.append(f"{left:.0f} s left")
            for number in numbers:
                bar.add_column(no_wrap=True)
                cells.append(Text(number))
        bar.add_row(*cells)
        below = _BETWEEN.join([self._seconds(), *self._recording()])
        return Group(bar, Text(below, no_wrap=True, overflow="ellipsis"))

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"

    def _training(self) -> list[str]:
        """What is being done, and how much of the training there has been."""
        parts = [self._stage]
        if self._training_since is not None:
            parts.append(f"{self._trained:.0f} of {self._models} models trained")
        if rate := self._rate():
            parts.append(f"{_short(rate)}/s")
        if left := self._seconds_left():
            parts.append(f"{left:.0f} s left")
        return parts

    def _rate(self) -> float:
        """Models per second; 0 as long as it cannot be known."""
        if self._training_since is None:
            return 0.0
        seconds = (self._all_trained_at or time.monotonic()) - self._training_since
        return (self._trained - self._trained_before) / seconds if seconds > 1 else 0.0

    def _seconds_left(self) -> float:
        """Of training at that rate; 0 when it is done, or as long as it cannot be known."""
        rate = self._rate()
        return max(0.0, self._models - self._trained) / rate if rate else 0.0

    def _recording(self) -> list[str]:
        """What stands in MLflow, and the best of it."""
        parts = []
        if recorded := self._recorded + self._writing:
            parts.append(f"{recorded} of {self._trials} trials recorded")
        if self._store_away:
            parts.append("waiting for the tracking store")
        if self._best:
            parts.append(f"best {self._best}")
        return parts


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _new_cell(text: str) -> Callable[[str], None]:
    """Shows `text` below the notebook's cell; what is called with the text that takes its place."""
    from IPython.display import display

    shown = display({"text/plain": text}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return lambda text: shown.update({"text/plain": text}, raw=True)
