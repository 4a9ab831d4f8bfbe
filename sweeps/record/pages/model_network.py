"""One seed's model as a network that takes rows as they stand in the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables import data
from trainables.draws import Seed
from trainables.manifest import Manifest
from trainables.result import Array, TrialResult

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class ChosenModel:
    """The model of the seed at `index` of a sweep's trial, and the data that it was trained on."""

    manifest: Manifest
    result: TrialResult
    index: int
    dataset: data.Dataset

    @property
    def seed(self) -> int:
        """The seed, as the record names it."""
        return self.result.trial.seeds[self.index]

    @property
    def parameters(self) -> dict[str, Array]:
        """Its weights and biases by name, see `Trained`."""
        return {name: values[self.index] for name, values in self.result.trained.parameters.items()}

    def rows(self) -> data.Split:
        """The training and test rows of its seed, as they stand in the data."""
        seed = Seed._make(self.result.trial.model_seeds()[self.index])
        raw = self.result.trial.hyperparameters.at(standardize=False)
        return data.split(self.dataset, seed.split, raw)


class Scale(NamedTuple):
    """What is subtracted from each feature, and what it is divided by then: (F,) float32."""

    mean: Array
    deviation: Array


def scale_of(model: ChosenModel) -> Scale:
    """The scale of its training rows, as `data.split` standardises; 0 and 1 for one without."""
    features = len(model.dataset.feature_names)
    mean, deviation = np.zeros(features), np.ones(features)
    if model.result.trial.hyperparameters.standardize:
        train = model.rows().x_train
        mean, deviation = train.mean(axis=0), train.std(axis=0)
    return Scale(
        mean.astype(np.float32), np.where(deviation > 0, deviation, 1.0).astype(np.float32)
    )


def network_of(model: ChosenModel) -> nn.Sequential:
    """Probabilities of the classes from raw rows (N, F) float32, of torch's own layers only.

    The scaling of a standardised model is its first layer, the softmax its last.
    """
    import torch
    from torch import nn

    hyperparameters = model.result.trial.hyperparameters
    parameters = model.parameters
    count = len(parameters) // 2
    layers: list[nn.Module] = []
    if hyperparameters.standardize:
        scale = scale_of(model)
        scaling = nn.BatchNorm1d(len(scale.mean), eps=0.0, affine=False)
        scaling.running_mean = torch.from_numpy(scale.mean.copy())
        scaling.running_var = torch.from_numpy(scale.deviation**2)
        layers.append(scaling)
    for number in range(count):
        weight = torch.from_numpy(parameters[f"{number}.weight"].copy())
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(torch.from_numpy(parameters[f"{number}.bias"].copy()))
        layers.append(linear)
        if number < count - 1:
            layers += [nn.ReLU(), nn.Dropout(hyperparameters.dropout)]
    return nn.Sequential(*layers, nn.Softmax(dim=1)).eval()


def accuracy(network: nn.Module, x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The share of the rows whose most probable class is theirs."""
    import torch

    with torch.no_grad():
        found = network(torch.from_numpy(x.astype(np.float32))).argmax(dim=1).numpy()
    return float((found == y).mean())
