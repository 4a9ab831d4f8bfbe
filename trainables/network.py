"""The lesson's network for one model, as an ordinary torch module."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from trainables import draws


def survivor_scale(dropout: float) -> float:
    """1 / (1 - p), what inverted dropout multiplies survivors by; 0 for p = 1, which has none."""
    return 1 / (1 - dropout) if dropout < 1 else 0.0


class Network(nn.Module):
    """Linear layers with ReLU and dropout after each hidden one; the last gives class scores.

    Dropout is inverted: in training the survivors are scaled by 1 / (1 - p), in evaluation nothing
    happens; p = 1 gives zeros. Which units survive is an argument of `forward`, never drawn inside.
    """

    def __init__(
        self, features: int, hidden: Sequence[int], classes: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        widths = [features, *hidden, classes]
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths))
        self.dropout = dropout

    @torch.no_grad()
    def initialize(self, seed: int) -> None:
        """Sets all weights and biases to those that `seed` draws."""
        for number, layer in enumerate(self.linear_layers()):
            weight, bias = draws.initial_layer(seed, number, layer.in_features, layer.out_features)
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))

    def linear_layers(self) -> list[nn.Linear]:
        """The linear layers from input to output."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(self, x: Tensor, kept: Sequence[Tensor] = ()) -> Tensor:
        """Class scores (B, C) of rows `x` (B, F).

        `kept`: for each hidden layer which units survive dropout, (B, H) bool; needed in training
        mode when dropout is on, unused otherwise.
        """
        *hidden, output = self.layers
        for number, layer in enumerate(hidden):
            x = torch.relu(layer(x))
            if self.training and self.dropout > 0:
                x = x * kept[number] * survivor_scale(self.dropout)
        scores: Tensor = output(x)
        return scores
