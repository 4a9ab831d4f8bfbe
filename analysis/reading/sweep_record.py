"""One recorded sweep as typed tables.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.reading.errors import STORE, Stop
from trainables.manifest import Manifest
from trainables.record_format import Column
from trainables.result import CV_CURVES, Array
from trainables.trial import Trial


@dataclass(frozen=True, eq=False)
class SweepRecord:
    """One recorded sweep.

    `sweep_json`: the bytes that the manifest was read from. `trials`: one row per usable trial in
    the manifest's order: trial_key, config, run_id, every hyperparameter, and the `final/…` metrics
    that MLflow holds. `curves`: as `read_curves` orders them. `weights`: one row per model.
    `lacking`: what is wrong with every other promised trial, by configuration. `warnings`: lines
    on what is odd but harms no number. `others`: where this is the newest of a kind, the names of
    the other finished sweeps of it, the newest first. `confirmed_by`: run id of the sweep that has
    tried its best on fresh seeds; empty without one.
    """

    tracking_uri: str
    run_id: str
    manifest: Manifest
    sweep_json: bytes
    trials: pd.DataFrame
    curves: pd.DataFrame
    weights: pa.Table
    lacking: Mapping[str, str]
    warnings: tuple[str, ...]
    others: tuple[str, ...] = ()
    confirmed_by: str = ""

    @property
    def partial(self) -> str | None:
        """How the sweep falls short of its manifest, for figures; None when it does not."""
        if not self.lacking:
            return None
        return f"partial: {len(self.lacking)} of {len(self.manifest.trials)} trials missing"

    @cached_property
    def usable(self) -> tuple[Trial, ...]:
        """The promised trials that have been recorded whole."""
        return tuple(trial for trial in self.manifest.trials if trial.key in self._runs)

    @cached_property
    def configurations(self) -> tuple[Trial, ...]:
        """The usable trials that stand for a configuration, one each.

        Trials with one source of randomness exchanged are no configurations of their own: they are
        there to be compared with the trial of the same hyperparameters.
        """
        return tuple(trial for trial in self.usable if not trial.exchanged)

    @property
    def baseline(self) -> Trial | None:
        """The trial that the others are compared with; None when there is none or it is lacking."""
        return next((one for one in self.configurations if one.key == self.manifest.baseline), None)

    @property
    def has_folds(self) -> bool:
        """Whether the sweep cross-validated on its training rows."""
        return CV_CURVES[0] in self.curves.columns

    def run_of(self, trial: Trial) -> str:
        """The MLflow run id of a usable trial."""
        return self._runs[trial.key]

    def curve(self, trial: Trial, metric: str) -> Array:
        """(S, E): a metric for each seed of a usable trial; NaN once diverged.

        Those of `CURVES`, of `HELD_OUT_CURVES` where rows were held out, and of `CV_CURVES` where
        `has_folds`.
        """
        seeds, epochs = len(trial.seeds), trial.hyperparameters.epochs
        first = self._first_rows[trial.key]
        values = self.curves[metric].to_numpy()[first : first + seeds * epochs]
        return values.reshape(seeds, epochs).astype(np.float64)

    def final(self, trial: Trial, metric: str) -> Array:
        """(S,): the mean over the summary epochs; NaN for a model that diverged in any epoch."""
        curve = self.curve(trial, metric)
        window = curve[:, self.manifest.summary_epochs.start : self.manifest.summary_epochs.stop]
        return np.where(np.isfinite(curve).all(axis=1), window.mean(axis=1), np.nan)

    def parameter(self, trial: Trial, name: str) -> Array:
        """(S, …): a recorded parameter such as `0.weight` (S, outputs, inputs), by seed."""
        shape = f"{name}{Column.SHAPE}"
        if name not in self.weights.column_names:
            raise Stop(STORE, f"{self.manifest.run_name} has no recorded {name}")
        mine = self.weights.filter(pc.equal(self.weights[Column.TRIAL_KEY], trial.key))
        rows = {
            row[Column.SEED]: row for row in mine.select([Column.SEED, name, shape]).to_pylist()
        }
        if lost := [seed for seed in trial.seeds if seed not in rows]:
            raise Stop(STORE, f"{trial.name} has no recorded weights of seed {lost[0]}")
        return np.array([np.reshape(rows[seed][name], rows[seed][shape]) for seed in trial.seeds])

    @cached_property
    def _runs(self) -> dict[str, str]:
        return dict(zip(self.trials[Column.TRIAL_KEY], self.trials[Column.RUN_ID], strict=True))

    @cached_property
    def _first_rows(self) -> dict[str, int]:
        sizes = [len(one.seeds) * one.hyperparameters.epochs for one in self.usable]
        starts = np.cumsum([0, *sizes])[:-1]
        return {one.key: int(start) for one, start in zip(self.usable, starts, strict=True)}
