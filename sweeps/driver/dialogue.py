"""What the launcher and the recorder say to each other about one sweep, from begin to close."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from typing import cast

from sweeps.driver.interrupts import Interrupts, Stopped
from sweeps.driver.progress import Progress
from sweeps.plan.errors import Refused
from sweeps.plan.options import Options
from sweeps.plan.ranking import BestSoFar, judged, judged_on
from sweeps.record.client import Recorder
from sweeps.record.messages import (
    Begin,
    Begun,
    Closed,
    Event,
    Failed,
    Finish,
    Lost,
    Problem,
    Ready,
    Recorded,
    Results,
    Waiting,
    Writing,
)
from sweeps.record.pages.words import mean_percent
from sweeps.record.store.opening import StoreError
from trainables import data
from trainables.manifest import Manifest
from trainables.result import Interval
from trainables.trial import Trial

_STOPPING_SECONDS = 22.0  # that a stopped sweep waits for its recorder


class Dialogue:
    """Sends what was trained and keeps what the recorder answers.

    `summaries` and `problems`: what was recorded, and what could not be. `lost`: why another
    process has the sweep. `begun`: what stood there before.
    """

    def __init__(
        self, manifest: Manifest, recorder: Recorder, interrupts: Interrupts, progress: Progress
    ) -> None:
        self._manifest, self._recorder = manifest, recorder
        self._interrupts, self._progress = interrupts, progress
        self._best = BestSoFar(manifest)
        self.summaries: dict[str, Mapping[str, Interval]] = {}
        self.problems: list[Problem] = []
        self.lost = ""
        self.begun = Begun()
        self._failed: set[str] = set()  # keys of trials that could not be trained now
        self._finished = False  # whether the recorder was told that there is no more
        self._closed: Closed | None = None

    def begin(self, options: Options, resume_run_id: str | None) -> None:
        """The sweep's run is created or taken up. Raises `StoreError` and `Refused`."""
        if resume_run_id is None:
            ready = cast(Ready, self._recorder.expect(Ready))
            if ready.problem:
                raise StoreError(ready.problem)
        self._recorder.send(
            Begin(
                self._manifest,
                data.load(self._manifest.dataset["name"]),
                os.getpid(),
                options.store_patience,
                resume_run_id,
                options.retry_failed,
            )
        )
        self.begun = cast(Begun, self._recorder.expect(Begun))
        if self.begun.problem:
            raise Refused(self.begun.problem, self.begun.code)
        for key, summary in self.begun.summaries.items():
            self._note(Recorded(key, summary))
        self._progress.recorded_before(len(self.begun.failures))

    @property
    def left(self) -> list[Trial]:
        """The trials of which nothing is recorded or told yet."""
        known = {*self.summaries, *self.begun.failures, *self._failed}
        return [trial for trial in self._manifest.trials if trial.key not in known]

    def results(self, content: bytes) -> None:
        """Hands over trials that were trained."""
        self._recorder.send(Results(content))

    def failed(self, trials: list[Trial], error: str) -> None:
        """Hands over trials that could not be trained."""
        self._failed |= {trial.key for trial in trials}
        self._recorder.send(Failed(trials, error))

    def listen(self) -> None:
        """Takes in what has been answered so far."""
        for event in self._recorder.events():
            self._note(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, Recorded):
            self.summaries[event.key] = judged(event.summary)  # of 10,000 trials all is 30 MB
            best = None
            if self._best.add(event.key, event.summary) and self._best.trial is not None:
                accuracy = event.summary[f"{judged_on(self._manifest)}_accuracy"]
                best = f"{self._best.trial.name} {mean_percent(accuracy)}"
            self._progress.recorded(best)
        elif isinstance(event, Writing):
            self._progress.writing(event.trials)
        elif isinstance(event, Problem):
            self.problems.append(event)
        elif isinstance(event, Waiting):
            self._progress.store_away(event.text)
        elif isinstance(event, Lost):
            self.lost = event.text
        elif isinstance(event, Closed):
            self._closed = event

    def finish(self) -> None:
        """Tells that there is no more: the recorder may close the sweep's run."""
        if not self._finished:
            self._finished = True
            self._recorder.send(Finish("FINISHED"))

    def close(self, stopped: Stopped | None) -> tuple[Closed, Stopped | None]:
        """Waits until the sweep's run is closed; a signal meanwhile hurries the recorder."""
        if stopped is None:
            self.finish()
        elif self._closed is None:
            self._recorder.send(Finish("KILLED"))
        until = time.monotonic() + _STOPPING_SECONDS if stopped else math.inf
        while self._closed is None and time.monotonic() < until:
            for event in self._recorder.events(wait=1):
                self._note(event)
                if self._closed is not None:
                    return self._closed, stopped
            try:
                self._interrupts.check()
            except Stopped as late:
                stopped = late
                until = time.monotonic() + _STOPPING_SECONDS
                self._recorder.send(Finish("KILLED"))
        if self._closed is not None:
            return self._closed, stopped
        self._recorder.kill()
        return Closed([], {}, {}, "the tracking store does not answer"), stopped
