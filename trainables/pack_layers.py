"""The stacked weights and biases of a pack: how they begin, how they lie, how they are read.

Shape letters as in `train_pack`. A first layer's biases are the last row of its weights, (M, G, H);
layers between have weights (M, K, H) and biases (M, 1, H), the last one (M, C, H) and (M, C, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainables import draws
from trainables.pack_inputs import Placement, pad, share
from trainables.result import Array


class Layers(NamedTuple):
    """`weights` from input to output; `biases` likewise, without those of the first layer."""

    weights: list[Tensor]
    biases: list[Tensor]

    def of(self, models: slice) -> Layers:
        """The same tensors, seen for some of the models only."""
        return Layers([w[models] for w in self.weights], [b[models] for b in self.biases])

    def parameters(self, models: int, widths: Sequence[int]) -> dict[str, Array]:
        """Copies of the first `models` in torch's layout, by name, without padding units."""
        found = {}
        top = len(self.weights) - 1
        for layer, (inputs, outputs) in enumerate(pairwise(widths)):
            weight = self.weights[layer][:models].cpu().numpy()
            if layer < top:
                weight = weight.swapaxes(1, 2)
            bias = weight[:, :, -1]
            if layer > 0:
                bias = self.biases[layer - 1][:models].cpu().numpy().reshape(models, -1)
            found[f"{layer}.weight"] = weight[:, :outputs, :inputs].copy()
            found[f"{layer}.bias"] = bias[:, :outputs].copy()
        return found


def initial_layers(seeds: Sequence[int], widths: Sequence[int], place: Placement) -> Layers:
    """The layers that the models' seeds draw, with hidden layers padded by units of weight 0."""
    firsts, seed_of_M = share(seeds, place.device)
    layers = Layers([], [])
    top = len(widths) - 2
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        drawn = [draws.initial_layer(seeds[i], layer, inputs, outputs) for i in firsts]
        rows, columns = pad(outputs) if layer < top else 0, pad(inputs) if layer else 0
        weights = np.stack([np.pad(weight, ((0, rows), (0, columns))) for weight, _ in drawn])
        biases = np.stack([np.pad(bias, (0, rows)) for _, bias in drawn])
        weight, bias = place.put(weights)[seed_of_M], place.put(biases)[seed_of_M]
        if layer == 0:
            weight = torch.cat([weight, bias.unsqueeze(2)], dim=2)
        else:
            layers.biases.append(bias.unsqueeze(2 if layer == top else 1))
        layers.weights.append(weight if layer == top else weight.transpose(1, 2).contiguous())
    return layers
