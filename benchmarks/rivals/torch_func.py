"""Stacked models through `torch.func`: vmap over the gradient of one model's loss, SGD by hand.

Dropout draws are torch's own, another block for each model. Shape letters as in `host_inputs`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import cross_entropy

from host_inputs import prepare
from jobs import Model, serve
from trainables import data

Parameters = dict[str, Tensor]


def _scores(parameters: Parameters, x: Tensor, dropout: Tensor | None) -> Tensor:
    """Class scores (B, C) of one model."""
    hidden = torch.relu(x @ parameters["w0"] + parameters["b0"])
    if dropout is not None:
        hidden = hidden * (torch.rand_like(hidden) >= dropout) / (1 - dropout)
    return hidden @ parameters["w1"] + parameters["b1"]


def _loss(parameters: Parameters, x: Tensor, y: Tensor, dropout: Tensor | None) -> Tensor:
    return cross_entropy(_scores(parameters, x, dropout), y)


def train(models: Sequence[Model], dataset: data.Dataset) -> list[float]:
    """Trains the models; their last test accuracies (M,)."""
    torch.manual_seed(0)
    inputs = prepare(models, dataset)
    seed_of_M = torch.from_numpy(inputs.seed_of_M)
    x_train, y_train, x_test, y_test = (
        torch.from_numpy(values)[seed_of_M]
        for values in (inputs.x_train, inputs.y_train, inputs.x_test, inputs.y_test)
    )
    orders = torch.from_numpy(inputs.orders).long()
    parameters = {name: torch.from_numpy(values) for name, values in inputs.parameters.items()}
    lr, l2 = torch.from_numpy(inputs.lr), torch.from_numpy(inputs.l2)
    drops = bool(inputs.dropout.any())
    dropout = torch.from_numpy(inputs.dropout) if drops else None
    gradient = vmap(grad(_loss), in_dims=(0, 0, 0, 0 if drops else None), randomness="different")
    evaluate = vmap(_scores, in_dims=(0, 0, None))
    model_of_M11 = torch.arange(len(models)).view(-1, 1, 1)
    with torch.no_grad():
        for epoch in range(orders.shape[1]):
            rows_MTB = orders[:, epoch][seed_of_M]
            x_MTBF = x_train[model_of_M11, rows_MTB]
            y_MTB = y_train[model_of_M11, rows_MTB]
            for step in range(rows_MTB.shape[1]):
                gradients = gradient(parameters, x_MTBF[:, step], y_MTB[:, step], dropout)
                for name, values in parameters.items():
                    as_values = (-1, *[1] * (values.dim() - 1))
                    change = gradients[name] + l2.view(as_values) * values
                    values.sub_(lr.view(as_values) * change)
            accuracy = {
                part: (evaluate(parameters, x, None).argmax(2) == y).float().mean(1)
                for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test))
            }
    return [float(value) for value in accuracy["test"].tolist()]


if __name__ == "__main__":
    serve(train)
