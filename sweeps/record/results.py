"""What the recorder does with a sweep's results, whatever happens: nothing recorded is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sweeps.plan.against_baseline import differences
from sweeps.plan.provenance import one_line
from sweeps.plan.ranking import BestSoFar, find_answer, judged_on, shown
from sweeps.record import parent_run
from sweeps.record.lock import SweepLock
from sweeps.record.messages import Closed, Recorded
from sweeps.record.pages.best_model import best_seed, log_best_model
from sweeps.record.pages.chart_page import chart_page
from sweeps.record.pages.confirmed_note import tell_source
from sweeps.record.pages.experiment_page import introduce
from sweeps.record.pages.held_out_words import on_held_out
from sweeps.record.pages.model_network import ChosenModel
from sweeps.record.pages.saved_view import save_views
from sweeps.record.pages.words import note
from sweeps.record.runs.finished_run import trial_params
from sweeps.record.runs.run_writer import RunWriter
from sweeps.record.spool import Entry
from trainables.data import Dataset
from trainables.manifest import Manifest
from trainables.record_format import Artifact, Metric
from trainables.result import TrialResult, from_bytes
from trainables.trial import Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


class ResultsRecord:
    """One sweep in one store, whose own run stands and belongs to this process.

    What the store's libraries raise comes out of every call, which may then be made again.
    """

    def __init__(
        self, client: MlflowClient, parent: Run, manifest: Manifest, dataset: Dataset
    ) -> None:
        self._client = client
        self.experiment_id: str = parent.info.experiment_id
        self._manifest, self._dataset = manifest, dataset
        self.run_id: str = parent.info.run_id
        self.writer = RunWriter(client, self.experiment_id, manifest, self.run_id)
        self._best_so_far = BestSoFar(manifest)
        self._best: TrialResult | None = None
        self._model_logged = False
        self._closing_time = 0

    def recover(self, retry_failed: bool) -> None:
        """Takes up what an earlier process wrote. Raises `CannotResume` when that is damaged."""
        self.writer.recover(retry_failed, parent_run.now())
        for key, summary in self.writer.summaries.items():
            self._best_so_far.add(key, summary)
        self._remove_models()

    def write(self, entry: Entry, repeated: bool) -> Sequence[Recorded]:
        """Writes trials that were trained, or could not be."""
        if entry.kind == "failures":
            failed = json.loads(entry.content())
            keys = set(failed["trials"])
            trials = [trial for trial in self._manifest.trials if trial.key in keys]
            self.writer.record_failures(trials, failed["error"], entry.time, repeated)
            return []
        results = {result.trial.key: result for result in from_bytes(entry.content())}
        recorded = []
        for key in self.writer.record(list(results.values()), entry.time, repeated):
            summary = self.writer.summaries[key]
            if self._best_so_far.add(key, summary):
                self._best = results[key]
            recorded.append(Recorded(key, summary))
        return recorded

    def close(self, status: str, lock: SweepLock, repeated: bool) -> Closed:
        """Ends the sweep's run with its answer, model and views, and counts what is recorded.

        `repeated`: an earlier call failed, somewhere.
        """
        manifest, writer = self._manifest, self.writer
        if repeated and not self._model_logged:
            self._remove_models()
        self._closing_time = self._closing_time or parent_run.now()
        missing = writer.settle()
        if status == "FINISHED" and missing:
            status = "FAILED"
        views = save_views(self._client, self.experiment_id, manifest)
        introduce(self._client, self.experiment_id, manifest)
        answer = find_answer(manifest, writer.summaries)
        numbers = {}
        # Only of a whole sweep: of a part it would be another's best, and stay beside the last.
        if answer.best is not None and status == "FINISHED":
            numbers = self._best_numbers(answer.best)
            if not self._model_logged:
                self._log_model(answer.best)
        if writer.summaries:
            parent_run.log_results(
                self._client, self.run_id, manifest, writer.run_ids, writer.summaries
            )
            page = chart_page(manifest, writer.summaries, writer.run_ids, writer.means)
            parent_run.log_text(self._client, self.run_id, Artifact.CHART, page)
        found = differences(manifest, writer.accuracies, shown(manifest, writer.summaries))
        held_out = on_held_out(manifest, writer.summaries, writer.held_out)
        text = note(manifest, answer, len(writer.failures), views, found, held_out)
        parent_run.finish(
            self._client,
            self.run_id,
            status,
            text,
            numbers,
            len(writer.failures),
            self._closing_time,
        )
        if manifest.confirms and status == "FINISHED":
            tell_source(self._client, self.run_id, manifest, found, held_out)
        lock.release()
        return Closed(missing, writer.failures, views, differences=found, held_out=held_out)

    def _best_numbers(self, best: Trial) -> dict[str, float]:
        summary = self.writer.summaries[best.key]
        numbers = {f"{Metric.BEST}{name}": value.mean for name, value in summary.items()}
        values = best.hyperparameters.as_dict()
        return numbers | {f"{Metric.BEST}{a.field}": values[a.field] for a in self._manifest.axes}

    def _log_model(self, best: Trial) -> None:
        from mlflow.exceptions import MlflowException

        result = self._best
        if result is None or result.trial.key != best.key:
            result = self.writer.result_of(best)
        window = self._manifest.summary_epochs
        index = best_seed(result, window, judged_on(self._manifest))
        model = ChosenModel(self._manifest, result, index, self._dataset)
        params = trial_params(best, self._manifest)
        where = (self._client, self.experiment_id, self.run_id)
        try:
            log_best_model(*where, model, params, self._closing_time)
        except MlflowException as error:
            # Also a refusal may pass: it is what a request gets that was obeyed, went unanswered
            # and was repeated. Another try begins with a new model.
            raise ConnectionError(one_line(error)) from error
        self._model_logged = True
        with suppress(Exception):  # of no harm to anyone should it stay
            self._remove_models(unless_output=True)

    def withdraw(self) -> None:
        """Deletes the sweep's run and all below it: another process records the same sweep."""
        self.writer.run_ids.clear()
        self.writer.settle()
        self._client.set_terminated(self.run_id, "KILLED")
        self._client.delete_run(self.run_id)

    def _remove_models(self, unless_output: bool = False) -> None:
        """Deletes models that earlier tries have stored: there is to be one best model.

        `unless_output`: those alone that were begun and not finished.
        """
        outputs = self._client.get_run(self.run_id).outputs
        finished = {model.model_id for model in outputs.model_outputs} if outputs else set()
        begun = {
            model.model_id
            for model in self._client.search_logged_models(
                [self.experiment_id], f"source_run_id = '{self.run_id}'"
            )
        }
        for model_id in begun - finished if unless_output else begun | finished:
            self._client.delete_logged_model(model_id)
