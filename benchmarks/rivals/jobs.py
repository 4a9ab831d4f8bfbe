"""How a rival trainer is asked: jobs as JSON on standard input, what they took on standard output.

The models of a job share all hyperparameters but `l2`, and have one hidden layer and no L1 penalty.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from trainables import data
from trainables.hyperparameters import Hyperparameters


class Model(NamedTuple):
    """One network: its configuration, and the seed of its split, weights and batch order."""

    hyperparameters: Hyperparameters
    seed: int


Train = Callable[[Sequence[Model], data.Dataset], list[float]]


def serve(train: Train, forget: Callable[[], None] | None = None) -> None:
    """Answers jobs with `train`, which returns the models' last test accuracies (M,), 0 to 1.

    `forget`: drops what `train` has compiled; it is then timed both with and without compiling.
    """
    jobs = [(_models(job["models"]), job["runs"]) for job in json.load(sys.stdin)]
    first = jobs[0][0][0]
    short = replace(first.hyperparameters, epochs=2)
    train([first._replace(hyperparameters=short)], _dataset([first]))  # imports, caches: not timed
    json.dump([_outcome(models, runs, train, forget) for models, runs in jobs], sys.stdout)


def _models(asked: list[dict[str, Any]]) -> list[Model]:
    return [
        Model(Hyperparameters.from_dict(each["hyperparameters"]), each["seed"]) for each in asked
    ]


def _dataset(models: Sequence[Model]) -> data.Dataset:
    return data.load(models[0].hyperparameters.dataset)


def _outcome(
    models: Sequence[Model], runs: int, train: Train, forget: Callable[[], None] | None
) -> dict[str, list[float]]:
    dataset = _dataset(models)
    seconds: list[float] = []
    first_seconds: list[float] = []
    accuracies: list[float] = []
    for _ in range(runs):
        if forget:
            forget()
            accuracies = _timed(models, train, dataset, first_seconds)
        accuracies = _timed(models, train, dataset, seconds)
    return {"seconds": seconds, "first_seconds": first_seconds, "accuracies": accuracies}


def _timed(
    models: Sequence[Model], train: Train, dataset: data.Dataset, seconds: list[float]
) -> list[float]:
    began = time.perf_counter()
    accuracies = train(models, dataset)
    seconds.append(time.perf_counter() - began)
    return accuracies
