"""A sweep under way: Ray and the recorder are started, packs are trained, the record is closed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from importlib import import_module

from sweeps.cluster.ray_session import import_ray
from sweeps.driver.dialogue import Dialogue
from sweeps.driver.follow_up import FollowUp
from sweeps.driver.interrupts import Interrupts, Stopped
from sweeps.driver.outcome import Outcome
from sweeps.driver.progress import Progress
from sweeps.driver.standing import Standing
from sweeps.plan.command import SourceSweep
from sweeps.plan.errors import Refused
from sweeps.plan.exit_codes import ALREADY_RUNNING
from sweeps.plan.options import BOTH_DEVICES, Options
from sweeps.plan.packs import form_packs, useful_workers
from sweeps.record.client import Recorder
from trainables.lasting_imports import lasting_imports
from trainables.manifest import Manifest
from trainables.trial import Trial


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
        seconds: float,
        prepare: Callable[[], Manifest],
        options: Options,
        uri: str,
        standing: Standing,
        recorder: Recorder,
        interrupts: Interrupts,
        follow_up: FollowUp | None = None,
    ) -> None:
        """`prepare` makes the manifest; it is called while Ray starts.

        `seconds`: of one core that all training takes, by estimate.

        `follow_up`: what may come after the sweep, for which Ray and the recorder stay. Of that,
        what can be is trained along.
        """
        self._workers = useful_workers(seconds)
        self._prepare, self._options, self._uri = prepare, options, uri
        self._standing, self._ray = standing, standing.ray
        self._recorder, self._interrupts = recorder, interrupts
        self._follow_up = follow_up
        self._progress = Progress(options.quiet)

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
            self._told.begin(self._options, resume_run_id)
            if note:
                self._progress.note(note)
            stopped = self._train(slots)
            self._progress.stage("recording")
            if stopped is None:
                self._told.finish()
            if stopped or self._follow_up is None:
                self._ray.trained(well=stopped is None)
            return self._ended(stopped)

    def record(
        self, results: Sequence[bytes], failures: Sequence[tuple[list[Trial], str]]
    ) -> Outcome:
        """Records what was trained along with another sweep; raises as `run` does, but for Ray."""
        with self._progress, self._stdout_for_results():
            self._interrupts.check()
            self._expect(self._prepare())
            self._told.begin(self._options, None)
            for content in results:
                self._told.results(content)
            for trials, error in failures:
                self._told.failed(trials, error)
            self._progress.stage("recording")
            self._told.finish()
            # Not before: it ends in the background, and whoever works meanwhile may have Python
            # free what Tune has left, which Ray answers by ending the process.
            self._ray.trained(well=True)
            return self._ended(None)

    def _ended(self, stopped: Stopped | None) -> Outcome:
        """Waits for the end of the record."""
        closed, stopped = self._told.close(stopped)
        if self._told.lost:
            raise Refused(self._told.lost, ALREADY_RUNNING)
        if stopped or self._follow_up is None:
            self._standing.done()
        told = self._told
        return Outcome(
            self._manifest, self._uri, told.begun, closed, told.summaries, told.problems, stopped
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
                self._ray.start(self._options, self._workers, self._progress.note)
                self._interrupts.install()  # as after its import
                made = manifest.result()
        self._ray.check(self._options, self._interrupts.check, self._progress.note)
        slots = ray_start.free_slots(self._options)
        self._expect(made)
        return slots

    def _expect(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._told = Dialogue(manifest, self._recorder, self._interrupts, self._progress)
        trials = manifest.trials
        self._progress.expect(len(trials), sum(trial.models for trial in trials))

    def _train(self, slots: int) -> Stopped | None:
        """Trains all packs, or as many as it could until it was stopped."""
        from sweeps.cluster import ray_tune

        trials = self._told.left
        if not trials:
            return None
        self._progress.expect(len(self._manifest.trials), sum(each.models for each in trials))
        packs = form_packs(
            trials, slots, self._options.pack, mixed=self._options.device == BOTH_DEVICES
        )
        self._progress.stage("training")
        later = None
        if self._follow_up is not None and self._options.device != BOTH_DEVICES:
            later = self._follow_up.on_workers(slots, self._decide)
        try:
            self._interrupts.at_checks(True)
            ray_tune.run_packs(
                packs,
                self._options,
                on_results=self._told.results,
                on_failed=self._told.failed,
                on_step=self._step,
                note=self._progress.note,
                later=later,
            )
        except Stopped as stopped:
            return stopped
        except _LetGo as let_go:
            return let_go.stopped
        except _NotOurs:
            return None
        if self._follow_up is not None:
            self._follow_up.complete = True
        return None

    def _decide(self) -> Sequence[Sequence[Trial]] | None:
        """The packs of what follows, once all trials of this sweep are recorded."""
        told, follow_up = self._told, self._follow_up
        assert follow_up is not None
        source = SourceSweep(told.begun.run_id, self._manifest, told.summaries)
        packs = follow_up.decide(source, known=not told.left)
        if packs:
            told.finish()  # while these are trained, the recorder has time to close this sweep
            self._progress.stage("training")
            more = sum(trial.models for pack in packs for trial in pack)
            models = sum(trial.models for trial in self._manifest.trials)
            self._progress.expect(len(self._manifest.trials), models + more)
        return packs

    def _step(self, models_trained: float) -> None:
        try:
            self._interrupts.check()
        except Stopped as stopped:
            if self._ray.shared:  # it goes on without this sweep, so nothing may be left there
                raise _LetGo(stopped) from None
            raise
        self._progress.trained(models_trained)
        self._told.listen()
        if self._told.lost:
            raise _NotOurs
