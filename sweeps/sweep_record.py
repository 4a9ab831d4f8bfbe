"""What the recorder does with a sweep's results, whatever happens: nothing recorded is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.answer import BestSoFar, find_answer, note
from sweeps.best_model import best_seed, log_best_model
from sweeps.mlflow_store import database_file
from sweeps.recorder_messages import Begin, Closed, Open, Problem, Recorded
from sweeps.run_writer import RunWriter
from sweeps.saved_view import save_views
from trainables.hyperparameters import Trial
from trainables.result import TrialResult, from_bytes

if TYPE_CHECKING:
    from mlflow import MlflowClient


class SweepRecord:
    """One sweep in one store."""

    def __init__(
        self, client: MlflowClient, experiment_id: str, begin: Begin, request: Open
    ) -> None:
        self._client, self._experiment_id = client, experiment_id
        self._manifest, self._dataset, self._request = begin.manifest, begin.dataset, request
        self._writer = RunWriter(client, experiment_id, begin.manifest, request.log_seeds)
        self._best_so_far = BestSoFar(begin.manifest)
        self._best: TrialResult | None = None
        self._kept = 0
        self.run_id = self._writer.parent_id

    def write(self, content: bytes) -> Iterator[Recorded | Problem]:
        """Writes trained trials; should the store fail, keeps them in a file."""
        results = from_bytes(content)
        try:
            keys = self._writer.record(results)
        except Exception as error:  # whatever the store's libraries raise: the results must stay
            yield from self.keep(content, one_line(error))
            return
        by_key = {result.trial.key: result for result in results}
        for key in keys:
            summary = self._writer.summaries[key]
            if self._best_so_far.add(key, summary):
                self._best = by_key[key]
            yield Recorded(key, summary)

    def keep(self, content: bytes, why: str = "stopped") -> Iterator[Problem]:
        """Puts trained trials into a file instead of the store."""
        file = database_file(self._request.uri)
        folder = (file.parent if file else Path.cwd()) / "unrecorded" / self._manifest.run_name
        folder.mkdir(parents=True, exist_ok=True)
        self._kept += 1
        path = folder / f"{self._kept:05}.arrow"
        path.write_bytes(content)
        yield Problem(why, str(path))

    def write_failures(self, trials: Sequence[Trial], error: str) -> Iterator[Problem]:
        """Writes trials that could not be trained."""
        try:
            self._writer.record_failures(trials, error)
        except Exception as failure:  # whatever the store's libraries raise
            yield Problem(f"{one_line(failure)} (while recording that {error})", "")

    def close(self, status: str) -> Closed:
        """Ends the sweep's run with its answer, model and views, and counts what is recorded."""
        missing: list[str] = []
        views: dict[str, str] = {}
        try:
            missing = self._writer.missing()
            if status == "FINISHED" and missing:
                status = "FAILED"
            views = save_views(
                self._client, self._experiment_id, self._manifest, self._request.log_seeds
            )
            answer = find_answer(self._manifest, self._writer.summaries)
            numbers = {}
            if answer.best is not None and answer.best_accuracy is not None:
                summary = self._writer.summaries[answer.best.key]
                numbers = {f"best/{name}": value.mean for name, value in summary.items()}
                values = answer.best.hyperparameters.as_dict()
                for axis in self._manifest.axes:
                    numbers[f"best/{axis['field']}"] = values[axis["field"]]
            if self._best is not None and status == "FINISHED":
                index = best_seed(self._best, range(*self._manifest.summary_epochs))
                log_best_model(self._request.uri, self.run_id, self._best, index, self._dataset)
            failures = self._writer.failures
            text = note(self._manifest, answer, len(failures), views)
            self._writer.finish(status, text, numbers)
            return Closed(missing, failures, views)
        except Exception as error:  # whatever the store's libraries raise
            return Closed(missing, self._writer.failures, views, one_line(error))


def one_line(error: BaseException) -> str:
    """The kind of error and its message, without line breaks."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
