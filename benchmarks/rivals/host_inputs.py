"""What stacked trainers are fed: splits, initial weights and batch orders as NumPy arrays.

Dimension letters: M models, S distinct seeds, E epochs, N training rows, T steps, B batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs import Model
from trainables import data, draws

Array = NDArray[Any]


class Inputs(NamedTuple):
    """Rows by distinct seed, weights and hyperparameters by model; `seed_of_M` says which is whose.

    `orders`: rows of each step, (S, E, T, B). `parameters`: w0 (M, F, H), b0 (M, H), w1 (M, H, C),
    b1 (M, C). Features and parameters are float32.
    """

    x_train: Array  # (S, N, F)
    y_train: Array  # (S, N)
    x_test: Array
    y_test: Array
    orders: Array
    seed_of_M: Array
    parameters: dict[str, Array]
    lr: Array  # (M,), as the two below
    l2: Array
    dropout: Array


def prepare(models: Sequence[Model], dataset: data.Dataset) -> Inputs:
    """The inputs of `models`, from the project's own draws."""
    common = models[0].hyperparameters
    if not common.drop_last:
        raise ValueError("stacked rivals train full batches only: drop_last must be True")
    seeds = sorted({model.seed for model in models})
    splits = [data.split(dataset, seed, common) for seed in seeds]
    rows = len(splits[0].y_train)
    steps = rows // common.batch_size
    orders = np.stack([draws.OrderStream(seed, rows).next(common.epochs) for seed in seeds])
    used = orders[:, :, : steps * common.batch_size].astype(np.int32)
    seed_of_M = np.array([seeds.index(model.seed) for model in models])
    widths = [dataset.x.shape[1], *common.hidden, len(dataset.class_names)]
    parameters = {}
    for layer in range(2):
        drawn = [draws.initial_layer(seed, layer, *widths[layer : layer + 2]) for seed in seeds]
        weights = np.stack([weight.T for weight, _ in drawn])
        parameters[f"w{layer}"] = weights[seed_of_M].astype(np.float32)
        biases = np.stack([bias for _, bias in drawn])
        parameters[f"b{layer}"] = biases[seed_of_M].astype(np.float32)
    return Inputs(
        np.stack([each.x_train for each in splits]).astype(np.float32),
        np.stack([each.y_train for each in splits]),
        np.stack([each.x_test for each in splits]).astype(np.float32),
        np.stack([each.y_test for each in splits]),
        used.reshape(len(seeds), common.epochs, steps, common.batch_size),
        seed_of_M,
        parameters,
        *(
            np.array([getattr(model.hyperparameters, name) for model in models], dtype=np.float32)
            for name in ("lr", "l2", "dropout")
        ),
    )
