"""A recorded sweep as an object of Python.

Sweeps and the analysis meet in MLflow alone, and know nothing of each other; this file is the one
exception. It gives people who have run a sweep what the analysis reads from its record, and is
loaded with neither: it imports the analysis when it is first asked for a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from sweeps.plan.errors import Refused
from sweeps.record.store.opening import resolve_uri
from trainables.record_format import Column, Final, Metric

if TYPE_CHECKING:
    import pandas as pd

    from analysis.figures.comparison import Row
    from analysis.plotting.gallery import Gallery
    from analysis.reading.sweep_record import SweepRecord


def load_sweep(run_id: str, tracking_uri: str | None = None) -> SweepResult:
    """The sweep that was recorded in that run, finished or not; the same object that `run` gives.

    `run_id`: that of the sweep's run, its first digits (4 or more), or the sweep's name.
    `tracking_uri`: the store; by default MLFLOW_TRACKING_URI, else mlflow.db in the current folder.
    Raises `SweepError` when there is no such sweep, or when it cannot be read.
    """
    result = SweepResult(run_id, resolve_uri(tracking_uri))
    result.run_id = result._record.run_id  # what cannot be read is said now
    return result


class SweepResult:
    """A recorded sweep: its run, and tables, answers and figures, read from its record when asked.

    Reading may raise `SweepError`, such as when the store is away.
    """

    def __init__(self, run_id: str, tracking_uri: str) -> None:
        self.run_id = run_id
        self.tracking_uri = tracking_uri

    def __repr__(self) -> str:
        from sweeps.plan.provenance import without_credentials

        return f"SweepResult({self.run_id!r}, {without_credentials(self.tracking_uri)!r})"

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row per trial, in the order of the sweep: `config`, `run_id`, its hyperparameters, and
        the `final/…` numbers, which are means over seeds with their spread and intervals."""
        import pandas as pd

        from analysis.exporting.export_tables import finals_by_seed
        from sweeps.record.runs.run_numbers import all_numbers
        from sweeps.record.runs.trial_runs import summed_up

        record = self._record
        with _readable():
            finals = [finals_by_seed(record, trial)[0] for trial in record.usable]
        # The runs hold some of them only.
        numbers = pd.DataFrame([all_numbers(summed_up(of_trial)) for of_trial in finals])
        return record.trials.join(numbers[[name for name in numbers if name not in record.trials]])

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row per epoch of every model: `config`, `seed`, `epoch`, accuracies and losses."""
        with _readable():
            return self._record.curves

    @cached_property
    def best(self) -> Row | None:
        """The configuration with the best mean accuracy; None when all have diverged.

        `best.trial.name`, `best.trial.hyperparameters`, `best.test.mean` with `low` and `high`,
        `best.difference` to the baseline, seed by seed. With folds it is chosen by the
        cross-validated accuracy, else by the test accuracy, which then flatters it.
        """
        record = self._record
        judge = "cv" if record.has_folds else "test"
        # As the sweep itself ranks them: highest accuracy, then lowest loss, then first.
        ranks = [Metric.FINAL + Final.accuracy(judge), Metric.FINAL + Final.loss(judge)]
        needed = {*ranks, Metric.FINAL + Final.TEST_LOSS}  # without it, a model has diverged
        finals = record.trials.set_index(Column.TRIAL_KEY).reindex(columns=sorted(needed))
        ranked = finals.dropna().sort_values(ranks, ascending=[False, True], kind="stable").index
        rows = {row.trial.key: row for row in self._rows}
        return next((rows[key] for key in ranked if key in rows), None)

    @cached_property
    def baseline(self) -> Row | None:
        """The configuration that the others are compared with; None when it is not recorded."""
        with _readable():
            trial = self._record.baseline
            return next((row for row in self._rows if row.trial == trial), None)

    @cached_property
    def confirmed(self) -> SweepResult | None:
        """The sweep that has tried its 3 best and the baseline on fresh seeds; None without one.

        `confirmed.trials` has their accuracies, `confirmed.best.difference` a gain that was not
        chosen on the numbers which it is reported with.
        """
        run_id = self._record.confirmed_by
        return SweepResult(run_id, self.tracking_uri) if run_id else None

    @cached_property
    def failures(self) -> Mapping[str, str]:
        """What is wrong with each promised trial that is not in `trials`, by `config`."""
        return self._record.lacking

    def figures(self) -> Gallery:
        """The figures that answer the sweep's question, as `analysis/` draws them.

        They show themselves in a notebook; `figures().save(FOLDER)` writes PNG, SVG and CSV files.
        """
        from analysis.figures.of_sweeps import plots_of
        from analysis.plotting.gallery import Gallery

        with _readable():
            return Gallery(plots_of(self._record))

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        from analysis.figures.comparison import compare

        with _readable():
            return compare(self._record)

    @cached_property
    def _record(self) -> SweepRecord:
        from analysis.reading.connection import open_store
        from analysis.reading.load_sweep import load_sweep as read

        with _readable():
            return read(open_store(self.tracking_uri), None, self.run_id, allow_partial=True)


@contextmanager
def _readable() -> Iterator[None]:
    """Turns the error of the analysis into one of the base that all of this package's have."""
    from analysis.reading.errors import Stop

    try:
        yield
    except Stop as stop:
        raise Refused(str(stop), stop.code) from stop
