"""A pack from start to finish: its models in chunks, its trials handed over as they complete."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trainables import data
from trainables.draws import Seed
from trainables.installation import arithmetic
from trainables.result import CV_CURVES, Trained, TrialResult
from trainables.train_pack import Model, Pack
from trainables.trial import Trial

# More models at once spread torch's cost per call thinner; from here on little is left to spread.
# On a GPU the launches are shared, and it takes thousands to fill one.
MODELS_AT_ONCE = {"cpu": 256, "cuda": 16_384}
# Of a chunk's rows: a large dataset is copied to fewer models at a time.
_INPUT_BYTES = {"cpu": 1 << 26, "cuda": 1 << 29}


class PackRun:
    """Trains trials of equal shapes and folds, at most `models_at_once` models together.

    By default that is as many as train fast. After a chunk of the trials' own models come the fold
    models of the same seeds, in chunks of theirs: these have fewer training rows.

    Call `advance` until `done`; each call gives the trials that it completed.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        dataset: data.Dataset,
        device: str = "cpu",
        device_name: str = "cpu",
        models_at_once: int | None = None,
    ) -> None:
        self._trials = list(trials)
        self._dataset = dataset
        self._device, self._device_name = device, device_name
        models = [
            Model(trial.hyperparameters, Seed._make(each))
            for trial in trials
            for each in trial.model_seeds()
        ]
        if len(folds := {trial.folds for trial in trials}) != 1:
            raise ValueError(f"the trials of a pack need one number of folds, got {folds}")
        (self._folds,) = folds
        at_once = models_at_once or _fast(dataset, device)
        self._chunks: list[list[Model]] = []
        self._last_of_seeds: list[bool] = []  # of each chunk: whether its seeds' models end there
        for own in _cut(models, at_once):
            parts = [own, *_cut(_fold_models(own, self._folds), at_once)]
            self._chunks += parts
            self._last_of_seeds += [*[False] * (len(parts) - 1), True]
        self._chunk = 0
        self._pack: Pack | None = None
        self._parts: list[Trained] = []  # chunks of seeds whose fold models are not all trained
        self._trained: list[Trained] = []  # seeds whose trials are not all handed over
        self._trials_done = 0
        self._seconds = 0.0
        self._models_trained = 0

    @property
    def done(self) -> bool:
        """Whether every trial has been handed over."""
        return self._trials_done == len(self._trials)

    @property
    def models_done(self) -> float:
        """How many models' worth of epochs have been trained, fold models among them."""
        if self._pack is None:
            return self._models_trained
        return self._models_trained + self._pack.models * self._pack.epochs_done / self._pack.epochs

    def advance(self, seconds: float = float("inf")) -> list[TrialResult]:
        """Trains for about `seconds` (at least an epoch, at most a chunk)."""
        began = time.perf_counter()
        if self._pack is None:
            self._pack = Pack(self._chunks[self._chunk], self._dataset, self._device)
        self._pack.train(seconds=seconds)
        whole = False
        if self._pack.epochs_done == self._pack.epochs:
            self._parts.append(self._pack.trained())
            self._models_trained += self._pack.models
            whole = self._last_of_seeds[self._chunk]
            self._chunk += 1
            self._pack = None
        self._seconds += time.perf_counter() - began
        if not whole:
            return []
        own, *of_folds = self._parts
        self._trained.append(_with_cv_curves(own, of_folds, self._folds))
        self._parts = []
        return self._complete()

    def _complete(self) -> list[TrialResult]:
        """The trials whose last model has been trained; their models' results are let go."""
        waiting = _joined(self._trained)
        seconds_a_model = self._seconds / self._models_trained
        completed = []
        first = 0
        available = len(waiting.diverged)
        while not self.done:
            trial = self._trials[self._trials_done]
            stop = first + len(trial.seeds)
            if stop > available:
                break
            completed.append(
                TrialResult(
                    trial,
                    waiting.take(np.arange(first, stop)),
                    seconds_a_model * trial.models,
                    self._device_name,
                    arithmetic(),
                )
            )
            self._trials_done += 1
            first = stop
        self._trained = [waiting.take(np.arange(first, available))]
        return completed


def _fast(dataset: data.Dataset, device: str) -> int:
    """How many models to train together; numbers do not depend on it."""
    return max(1, min(MODELS_AT_ONCE[device], _INPUT_BYTES[device] // (4 * dataset.x.size)))


def _cut(models: list[Model], at_once: int) -> list[list[Model]]:
    """Chunks of equal size: a small last one would cost nearly as much as a full one."""
    if not models:
        return []
    chunks = -(-len(models) // at_once)
    bounds = [round(i * len(models) / chunks) for i in range(chunks + 1)]
    return [models[start:stop] for start, stop in pairwise(bounds)]


def _fold_models(models: list[Model], folds: int) -> list[Model]:
    """Of each model all that leave out one of its folds, with the same seed."""
    return [
        model._replace(fold=data.Fold(number, folds)) for model in models for number in range(folds)
    ]


def _with_cv_curves(own: Trained, of_folds: list[Trained], folds: int) -> Trained:
    """The models with the mean `test/` curves of their fold models, which come model by model."""
    if not of_folds:
        return own
    curves = dict(own.curves)
    for name in CV_CURVES:
        each = np.concatenate([part.curves[name.replace("cv", "test")] for part in of_folds])
        by_fold = each.reshape(len(own.diverged), folds, -1)
        curves[name] = by_fold.mean(axis=1, dtype=np.float64).astype(np.float32)
    return Trained(curves, own.parameters)


def _joined(parts: list[Trained]) -> Trained:
    if len(parts) == 1:
        return parts[0]
    return Trained(
        {name: np.concatenate([part.curves[name] for part in parts]) for name in parts[0].curves},
        {
            name: np.concatenate([part.parameters[name] for part in parts])
            for name in parts[0].parameters
        },
    )
