"""The runs of a sweep's trials in MLflow: what stands, what is new, what must go."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from sweeps.plan.ranking import judged_on
from sweeps.record.runs import bulk_writing, public_writing
from sweeps.record.runs.finished_run import FinishedRun, trial_params, trial_tags
from sweeps.record.runs.parts import PART_TAGS, Parts
from sweeps.record.runs.tables import MEANS_TRIALS, mean_curves
from sweeps.record.runs.trial_runs import TrialRuns, summed_up
from sweeps.record.store.opening import TIMEOUT
from sweeps.record.store.patience import timed_out
from sweeps.record.store.recorded_sweep import runs_below, whole_trials
from trainables.manifest import Manifest
from trainables.record_format import Curve, Kind, Tag, part_number
from trainables.result import Array, Interval, TrialResult
from trainables.trial import Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MOST_TABLES = 64  # of mean curves; more are joined, since a small one is mostly overhead
_LATE = 2  # a server may obey a call so many times later than the client waited for its answer


class RunWriter:
    """Writes the trials of one sweep below its run `parent_id`.

    Calls are made one after another. One that fails may be made again, `repeated`, with the same
    arguments, before any other: what it has written already is not written twice.
    """

    def __init__(
        self, client: MlflowClient, experiment_id: str, manifest: Manifest, parent_id: str
    ) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._manifest = manifest
        self._parent_id = parent_id
        self._trial_runs = TrialRuns(manifest)
        self._promised = {trial.key for trial in manifest.trials}
        self._writing = bulk_writing if bulk_writing.usable(client) else public_writing
        self._parts = Parts(client, parent_id)
        self._part_tags: dict[str, dict[str, str]] = {}  # by trial key
        self.run_ids: dict[str, str] = {}  # by trial key
        self.summaries: dict[str, dict[str, Interval]] = {}  # by trial key
        self.failures: dict[str, str] = {}  # by trial key
        # What each seed's model is judged by, (S,), by trial key.
        self.accuracies: dict[str, Array] = {}
        self.held_out: dict[str, Array] = {}  # likewise, on the rows that are held out
        self.on_written: Callable[[int], None] = lambda _: (
            None
        )  # told how many trials stand of a write
        self.obeyed_until = 0.0  # time (monotonic) until which a call given up may yet be obeyed
        self.means: list[pa.Table] = []  # curves as `mean_curves` makes them, of all summaries

    def recover(self, retry_failed: bool, now: int) -> None:
        """Takes up what an earlier process wrote, and removes what it left unfinished.

        `retry_failed`: failed trials do not count as recorded. `now`: the time of what is written.
        Raises `CannotResume` when recorded curves or weights are not what was written.
        """
        runs = runs_below(self._client, self._experiment_id, self._manifest.run_name)
        whole = {
            key: run
            for key, run in whole_trials(runs).items()
            if key in self._promised and not (retry_failed and run.info.status == "FAILED")
        }
        finished = {key: run for key, run in whole.items() if run.info.status == "FINISHED"}
        tags_of_runs = [run.data.tags for run in finished.values()]
        mine = [trial for trial in self._manifest.trials if trial.key in finished]
        self.means = []
        for results in self._parts.read_all(tags_of_runs, mine):
            self.means.append(mean_curves(results, self._trial_runs.steps))
            self._keep_accuracies(results)
            for result, finals in zip(results, self._finals(results), strict=True):
                self.summaries[result.trial.key] = summed_up(finals)
        self.run_ids = {key: run.info.run_id for key, run in whole.items()}
        self._remove_strays()
        for key, run in whole.items():
            if key not in finished:
                self.failures[key] = run.data.tags.get(Tag.ERROR, "")
                continue
            self._part_tags[key] = {
                name: value for name, value in run.data.tags.items() if name in PART_TAGS
            }
        if not finished:
            return
        last = max(self._part_tags.values(), key=lambda tags: tags[Tag.PART])
        self._parts.written = part_number(last[Tag.PART])
        # Only of the last part can some trials have their runs and others not.
        missing = self.unrecorded()
        if missing and (results := self._parts.read(last, missing)):
            self._write_trials(results, self._finals(results), last, now, False)
            self.means.append(mean_curves(results, self._trial_runs.steps))

    def record(self, results: Sequence[TrialResult], now: int, repeated: bool) -> list[str]:
        """Writes promised trials that are not yet written; their keys."""
        new = [
            result
            for result in results
            if result.trial.key in self._promised and result.trial.key not in self.run_ids
        ]
        if not new:
            return []
        # The complete curves first: a run that stands has its curves behind it.
        means = mean_curves(new, self._trial_runs.steps)
        few = len(self._manifest.trials) <= MEANS_TRIALS
        finals = self._finals(new)
        tags = self._parts.write(new, finals, means if few else None)
        self._write_trials(new, finals, tags, now, repeated)
        self._parts.written += 1
        self.means.append(means)
        if len(self.means) > _MOST_TABLES:
            self.means = [pa.concat_tables(self.means).combine_chunks()]
        return [result.trial.key for result in new]

    def _write_trials(
        self,
        new: Sequence[TrialResult],
        all_finals: Sequence[Mapping[str, Array]],
        tags: dict[str, str],
        now: int,
        repeated: bool,
    ) -> None:
        made = [
            self._trial_runs.make(result, finals, tags, now)
            for result, finals in zip(new, all_finals, strict=True)
        ]
        run_ids = self._write([run for run, _ in made], repeated, self.on_written)
        self._keep_accuracies(new)
        for result, (_, summary), run_id in zip(new, made, run_ids, strict=True):
            key = result.trial.key
            self.run_ids[key] = run_id
            self.summaries[key] = summary
            self._part_tags[key] = tags

    def _keep_accuracies(self, results: Sequence[TrialResult]) -> None:
        curve, window = Curve.accuracy(judged_on(self._manifest)), self._trial_runs.window
        for result in results:
            key = result.trial.key
            self.accuracies[key] = result.final(curve, window)
            if self._manifest.held_out_rows:
                self.held_out[key] = result.final(Curve.HELD_OUT_ACCURACY, window)

    def _finals(self, results: Sequence[TrialResult]) -> list[dict[str, Array]]:
        return [result.finals(self._trial_runs.window) for result in results]

    def _write(
        self,
        runs: Sequence[FinishedRun],
        repeated: bool,
        on_written: Callable[[int], None] = lambda _: None,
    ) -> list[str]:
        try:
            run_ids: list[str] = self._writing.write_runs(
                self._client,
                self._experiment_id,
                self._parent_id,
                runs,
                repeated,
                on_written,
            )
        except Exception as error:  # whatever the store's libraries raise
            if timed_out(error):
                self.obeyed_until = time.monotonic() + _LATE * float(os.environ[TIMEOUT])
            raise
        return run_ids

    def record_failures(
        self, trials: Sequence[Trial], error: str, now: int, repeated: bool
    ) -> None:
        """Writes trials that could not be trained, with their error in one line."""
        new = [trial for trial in trials if trial.key not in self.run_ids]
        error = error[:5000]
        runs = [
            FinishedRun(
                trial.name,
                "FAILED",
                trial_tags(trial, self._manifest, Kind.TRIAL)
                | {Tag.ERROR: error, Tag.NOTE: f"Failed: {error}"},
                trial_params(trial, self._manifest),
                [],
                now,
            )
            for trial in new
        ]
        for trial, run_id in zip(new, self._write(runs, repeated), strict=True):
            self.run_ids[trial.key] = run_id
            self.failures[trial.key] = error

    def result_of(self, trial: Trial) -> TrialResult:
        """A recorded trial as it was trained, from its part."""
        (result,) = self._parts.read(self._part_tags[trial.key], [trial])
        return result

    def unrecorded(self) -> list[Trial]:
        """Promised trials without a run."""
        return [trial for trial in self._manifest.trials if trial.key not in self.run_ids]

    def settle(self) -> list[str]:
        """Removes surplus runs; names of promised trials that the store then has no run of.

        Surplus comes from calls whose answer was lost, or that a server obeyed when it was given
        up: with a store that never fails there is none.
        """
        standing = self._remove_strays()
        return [trial.name for trial in self._manifest.trials if trial.key not in standing]

    def _remove_strays(self) -> set[str]:
        """Deletes all runs below the sweep's that are not those in `run_ids`, or a child of these.

        The keys of the trials that stand.
        """
        mine = set(self.run_ids.values())
        seen: set[tuple[str, str]] = set()
        standing = set()
        for run in self._writing.standing_runs(
            self._client, self._experiment_id, self._manifest.run_name
        ):
            if run.seed:
                identity = (run.parent_id, run.seed)
                stays = run.whole and run.parent_id in mine and identity not in seen
                seen.add(identity)
            else:
                stays = run.run_id in mine
                if stays:
                    standing.add(run.key)
            if not stays:
                self._client.delete_run(run.run_id)
        return standing
