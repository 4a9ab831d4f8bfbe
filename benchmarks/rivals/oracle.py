"""The project's readable trainer, `train_one`, model after model."""

from __future__ import annotations

from collections.abc import Sequence

from jobs import Model, serve
from trainables import data
from trainables.draws import Seed
from trainables.train_one import train_one


def train(models: Sequence[Model], dataset: data.Dataset) -> list[float]:
    """Trains the models; their last test accuracies (M,)."""
    curves = [train_one(hp, Seed.of(seed), dataset).curves for hp, seed in models]
    return [float(curve["test/accuracy"][0, -1]) for curve in curves]


if __name__ == "__main__":
    serve(train)
