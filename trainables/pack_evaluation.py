"""How good all models of a pack are after an epoch, on each part of their rows.

Shape letters as in `train_pack`; here R is padded with rows that count nowhere. Activations are
(M, H, R), rows last: with many rows the products are faster so.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from trainables.pack_inputs import PAD, Rows
from trainables.pack_layers import Layers
from trainables.record_format import Curve
from trainables.result import curves_of

_HIDDEN_AT_ONCE = 1 << 17  # hidden activations that stay in a core's cache

_log_softmax = torch.ops.aten._log_softmax.out


class _Block(NamedTuple):
    """Some of the models: `x_MGR`, their layers' weights as products want them, room for scores."""

    x_MGR: Tensor
    weights: list[Tensor]
    biases: list[Tensor]
    hidden: list[Tensor]
    scores_MCR: Tensor


class Evaluation:
    """Accuracy and mean cross-entropy of all models, dropout off.

    It sees the tensors in `layers` as they are at the time of `measure`. `curves`: the names of all
    that models with such rows have at every epoch, of which it measures what is taken after it.
    """

    def __init__(self, rows: Rows, layers: Layers) -> None:
        self.curves = curves_of(rows.held_out)
        self._parts = [("train", rows.train), ("test", rows.test)]
        if rows.held_out:
            self._parts.append(("held_out", rows.held_out))
        self._own_MR = rows.evaluation_own_MR
        x_MGR = rows.evaluation_x_MGR
        models, padded = len(x_MGR), x_MGR.shape[2]
        self._scores_MCR = x_MGR.new_empty(models, layers.weights[-1].shape[1], padded)
        units = [weight.shape[2] for weight in layers.weights[:-1]]
        at_once = _HIDDEN_AT_ONCE // (padded * max(units))
        size = min(models, max(PAD, at_once // PAD * PAD))
        hidden = [x_MGR.new_empty(size, each, padded) for each in units]
        self._blocks = [
            _block(x_MGR, layers, hidden, self._scores_MCR, slice(start, start + size))
            for start in range(0, models, size)
        ]

    def measure(self, curve: dict[str, Tensor]) -> None:
        """Writes accuracies and losses (M,) into `curve`'s tensors of those names."""
        for block in self._blocks:
            below = block.x_MGR
            for layer, hidden_MHR in enumerate(block.hidden):
                torch.bmm(block.weights[layer], below, out=hidden_MHR)
                if layer > 0:
                    hidden_MHR.add_(block.biases[layer - 1])
                below = hidden_MHR.relu_()
            torch.bmm(block.weights[-1], below, out=block.scores_MCR).add_(block.biases[-1])
        log_p_MCR = _log_softmax(self._scores_MCR, 1, False, out=self._scores_MCR)
        correct, loss = per_row(log_p_MCR, self._own_MR)
        start = 0
        for part, count in self._parts:
            rows = slice(start, start + count)
            start += count
            torch.sum(correct[:, rows], dim=1, out=curve[Curve.accuracy(part)]).div_(count)
            torch.sum(loss[:, rows], dim=1, out=curve[Curve.loss(part)]).div_(count)


def _block(
    x_MGR: Tensor, layers: Layers, hidden: list[Tensor], scores_MCR: Tensor, models: slice
) -> _Block:
    x = x_MGR[models]
    *below, top = layers.of(models).weights
    *below_biases, top_bias = layers.of(models).biases
    return _Block(
        x,
        [*(weight.transpose(1, 2) for weight in below), top],
        [*(bias.transpose(1, 2) for bias in below_biases), top_bias],
        [each[: len(x)] for each in hidden],
        scores_MCR[models],
    )


def per_row(log_p: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Of (…, C, B): whether each row's class is the likeliest, as 0 or 1, and its loss, (…, B).

    `own`: where in the flattened `log_p` the row's class is, (…, B).
    """
    own_log_p = log_p.flatten().index_select(0, own.flatten()).view(own.shape)
    return (own_log_p >= log_p.amax(dim=-2)).to(log_p.dtype), own_log_p.neg_()
