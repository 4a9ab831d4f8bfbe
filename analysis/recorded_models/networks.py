"""Recorded networks, and what they say of rows and of a plane.

The network is that of `trainables.network`, evaluated: linear layers with ReLU between them. The
tests hold it against torch.

Dimension letters: S seeds, F features, H units next to the input, O outputs and I inputs of a
layer, C classes, N rows, G steps of a grid's side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.plane import Plane
from trainables.data import Dataset, split
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

_AT_ONCE = 8  # models of which a whole grid is in memory


class Networks(NamedTuple):
    """One trial's models after the last epoch, the seeds in their order.

    `weights` (S, O, I) and `biases` (S, O) by layer; `mean` and `deviation` (S, F): by which inputs
    are shifted and scaled first, 0 and 1 where the sweep did not standardise. `sound` (S,): which
    did not diverge.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    mean: Array
    deviation: Array
    sound: NDArray[np.bool_]

    def packed(self, most: int) -> Array:
        """(S, P) float32: the parameters of the first `most` models, each layer's weights first."""
        flat = [one[:most].reshape(len(one[:most]), -1) for one in self.parameters().values()]
        return np.concatenate(flat, axis=1).astype(np.float32)

    def parameters(self) -> dict[str, Array]:
        """Weights and biases by their recorded names, such as `0.weight`."""
        layers = enumerate(zip(self.weights, self.biases, strict=True))
        return {
            f"{number}.{part}": values
            for number, layer in layers
            for part, values in zip(("weight", "bias"), layer, strict=True)
        }


def networks(record: SweepRecord, trial: Trial, dataset: Dataset) -> Networks:
    """The models of a usable trial."""
    layers = range(len(trial.hyperparameters.hidden) + 1)
    features = dataset.x.shape[1]
    mean, deviation = np.zeros((2, len(trial.seeds), features))
    deviation += 1
    if trial.hyperparameters.standardize:
        raw = trial.hyperparameters.at(standardize=False)
        for place, (seed, *_) in enumerate(trial.model_seeds()):
            rows = split(dataset, seed, raw).x_train
            mean[place], spread = rows.mean(axis=0), rows.std(axis=0)
            deviation[place] = np.where(spread > 0, spread, 1.0)
    return Networks(
        tuple(record.parameter(trial, f"{layer}.weight") for layer in layers),
        tuple(record.parameter(trial, f"{layer}.bias") for layer in layers),
        mean,
        deviation,
        np.isfinite(record.final(trial, Curve.TEST_ACCURACY)),
    )


def scores(models: Networks, place: int, x: Array) -> Array:
    """(N, C): the scores that one seed's model gives the rows `x` (N, F) as they stand in the data,
    in the arithmetic that it was trained in.
    """
    values: Array = ((x - models.mean[place]) / models.deviation[place]).astype(np.float32)
    last = len(models.weights) - 1
    for number, (weight, bias) in enumerate(zip(models.weights, models.biases, strict=True)):
        values = values @ weight[place].astype(np.float32).T + bias[place].astype(np.float32)
        if number < last:
            values = np.maximum(values, 0)
    return values


def predicted(models: Networks, plane: Plane, side: int) -> NDArray[np.int64]:
    """(S, G, G): the class of the highest score in the middle of each cell, `plane`'s second
    direction going up with the rows. Of models that diverged it means nothing.
    """
    a, b = plane.sides(side)
    first = models.weights[0] / models.deviation[:, None, :]
    at_origin = models.biases[0] + np.einsum("shf,sf->sh", first, plane.origin - models.mean)
    along = np.einsum("shf,df->dsh", first, plane.along)
    classes = []
    for start in range(0, len(first), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        values = (
            at_origin[some, None, None, :]
            + b[None, :, None, None] * along[1][some, None, None, :]
            + a[None, None, :, None] * along[0][some, None, None, :]
        ).reshape(-1, side * side, first.shape[1])
        for weight, bias in zip(models.weights[1:], models.biases[1:], strict=True):
            values = np.maximum(values, 0) @ weight[some].swapaxes(1, 2) + bias[some, None, :]
        classes.append(values.argmax(axis=2).reshape(-1, side, side))
    return np.concatenate(classes)


def shares_of_seeds(models: Networks, plane: Plane, side: int, classes: int) -> NDArray[np.uint8]:
    """(C, G, G): for each class the share of the models that predict it, in 255ths.

    Those that diverged are left out; all 0 where none is left.
    """
    left = predicted(models, plane, side)[models.sound]
    shares = [(left == number).sum(axis=0) / max(len(left), 1) for number in range(classes)]
    return np.round(255 * np.array(shares)).astype(np.uint8)
