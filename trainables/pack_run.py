"""A pack from start to finish: its models in chunks, its trials handed over as they complete."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Trial
from trainables.result import Trained, TrialResult
from trainables.train_pack import Model, Pack

# More models at once spread torch's cost per call thinner; from here on little is left to spread.
# On a GPU the launches are shared, and it takes thousands to fill one.
MODELS_AT_ONCE = {"cpu": 256, "cuda": 16_384}
# Of a chunk's rows: a large dataset is copied to fewer models at a time.
_INPUT_BYTES = {"cpu": 1 << 26, "cuda": 1 << 29}


class PackRun:
    """Trains trials of equal shapes, at most `models_at_once` models together.

    By default that is as many as train fast.

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
        self._models = [
            Model(trial.hyperparameters, Seed._make(each))
            for trial in trials
            for each in trial.model_seeds()
        ]
        # Chunks of equal size: a small last one would cost nearly as much as a full one.
        chunks = -(-len(self._models) // (models_at_once or _fast(dataset, device)))
        self._bounds = [round(i * len(self._models) / chunks) for i in range(chunks + 1)]
        self._chunk = 0
        self._pack: Pack | None = None
        self._trained: list[Trained] = []  # chunks whose trials are not all handed over
        self._trials_done = 0
        self._models_handed_over = 0
        self._seconds = 0.0
        self._models_trained = 0

    @property
    def done(self) -> bool:
        """Whether every trial has been handed over."""
        return self._trials_done == len(self._trials)

    @property
    def models_done(self) -> float:
        """How many models' worth of epochs have been trained."""
        if self._pack is None:
            return self._models_trained
        return self._models_trained + self._pack.models * self._pack.epochs_done / self._pack.epochs

    def advance(self, seconds: float = float("inf")) -> list[TrialResult]:
        """Trains for about `seconds` (at least an epoch, at most a chunk)."""
        began = time.perf_counter()
        if self._pack is None:
            first, stop = self._bounds[self._chunk : self._chunk + 2]
            self._pack = Pack(self._models[first:stop], self._dataset, self._device)
        self._pack.train(seconds=seconds)
        completed: list[TrialResult] = []
        if self._pack.epochs_done == self._pack.epochs:
            self._trained.append(self._pack.trained())
            self._models_trained += self._pack.models
            self._chunk += 1
            self._pack = None
        self._seconds += time.perf_counter() - began
        if self._pack is None:
            completed = self._complete()
        return completed

    def _complete(self) -> list[TrialResult]:
        """The trials whose last model has been trained; their models' results are let go."""
        waiting = _joined(self._trained)
        seconds_a_model = self._seconds / self._models_trained
        completed = []
        first = 0
        available = self._models_trained - self._models_handed_over
        while not self.done:
            trial = self._trials[self._trials_done]
            stop = first + len(trial.seeds)
            if stop > available:
                break
            completed.append(
                TrialResult(
                    trial,
                    waiting.take(np.arange(first, stop)),
                    seconds_a_model * len(trial.seeds),
                    self._device_name,
                )
            )
            self._trials_done += 1
            first = stop
        self._models_handed_over += first
        self._trained = [waiting.take(np.arange(first, available))]
        return completed


def _fast(dataset: data.Dataset, device: str) -> int:
    """How many models to train together; numbers do not depend on it."""
    return max(1, min(MODELS_AT_ONCE[device], _INPUT_BYTES[device] // (4 * dataset.x.size)))


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
