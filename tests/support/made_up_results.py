"""Trial results without training, for the tests of what is written about them."""

from __future__ import annotations

import numpy as np

from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import parse
from sweeps.plan.sweep import Sweep
from trainables.manifest import Manifest
from trainables.result import Interval, Trained, TrialResult, curves_of, interval
from trainables.trial import Trial


def made_up(sweep: Sweep, *flags: str) -> tuple[Manifest, list[TrialResult]]:
    """The manifest of that command line and results of all of its trials."""
    options = parse(sweep, "", list(flags))
    manifest = make_manifest(*DeclaredSweep(sweep, options).plan())
    return manifest, [result_of(trial, number) for number, trial in enumerate(manifest.trials)]


def result_of(trial: Trial, number: int) -> TrialResult:
    """A result of that trial, different for every `number`."""
    draws = np.random.default_rng(number)
    models, epochs = len(trial.seeds), trial.hyperparameters.epochs
    names = curves_of(trial.hyperparameters.hold_out, trial.folds)
    curves = {name: draws.random((models, epochs), dtype=np.float32) for name in names}
    weight = draws.standard_normal((models, 3, 4)).astype(np.float32)
    parameters = {"0.weight": weight, "0.bias": weight[:, :, 0].copy()}
    return TrialResult(trial, Trained(curves, parameters), 1.5, "cpu")


def diverge(result: TrialResult, model: int, epoch: int) -> None:
    """Makes one model of the result one that diverged at `epoch`, counted from 0."""
    for curve in result.trained.curves.values():
        curve[model, epoch:] = np.nan


def summaries(manifest: Manifest, results: list[TrialResult]) -> dict[str, dict[str, Interval]]:
    """What the recorder makes of the results, by trial key."""
    window = manifest.summary_epochs
    return {
        result.trial.key: {name: interval(values) for name, values in result.finals(window).items()}
        for result in results
    }
