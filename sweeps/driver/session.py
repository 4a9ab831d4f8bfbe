"""A sweep under way: Ray and the recorder are started, packs are trained, the record is closed."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from importlib import import_module
from typing import cast

from sweeps.cluster.ray_session import import_ray
from sweeps.driver.interrupts import Interrupts, Stopped
from sweeps.driver.outcome import Outcome
from sweeps.driver.progress import Progress
from sweeps.driver.standing import Standing
from sweeps.plan.errors import Refused
from sweeps.plan.exit_codes import ALREADY_RUNNING
from sweeps.plan.options import BOTH_DEVICES, Options
from sweeps.plan.packs import form_packs
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
from trainables.lasting_imports import lasting_imports
from trainables.manifest import Manifest
from trainables.result import Interval
from trainables.trial import Trial

_STOPPING_SECONDS = 22.0  # that a stopped sweep waits for its recorder


class _NotOurs(Exception):
    """Another process has this sweep: there is nothing more to do."""


class _LetGo(Exception):
    """The sweep was stopped; Tune tidies up after exceptions of this kind only."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__()
        self.stopped = stopped


class SweepRun:
    """One run of one sweep."""

    def __init__(
        self,
        prepare: Callable[[], Manifest],
        options: Options,
        uri: str,
        standing: Standing,
        recorder: Recorder,
        interrupts: Interrupts,
    ) -> None:
        """`prepare` makes the manifest; it is called while Ray starts."""
        self._prepare, self._options, self._uri = prepare, options, uri
        self._standing, self._ray = standing, standing.ray
        self._recorder, self._interrupts = recorder, interrupts
        self._progress = Progress(options.quiet)
        self._summaries: dict[str, Mapping[str, Interval]] = {}
        self._problems: list[Problem] = []
        self._known: set[str] = set()  # keys of trials that were recorded before
        self._lost = ""  # why another process has the sweep

    def run(self, resume_run_id: str | None = None, note: str = "") -> Outcome:
        """Trains and records everything that is not recorded yet.

        `resume_run_id`: the run of the sweep that the manifest is of, when it was started before.
        `note`: a line on it for the user, if any. Raises `StoreError` when the store cannot be
        used, `ResourceError` when Ray cannot, `Refused` when another process has the sweep,
        `RecorderDied`, or `Stopped` before the first trial.
        """
        with self._progress, self._stdout_for_results():
            # An exception in the middle of an import leaves its locks to whoever imports beside it:
            # a signal waits until Ray stands and all threads have their packages.
            self._interrupts.at_checks(True)
            self._ray.find(self._options, self._progress.note)
            slots = self._start()
            self._interrupts.at_checks(False)
            self._interrupts.check()
            begun = self._begin(resume_run_id)
            if note:
                self._progress.note(note)
            stopped = self._train(slots)
            self._progress.stage("recording")
            closed, stopped = self._close(stopped)
        if self._lost:
            raise Refused(self._lost, ALREADY_RUNNING)
        return Outcome(
            self._manifest, self._uri, begun, closed, self._summaries, self._problems, stopped
        )

    def _stdout_for_results(self) -> AbstractContextManager[object]:
        """Sends what Ray prints of a cluster's mishaps to stderr, as a command's results follow.

        Not in a process that may print for others meanwhile.
        """
        return nullcontext() if self._standing.stays else redirect_stdout(sys.stderr)

    def _start(self) -> int:
        """Starts or joins Ray, the manifest made meanwhile; how many packs can run at once."""
        with lasting_imports(whole_process=not self._standing.stays):
            import_ray()
            self._interrupts.install()  # Ray has just put handlers of its own in their place
            from sweeps.cluster import ray_start

            ray_start.prepare()
            # Ray's start is mostly waiting.
            with ThreadPoolExecutor(2) as background:
                background.submit(import_module, "sweeps.cluster.ray_tune")
                manifest = background.submit(self._prepare)
                self._ray.start(self._options, self._progress.note)
                self._interrupts.install()  # as after its import
                self._manifest = manifest.result()
        self._ray.check(self._options, self._interrupts.check, self._progress.note)
        slots = ray_start.free_slots(self._options)
        self._best = BestSoFar(self._manifest)
        trials = self._manifest.trials
        self._progress.expect(len(trials), sum(trial.models for trial in trials))
        return slots

    def _begin(self, resume_run_id: str | None) -> Begun:
        """The sweep's run, created or taken up. Raises `StoreError` and `Refused`."""
        if resume_run_id is None:
            ready = cast(Ready, self._recorder.expect(Ready))
            if ready.problem:
                raise StoreError(ready.problem)
        self._recorder.send(
            Begin(
                self._manifest,
                data.load(self._manifest.dataset["name"]),
                os.getpid(),
                self._options.store_patience,
                resume_run_id,
                self._options.retry_failed,
            )
        )
        begun = cast(Begun, self._recorder.expect(Begun))
        if begun.problem:
            raise Refused(begun.problem, begun.code)
        for key, summary in begun.summaries.items():
            self._note(Recorded(key, summary))
        self._known = {*begun.summaries, *begun.failures}
        self._progress.recorded_before(len(begun.failures))
        return begun

    def _train(self, slots: int) -> Stopped | None:
        """Trains all packs, or as many as it could until it was stopped."""
        from sweeps.cluster import ray_tune

        trials = [trial for trial in self._manifest.trials if trial.key not in self._known]
        if not trials:
            return None
        self._progress.expect(len(self._manifest.trials), sum(each.models for each in trials))
        packs = form_packs(
            trials, slots, self._options.pack, mixed=self._options.device == BOTH_DEVICES
        )
        self._progress.stage("training")
        try:
            self._interrupts.at_checks(True)
            ray_tune.run_packs(
                packs,
                self._options,
                on_results=lambda content: self._recorder.send(Results(content)),
                on_failed=self._failed,
                on_step=self._step,
                note=self._progress.note,
            )
        except Stopped as stopped:
            return stopped
        except _LetGo as let_go:
            return let_go.stopped
        except _NotOurs:
            return None
        return None

    def _failed(self, trials: list[Trial], error: str) -> None:
        self._recorder.send(Failed(trials, error))

    def _step(self, models_trained: float) -> None:
        try:
            self._interrupts.check()
        except Stopped as stopped:
            if self._ray.shared:  # it goes on without this sweep, so nothing may be left there
                raise _LetGo(stopped) from None
            raise
        self._progress.trained(models_trained)
        for event in self._recorder.events():
            self._note(event)
        if self._lost:
            raise _NotOurs

    def _note(self, event: Event) -> None:
        if isinstance(event, Recorded):
            self._summaries[event.key] = judged(event.summary)  # of 10,000 trials all is 30 MB
            best = None
            if self._best.add(event.key, event.summary) and self._best.trial is not None:
                accuracy = event.summary[f"{judged_on(self._manifest)}_accuracy"]
                best = f"{self._best.trial.name} {mean_percent(accuracy)}"
            self._progress.recorded(best)
        elif isinstance(event, Writing):
            self._progress.writing(event.trials)
        elif isinstance(event, Problem):
            self._problems.append(event)
        elif isinstance(event, Waiting):
            self._progress.store_away(event.text)
        elif isinstance(event, Lost):
            self._lost = event.text

    def _close(self, stopped: Stopped | None) -> tuple[Closed, Stopped | None]:
        """Waits until the sweep's run is closed; a signal meanwhile hurries the recorder."""
        self._recorder.send(Finish("KILLED" if stopped else "FINISHED"))
        self._ray.trained(well=stopped is None)
        return self._closed(stopped)

    def _closed(self, stopped: Stopped | None) -> tuple[Closed, Stopped | None]:
        until = time.monotonic() + _STOPPING_SECONDS if stopped else math.inf
        while time.monotonic() < until:
            for event in self._recorder.events(wait=1):
                if isinstance(event, Closed):
                    self._standing.done()
                    return event, stopped
                self._note(event)
            try:
                self._interrupts.check()
            except Stopped as late:
                stopped = late
                until = time.monotonic() + _STOPPING_SECONDS
                self._recorder.send(Finish("KILLED"))
        self._recorder.kill()
        return Closed([], {}, {}, "the tracking store does not answer"), stopped
