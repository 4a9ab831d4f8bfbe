"""Many models at once: stacked weights, hand-written forward and backward, plain torch.

Every model is one slice of stacked tensors, no operation mixes slices, and one thread does all the
work, so a model's numbers do not depend on its neighbours: not within a tolerance, but to the last
bit. For that the number of models and of hidden units is padded to a multiple of `PAD`: kernels
treat the remainder of a vector loop differently from the rest, and sum in another order where a
slice starts off a vector's boundary. A padding unit has weights 0 in and out and stays so.

Shapes, by the suffix of a name:
  M models   B rows of a batch   R training and test rows together   C classes
  F features   G = F + 1, the features and a constant 1 whose weights are the first layer's biases
  H units of a hidden layer   K units of the hidden layer below it
Class scores are (M, C, B), not (M, B, C): with a few classes a trailing C is several times slower.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainables import data, draws
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.network import survivor_scale
from trainables.pack_inputs import PAD, DropoutDraws, Placement, Rows, pad
from trainables.pack_layers import Layers, initial_layers
from trainables.result import CURVES, Trained, mark_divergence

_EVALUATED_AT_ONCE = 1 << 17  # hidden activations of an evaluation that stay in a core's cache

# gate(values, by, threshold, grad_input=out): values where `by` exceeds the threshold, 0 elsewhere.
# As a kernel of its own it is several times faster than a comparison and a product with booleans.
_gate = torch.ops.aten.threshold_backward.grad_input
_log_softmax = torch.ops.aten._log_softmax.out


class Model(NamedTuple):
    """What one model of a pack is trained with."""

    hyperparameters: Hyperparameters
    seed: Seed


def train_pack(
    models: Sequence[Model],
    dataset: data.Dataset,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Trained:
    """Trains `models`, all of equal `Hyperparameters.shape()`; results in their order."""
    pack = Pack(models, dataset, device, dtype)
    pack.train()
    return pack.trained()


class Pack:
    """Models in training: `train` for some epochs, then `trained` for curves and parameters."""

    def __init__(
        self,
        models: Sequence[Model],
        dataset: data.Dataset,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shapes = {model.hyperparameters.shape() for model in models}
        if len(shapes) != 1:
            raise ValueError(f"the models of a pack need one shape, got {len(shapes)}: {shapes}")
        common = models[0].hyperparameters
        self.models, self.epochs, self.epochs_done = len(models), common.epochs, 0
        self._place = Placement(torch.device(device), dtype)
        padded = [*models, *[models[-1]] * pad(len(models))]
        seeds = [model.seed for model in padded]
        self._rows = Rows(seeds, dataset, common, self._place)
        self._widths = [dataset.x.shape[1], *common.hidden, len(dataset.class_names)]
        self._set_hyperparameters([model.hyperparameters for model in padded])
        self._draws = DropoutDraws(seeds, self._rows.train, common.hidden, self._place)
        self._layers = initial_layers([seed.init for seed in seeds], self._widths, self._place)
        self._buffers: dict[tuple[int, int], _Buffers] = {}
        self._curves = torch.zeros(
            self.epochs, len(CURVES), len(padded), dtype=dtype, device=self._place.device
        )

    def _set_hyperparameters(self, each: Sequence[Hyperparameters]) -> None:
        def per_model(values: Sequence[float]) -> Tensor:
            return self._place.put(np.array(values, dtype=np.float64).reshape(-1, 1, 1))

        self._lr_M11 = per_model([hp.lr for hp in each])
        self._decay_M11 = per_model([1 - hp.lr * hp.l2 for hp in each])
        weights = sum(inputs * outputs for inputs, outputs in pairwise(self._widths))  # unpadded
        shrink_M11 = per_model([hp.lr * hp.l1 / weights for hp in each])
        not_bias_G = np.array([1.0] * self._widths[0] + [0.0])
        not_bias_1G1 = self._place.put(not_bias_G.reshape(1, -1, 1))
        self._shrink = [shrink_M11 * not_bias_1G1, *[shrink_M11] * (len(self._widths) - 2)]
        self._threshold_M11 = per_model([draws.dropout_threshold(hp.dropout) for hp in each])
        self._survivor_M11 = per_model([survivor_scale(hp.dropout) for hp in each])
        # Skipping what no model of the pack uses changes no number: x · 1 and x - 0 are exact.
        self._decays = any(hp.l2 > 0 for hp in each)
        self._shrinks = any(hp.l1 > 0 for hp in each)
        self._drops = any(hp.dropout > 0 for hp in each)

    def train(self, epochs: int | None = None, seconds: float = float("inf")) -> None:
        """Trains at most `epochs` more epochs, by default all that remain.

        Once `seconds` have passed no further epoch begins. How training is cut into calls changes
        no number.
        """
        remaining = self.epochs - self.epochs_done
        stop = time.perf_counter() + seconds
        with _one_thread(), torch.inference_mode():
            for _ in range(remaining if epochs is None else min(epochs, remaining)):
                curve = dict(zip(CURVES, self._curves[self.epochs_done], strict=True))
                self._train_epoch(curve["train/batch_accuracy"], curve["train/batch_loss"])
                self._evaluate(curve)
                self.epochs_done += 1
                if time.perf_counter() > stop:
                    break

    def _train_epoch(self, accuracy_M: Tensor, loss_M: Tensor) -> None:
        if self._drops:
            self._draws.next_epoch()
        steps_done = 0
        for batches in self._rows.next_epoch():
            steps, size = len(batches.x), batches.x.shape[2]
            log_p_TMCB = torch.empty_like(batches.y)
            for step in range(steps):
                first = batches.start + step * size
                rows = slice(first, first + size)
                self._step(batches.x[step], batches.y[step], rows, log_p_TMCB[step])
            correct, loss = _per_row(log_p_TMCB, batches.y)
            # Added one by one: a sum over a dimension beside M is taken in an order that depends
            # on the number of models.
            for accuracy_of_step_M, loss_of_step_M in zip(
                correct.sum(dim=2) / size, loss.sum(dim=2) / size, strict=True
            ):
                accuracy_M += accuracy_of_step_M
                loss_M += loss_of_step_M
            steps_done += steps
        accuracy_M /= steps_done
        loss_M /= steps_done

    def _step(self, x_MBG: Tensor, y_MCB: Tensor, rows: slice, log_p_MCB: Tensor) -> None:
        """One update of every model: weights move by -lr times the gradient of their mean loss."""
        buffers = self._buffers_for(x_MBG)
        inputs = [x_MBG, *buffers.hidden]  # of each linear layer
        scores_MCB = self._forward(x_MBG, self._layers, buffers, rows)
        _log_softmax(scores_MCB, 1, False, out=log_p_MCB)
        # From here on `delta` is -lr times the gradient by a layer's outcome.
        delta_MCB = torch.exp(log_p_MCB, out=buffers.delta_MCB)
        torch.sub(y_MCB, delta_MCB, out=delta_MCB).mul_(self._lr_M11 / x_MBG.shape[1])
        bias_delta = delta_MCB.sum(dim=2, keepdim=True)
        if self._drops:
            delta_MCB.mul_(self._survivor_M11)
        delta = torch.bmm(
            delta_MCB.transpose(1, 2), self._layers.weights[-1], out=buffers.deltas[-1]
        )
        self._update(-1, delta_MCB, inputs[-1], bias_delta)
        for layer in range(len(buffers.hidden) - 1, 0, -1):
            _gate(delta, inputs[layer + 1], 0, grad_input=delta)
            bias_delta = delta.sum(dim=1, keepdim=True)
            if self._drops:
                delta.mul_(self._survivor_M11)
            below = torch.bmm(
                delta, self._layers.weights[layer].transpose(1, 2), out=buffers.deltas[layer - 1]
            )
            self._update(layer, inputs[layer].transpose(1, 2), delta, bias_delta)
            delta = below
        _gate(delta, inputs[1], 0, grad_input=delta)
        self._update(0, x_MBG.transpose(1, 2), delta, None)

    def _update(self, layer: int, left: Tensor, right: Tensor, bias_delta: Tensor | None) -> None:
        weight = self._layers.weights[layer]
        signs = torch.sign(weight) if self._shrinks else None
        if self._decays:
            weight.mul_(self._decay_M11)
        if signs is not None:
            weight.addcmul_(signs, self._shrink[layer], value=-1)
        weight.baddbmm_(left, right)
        if bias_delta is not None:
            bias = self._layers.biases[layer if layer < 0 else layer - 1]
            if self._decays:
                bias.mul_(self._decay_M11)
            bias.add_(bias_delta)

    def _forward(
        self,
        x_MBG: Tensor,
        layers: Layers,
        buffers: _Buffers,
        rows: slice | None = None,
    ) -> Tensor:
        """Class scores (M, C, B); with `rows` of the epoch's order, in training mode.

        The factor 1 / (1 - p) of dropout is applied where the layer above has summed: to fewer
        numbers, with the same outcome.
        """
        training = self._drops and rows is not None
        below = x_MBG
        for layer, hidden_MBH in enumerate(buffers.hidden):
            torch.bmm(below, layers.weights[layer], out=hidden_MBH)
            if layer > 0:
                self._add_bias(hidden_MBH, layers.biases[layer - 1], training)
            hidden_MBH.relu_()
            if training and rows is not None:
                draws_MBH = buffers.deltas[layer]
                self._draws.copy(layer, rows, draws_MBH)
                draws_MBH.sub_(self._threshold_M11)
                _gate(hidden_MBH, draws_MBH, -0.5, grad_input=hidden_MBH)
            below = hidden_MBH
        scores_MCB = torch.bmm(layers.weights[-1], below.transpose(1, 2), out=buffers.scores_MCB)
        self._add_bias(scores_MCB, layers.biases[-1], training)
        return scores_MCB

    def _add_bias(self, sums: Tensor, bias: Tensor, training: bool) -> None:
        if training:
            torch.addcmul(bias, sums, self._survivor_M11, out=sums)
        else:
            sums.add_(bias)

    def _evaluate(self, curve: dict[str, Tensor]) -> None:
        """Accuracy and loss of all models on training and test rows, dropout off."""
        x, y = self._rows.evaluation_x_MRG, self._rows.evaluation_y_MCR
        rows, train = x.shape[1], self._rows.train
        block = max(PAD, _EVALUATED_AT_ONCE // (rows * max(self._widths[1:-1])) // PAD * PAD)
        for start in range(0, len(x), block):
            models = slice(start, start + block)
            buffers = self._buffers_for(x[models])
            scores = self._forward(x[models], self._layers.of(models), buffers)
            log_p = _log_softmax(scores, 1, False, out=buffers.delta_MCB)
            correct, loss = _per_row(log_p, y[models])
            for part, its_rows in (("train", slice(train)), ("test", slice(train, rows))):
                count = its_rows.stop - (its_rows.start or 0)
                curve[f"{part}/accuracy"][models] = correct[:, its_rows].sum(dim=1) / count
                curve[f"{part}/loss"][models] = loss[:, its_rows].sum(dim=1) / count

    def _buffers_for(self, x_MBG: Tensor) -> _Buffers:
        models, rows = x_MBG.shape[:2]
        if (models, rows) not in self._buffers:
            empty = x_MBG.new_empty
            hidden = [units + pad(units) for units in self._widths[1:-1]]
            classes = self._widths[-1]
            self._buffers[models, rows] = _Buffers(
                hidden=[empty(models, rows, units) for units in hidden],
                deltas=[empty(models, rows, units) for units in hidden],
                scores_MCB=empty(models, classes, rows),
                delta_MCB=empty(models, classes, rows),
            )
        return self._buffers[models, rows]

    def trained(self) -> Trained:
        """The models' curves and parameters, once all epochs are done."""
        if self.epochs_done < self.epochs:
            raise RuntimeError(f"trained {self.epochs_done} of {self.epochs} epochs so far")
        curves_EKM = self._curves[:, :, : self.models].float().cpu().numpy()
        curves = {
            name: np.ascontiguousarray(curves_EKM[:, number].T)
            for number, name in enumerate(CURVES)
        }
        mark_divergence(curves)
        return Trained(curves, self._layers.parameters(self.models, self._widths))


class _Buffers(NamedTuple):
    """Room for the activations of one number of models and rows; allocating anew is slow."""

    hidden: list[Tensor]  # (M, B, H) after ReLU and dropout, by hidden layer
    deltas: list[Tensor]  # likewise: dropout draws going up, gradients coming down
    scores_MCB: Tensor
    delta_MCB: Tensor


def _per_row(log_p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Of (…, C, B): whether each row's own class is the likeliest, as 0 or 1, and its loss."""
    own = (log_p * y).sum(dim=-2)
    return (own >= log_p.amax(dim=-2)).to(y.dtype), -own


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small operations lose more to threads than they gain, and sums could depend on them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
