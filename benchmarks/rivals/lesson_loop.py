"""The loop that the lesson teaches: DataLoader, module, autograd, SGD, model after model.

Splits, initial weights and batch orders are the project's own, so that final accuracies can be
compared; dropout is torch's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

from jobs import Model, serve
from trainables import data, draws


class Epoch(NamedTuple):
    """Accuracies after an epoch, dropout off, 0 to 1."""

    train_accuracy: float
    test_accuracy: float


class Network(nn.Module):
    """One hidden layer with ReLU and dropout."""

    def __init__(self, features: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.input = nn.Linear(features, hidden)
        self.output = nn.Linear(hidden, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (B, C) of rows `x` (B, F)."""
        return cast(Tensor, self.output(self.dropout(torch.relu(self.input(x)))))


class _SeedsOrder(Sampler[int]):
    """The batch order of a seed, an epoch each time it is iterated."""

    def __init__(self, seed: int, rows: int) -> None:
        self._stream = draws.OrderStream(seed, rows)
        self._rows = rows

    def __iter__(self) -> Iterator[int]:
        return iter(self._stream.next(1)[0].tolist())

    def __len__(self) -> int:
        return self._rows


def epochs(model: Model, dataset: data.Dataset) -> Iterator[Epoch]:
    """Trains one model, an epoch for each item taken."""
    hyperparameters, seed = model
    torch.manual_seed(seed)
    rows = data.split(dataset, seed, hyperparameters)
    x_train, x_test = (torch.tensor(x, dtype=torch.float32) for x in (rows.x_train, rows.x_test))
    y_train, y_test = torch.tensor(rows.y_train), torch.tensor(rows.y_test)
    train_rows = TensorDataset(x_train, y_train)
    loader = DataLoader(
        train_rows,
        batch_size=hyperparameters.batch_size,
        sampler=_SeedsOrder(seed, len(cast(Sized, train_rows))),
        drop_last=hyperparameters.drop_last,
    )
    (hidden,) = hyperparameters.hidden
    network = Network(x_train.shape[1], hidden, len(dataset.class_names), hyperparameters.dropout)
    _initialize(network, seed)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=hyperparameters.lr, weight_decay=hyperparameters.l2
    )
    for _ in range(hyperparameters.epochs):
        network.train()
        for x, y in loader:
            loss = loss_function(network(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            yield Epoch(_accuracy(network, x_train, y_train), _accuracy(network, x_test, y_test))


@torch.no_grad()
def _initialize(network: Network, seed: int) -> None:
    for number, layer in enumerate((network.input, network.output)):
        weight, bias = draws.initial_layer(seed, number, layer.in_features, layer.out_features)
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))


def _accuracy(network: Network, x: Tensor, y: Tensor) -> float:
    return float((network(x).argmax(dim=1) == y).float().mean())


def train(models: Sequence[Model], dataset: data.Dataset) -> list[float]:
    """Trains the models; their last test accuracies (M,)."""
    return [list(epochs(model, dataset))[-1].test_accuracy for model in models]


if __name__ == "__main__":
    serve(train)
