"""A Ray Tune trial that sleeps where a pack would be trained, and hands over results made before.

Everything around it is the product's own. Many nodes' worth of such trials fit on one machine.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from trainables.trainable import PackTrainable
from trainables.trial import Trial


@dataclass(frozen=True)
class Sleep:
    """How packs sleep: `trial_seconds` for each trial, with a report every `step_seconds`.

    `prepared`: a file of real results in Arrow's format, of as many seeds and epochs as the trials
    have. `ready`: a folder in which the workers meet, since they start at different times: nobody
    sleeps before all `workers` are there.
    """

    trial_seconds: float
    step_seconds: float
    prepared: str
    ready: str
    workers: int


def opened_at(ready: str) -> float:
    """When the last worker came to the folder, in seconds since 1970."""
    return max(path.stat().st_mtime for path in Path(ready).iterdir())


class PackSleeper(PackTrainable):
    """Sleeps as its `sleep` says, which a subclass has."""

    sleep: Sleep

    def setup(self, config: dict[str, Any], **given: Any) -> None:  # type: ignore[override]
        """Takes what a trainable of packs takes, and waits for the other workers."""
        self._prepared = Prepared(Path(self.sleep.prepared))
        super().setup(config, **given)
        ready = Path(self.sleep.ready)
        (ready / str(os.getpid())).touch()
        while sum(1 for _ in ready.iterdir()) < self.sleep.workers:
            time.sleep(0.05)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Starts over with another pack."""
        self._trials = self._packs[new_config["pack"]]
        self._left = self._all = self.sleep.trial_seconds * len(self._trials)
        return True

    def step(self) -> dict[str, Any]:
        """Sleeps until the next report; the last one brings the results, as the time allows."""
        began = time.perf_counter()
        nap = min(self.sleep.step_seconds, self._left)
        self._left -= nap
        models = sum(trial.models for trial in self._trials)
        done = self._left <= 1e-9
        share = 1.0 if done else 1 - self._left / self._all
        result: dict[str, Any] = {"models": models * share, "done": done}
        if done:
            result["results"] = self._prepared.results_of(self._trials)
        time.sleep(max(0.0, nap - (time.perf_counter() - began)))
        return result


class Prepared:
    """Real results, given out again as those of other trials: cheaper than making new ones."""

    def __init__(self, path: Path) -> None:
        table = pa.ipc.open_stream(path.read_bytes()).read_all()
        starts = [row for row, trial in enumerate(table["trial"].to_pylist()) if trial]
        ends = [*starts[1:], len(table)]
        self._tables = [table.slice(a, b - a) for a, b in zip(starts, ends, strict=True)]

    def results_of(self, trials: Sequence[Trial]) -> bytes:
        """Results in the format of `trainables.result.to_bytes`."""
        parts = []
        for number, trial in enumerate(trials):
            table = self._tables[number % len(self._tables)]
            named = pa.array([json.dumps(trial.as_dict()), *[""] * (len(table) - 1)])
            parts.append(table.set_column(table.schema.get_field_index("trial"), "trial", named))
        whole = pa.concat_tables(parts)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, whole.schema) as writer:
            writer.write_table(whole)
        content: bytes = sink.getvalue().to_pybytes()
        return content
