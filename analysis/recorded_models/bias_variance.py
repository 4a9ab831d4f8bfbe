"""How much of the error of recorded models is bias and how much variance, over training sets.

Each seed trains on rows of its own. A row is judged by the models that did not train on it: their
probabilities p of the classes and the row's own class y (1 and 0) have the squared error (Brier's
score) E|p - y|² = |E p - y|² + E|p - E p|²: bias², with the noise of the labels in it, and
variance, which add up exactly. Source: Geman, Bienenstock and Doursat (1992), "Neural networks and
the bias/variance dilemma".

Dimension letters: S seeds, D rows of the data, F features, C classes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from analysis.reading.dataset_rows import rows_of
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.networks import networks, scores
from analysis.stats.seeds import POSITIVE, Estimate, estimate
from trainables.data import Dataset, split
from trainables.result import Array
from trainables.trial import Trial

GROUPS = 20  # of seeds, each with an estimate of its own: their spread gives the intervals
LEAST_SEEDS = 200  # so that a row has some models in every group that did not train on it


class Parts(NamedTuple):
    """Mean over rows of each part of the squared error of the probabilities; bias² + variance."""

    error: Estimate
    bias: Estimate
    variance: Estimate


def parts(record: SweepRecord, trial: Trial) -> Parts:
    """The parts for one configuration; intervals are over groups of seeds, for these rows.

    Raises `Stop` with fewer than `LEAST_SEEDS` seeds, or where the data are not at hand.
    """
    if len(trial.seeds) < LEAST_SEEDS:
        raise Stop(
            BAD_INPUT,
            f"bias and variance need at least {LEAST_SEEDS} seeds, {record.manifest.run_name} has "
            f"{len(trial.seeds)}",
        )
    dataset = rows_of(record)
    truth = np.eye(len(dataset.class_names))[dataset.y]
    probabilities, judged = _predictions(record, trial, dataset)
    finite = np.isfinite(probabilities).all(axis=(1, 2))
    groups = np.array_split(np.flatnonzero(finite), GROUPS)
    found = [decompose(probabilities[each], judged[each], truth) for each in groups]
    return Parts(*(estimate(np.array(values), POSITIVE) for values in zip(*found, strict=True)))


def decompose(
    probabilities: Array, judged: NDArray[np.bool_], truth: Array
) -> tuple[float, float, float]:
    """Error, bias² and variance of `probabilities` (S, D, C) where `judged` (S, D).

    Against `truth` (D, C); mean over the rows that two models or more judge. With n models of a
    row the mean prediction has 1/n of the variance of one, which is taken off bias²: neither part
    depends on n.
    """
    counts = judged.sum(axis=0)
    rows = counts >= 2
    n, used = counts[rows][:, None], judged[:, rows, None]
    chosen = np.where(used, probabilities[:, rows], 0.0)
    mean = chosen.sum(axis=0) / n
    spread = (np.where(used, chosen - mean, 0.0) ** 2).sum(axis=0) / (n - 1)
    bias = (mean - truth[rows]) ** 2 - spread / n
    bias_of_row, variance_of_row = bias.sum(axis=1), spread.sum(axis=1)
    error = bias_of_row + variance_of_row
    return float(error.mean()), float(bias_of_row.mean()), float(variance_of_row.mean())


def _predictions(
    record: SweepRecord, trial: Trial, dataset: Dataset
) -> tuple[Array, NDArray[np.bool_]]:
    """(S, D, C): each model's probabilities for all rows; (S, D): the rows it did not train on."""
    models = networks(record, trial, dataset)
    seeds = range(len(trial.seeds))
    probabilities = np.array([softmax(scores(models, one, dataset.x), axis=1) for one in seeds])
    # The split of the rows' numbers in place of the rows.
    plain = trial.hyperparameters.at(standardize=False)
    numbered = replace(dataset, x=np.arange(len(dataset.y), dtype=np.float64)[:, None])
    judged = np.zeros((len(trial.seeds), len(dataset.y)), dtype=bool)
    for place, (of_data, *_) in enumerate(trial.model_seeds()):
        judged[place, split(numbered, of_data, plain).x_test[:, 0].astype(np.int64)] = True
    return probabilities, judged
