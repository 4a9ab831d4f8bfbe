"""`python sweeps/l2.py` with a diary of what the launcher and the recorder did when.

    python benchmarks/watched_sweep.py DIARY [--sleep JSON] -- [flags of sweeps/l2.py]

The sweep is the product's own but for what `--sleep` asks for: trials that sleep (see `sleeping`).
The diary is JSON: times in seconds since 1970, CPU seconds, and memory in bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

import sweeps.record.client
from sleeping import PackSleeper, Sleep
from sweeps.cluster import ray_tune
from sweeps.driver.launch import launch
from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import given, parse
from sweeps.record.messages import Event, Recorded
from trainables.trial import Trial

_PAUSE = 0.2  # seconds between two looks at the processes


class Diary:
    """What happened when, and what the two processes used."""

    def __init__(self) -> None:
        # Time, bytes and the main thread's CPU seconds so far of each delivery by a worker.
        self.results: list[tuple[float, int, float]] = []
        # Time and the same CPU seconds of each trial that the recorder says is recorded.
        self.recorded: list[tuple[float, float]] = []
        self.steps = 0  # of Tune's loop
        self.packs = 0
        self.began = self.ended = 0.0  # of Ray Tune
        self.driver_cpu = 0.0  # of the whole process while Ray Tune ran
        self.looks: list[dict[str, float]] = []
        self._stopped = threading.Event()

    def look_on(self) -> None:
        """Looks at the processes until `stop`."""
        me = psutil.Process()
        recorder: psutil.Process | None = None
        while True:
            look = {"time": time.time(), "recorded": float(len(self.recorded))}
            if recorder is None:
                spawned = [p for p in me.children() if "sweeps.record.process" in str(p.cmdline())]
                recorder = spawned[0] if spawned else None
            for name, process in (("driver", me), ("recorder", recorder)):
                try:
                    if process is not None:
                        times = process.cpu_times()
                        look[f"{name}_cpu"] = times.user + times.system
                        look[f"{name}_bytes"] = float(process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            self.looks.append(look)
            if self._stopped.wait(_PAUSE):
                return

    def stop(self) -> None:
        """Ends `look_on`."""
        self._stopped.set()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


def watch_tune(diary: Diary) -> None:
    """Writes into the diary what passes between Ray Tune and the launcher."""
    run_packs = ray_tune.run_packs

    def watched(
        packs: list[list[Trial]],
        options: Any,
        on_results: Callable[[bytes], None],
        on_failed: Callable[[list[Trial], str], None],
        on_step: Callable[[float], None],
        note: Callable[[str], None],
        later: Any = None,
    ) -> None:
        def results(content: bytes) -> None:
            diary.results.append((time.time(), len(content), time.thread_time()))
            on_results(content)

        def step(models: float) -> None:
            diary.steps += 1
            on_step(models)

        diary.packs = len(packs)
        diary.began, cpu = time.time(), time.process_time()
        try:
            run_packs(packs, options, results, on_failed, step, note, later)
        finally:
            diary.ended = time.time()
            diary.driver_cpu = time.process_time() - cpu

    ray_tune.run_packs = watched


def watch_recorder(diary: Diary) -> None:
    """Writes into the diary when trials were recorded."""
    events = sweeps.record.client.Recorder.events

    def watched(recorder: sweeps.record.client.Recorder, wait: float = 0) -> Iterator[Event]:
        for event in events(recorder, wait):
            if isinstance(event, Recorded):
                diary.recorded.append((time.time(), time.thread_time()))
            yield event

    sweeps.record.client.Recorder.events = watched  # type: ignore[method-assign,assignment]


def main() -> None:
    """Runs the sweep, writes the diary and exits as the sweep does."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("diary", type=Path)
    parser.add_argument("--sleep", type=json.loads, help="fields of `sleeping.Sleep`")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    asked, flags = parser.parse_args(words[:cut]), words[cut + 1 :]
    if asked.sleep is not None:
        # The name is what the processes of Ray's workers are called after.
        kind = type("PackSleeper", (PackSleeper,), {"sleep": Sleep(**asked.sleep)})
        vars(ray_tune)["PackTrainable"] = kind
    diary = Diary()
    watch_tune(diary)
    watch_recorder(diary)
    looking = threading.Thread(target=diary.look_on, daemon=True)
    looking.start()
    options = parse(SWEEP, "", flags)
    code = launch(DeclaredSweep(SWEEP, options, given(flags)))
    diary.stop()
    looking.join()
    asked.diary.write_text(json.dumps(diary.as_dict()))
    sys.exit(code)


if __name__ == "__main__":
    main()
