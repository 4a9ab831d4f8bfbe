"""The readable trainer: one model, with autograd and torch's own SGD. The definition of correct.

`train_pack` must give these numbers for every model of a pack; the tests compare them epoch by
epoch. Dimension letters: N training rows, B batch, F features, C classes, E epochs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from trainables import data
from trainables.draws import DropoutStream, NoiseStream, OrderStream, Seed, dropout_threshold
from trainables.hyperparameters import Hyperparameters
from trainables.network import Network
from trainables.record_format import Curve
from trainables.result import Trained, curves_of, mark_divergence


def train_one(
    hyperparameters: Hyperparameters,
    seed: Seed,
    dataset: data.Dataset,
    dtype: torch.dtype = torch.float32,
    fold: data.Fold | None = None,
) -> Trained:
    """Trains one model on the CPU and returns it as a `Trained` of one.

    With `fold`, the rows of that fold do not train, and the `test/` curves are taken on them.
    """
    rows = data.split(dataset, seed.split, hyperparameters, fold)
    x_train, x_test = (torch.from_numpy(x).to(dtype) for x in (rows.x_train, rows.x_test))
    y_train, y_test = torch.from_numpy(rows.y_train), torch.from_numpy(rows.y_test)
    evaluated = [("train", x_train, y_train), ("test", x_test, y_test)]
    if hyperparameters.hold_out:
        x_held_out = torch.from_numpy(rows.x_held_out).to(dtype)
        evaluated.append(("held_out", x_held_out, torch.from_numpy(rows.y_held_out)))

    if hyperparameters.batch_size > len(x_train):
        raise ValueError(
            f"batch_size must be at most {len(x_train)}, the training rows of {dataset.name}, "
            f"got {hyperparameters.batch_size}"
        )
    network = Network(
        x_train.shape[1], hyperparameters.hidden, len(dataset.class_names), hyperparameters.dropout
    ).to(dtype)
    network.initialize(seed.init)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=hyperparameters.lr, weight_decay=hyperparameters.l2
    )
    order_stream = OrderStream(seed.order, len(x_train))
    dropout_streams = [
        DropoutStream(seed.dropout, layer, len(x_train), units)
        for layer, units in enumerate(hyperparameters.hidden)
    ]
    noise_stream = NoiseStream(seed.dropout, *x_train.shape)

    threshold = dropout_threshold(hyperparameters.dropout)
    names = curves_of(hyperparameters.hold_out)
    curves = {name: np.full((1, hyperparameters.epochs), np.nan, np.float32) for name in names}
    for epoch in range(hyperparameters.epochs):
        order = torch.from_numpy(order_stream.next(1)[0])
        kept = [torch.from_numpy(stream.next(1)[0] >= threshold) for stream in dropout_streams]
        noise = hyperparameters.noise * torch.from_numpy(noise_stream.next(1)[0]).to(dtype)
        network.train()
        batch_metrics = []
        for positions in _batches(hyperparameters, len(order)):
            x, y = x_train[order[positions]] + noise[positions], y_train[order[positions]]
            scores = network(x, [layer[positions] for layer in kept])
            loss = cross_entropy(scores, y)
            # Recorded losses are those of the labels as they are, whatever is minimised: so they
            # can be compared between configurations.
            batch_metrics.append((_accuracy(scores, y), loss.item()))
            optimizer.zero_grad()
            if smoothing := hyperparameters.label_smoothing:
                loss = cross_entropy(scores, y, label_smoothing=smoothing)
            penalized = loss + hyperparameters.l1 * mean_absolute_weight(network)
            penalized.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

        network.eval()
        with torch.no_grad():
            for part, x, y in evaluated:
                scores = network(x)
                curves[Curve.accuracy(part)][0, epoch] = _accuracy(scores, y)
                curves[Curve.loss(part)][0, epoch] = cross_entropy(scores, y).item()
        batch_accuracy, batch_loss = np.mean(batch_metrics, axis=0)
        curves[Curve.TRAIN_BATCH_ACCURACY][0, epoch] = batch_accuracy
        curves[Curve.TRAIN_BATCH_LOSS][0, epoch] = batch_loss

    mark_divergence(curves)
    parameters = {}
    for number, layer in enumerate(network.linear_layers()):
        parameters[f"{number}.weight"] = layer.weight.detach().numpy()[None].copy()
        parameters[f"{number}.bias"] = layer.bias.detach().numpy()[None].copy()
    return Trained(curves, parameters)


def mean_absolute_weight(network: Network) -> Tensor:
    """(1 / number of weights) · Σ|w| over all weights of the network, biases left out."""
    weights = torch.cat([layer.weight.flatten() for layer in network.linear_layers()])
    return weights.abs().mean()


def _batches(hyperparameters: Hyperparameters, rows: int) -> Iterator[slice]:
    size = hyperparameters.batch_size
    stop = rows - rows % size if hyperparameters.drop_last else rows
    for start in range(0, stop, size):
        yield slice(start, min(start + size, rows))


def _accuracy(scores: Tensor, y: Tensor) -> float:
    return (scores.argmax(dim=1) == y).double().mean().item()
