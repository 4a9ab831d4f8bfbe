"""Many models at once: stacked weights, hand-written forward and backward, plain torch.

Every model is one slice of stacked tensors, no operation mixes slices, and one thread does all the
work, so a model's numbers do not depend on its neighbours: not within a tolerance, but to the last
bit. For that the number of models and of hidden units is padded to a multiple of `PAD`: kernels
treat the remainder of a vector loop differently from the rest, and sum in another order where a
slice starts off a vector's boundary. A padding unit has weights 0 in and out and stays so.

Shapes, by the suffix of a name:
  M models   B rows of a batch   R rows that are evaluated, of all parts   C classes
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
from trainables.cuda_graph import EAGER_EPOCHS, EpochGraph
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.network import survivor_scale
from trainables.pack_evaluation import Evaluation, per_row
from trainables.pack_inputs import Batches, DropoutDraws, Placement, Rows, pad
from trainables.pack_layers import initial_layers
from trainables.record_format import Curve
from trainables.result import Trained, mark_divergence

# gate(values, by, threshold, grad_input=out): values where `by` exceeds the threshold, 0 elsewhere.
# As a kernel of its own it is several times faster than a comparison and a product with booleans.
_gate = torch.ops.aten.threshold_backward.grad_input
_log_softmax = torch.ops.aten._log_softmax.out


class Model(NamedTuple):
    """What one model of a pack is trained with; of a `fold`, it is tested on that fold's rows."""

    hyperparameters: Hyperparameters
    seed: Seed
    fold: data.Fold | None = None


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
        if len(folds := {model.fold and model.fold.of for model in models}) != 1:
            raise ValueError(f"the models of a pack need one number of folds, got {folds}")
        common = models[0].hyperparameters
        self.models, self.epochs, self.epochs_done = len(models), common.epochs, 0
        self._place = Placement(torch.device(device), dtype)
        padded = [*models, *[models[-1]] * pad(len(models))]
        seeds = [model.seed for model in padded]
        self._rows = Rows(padded, dataset, common, self._place)
        self._widths = [dataset.x.shape[1], *common.hidden, len(dataset.class_names)]
        self._set_hyperparameters([model.hyperparameters for model in padded])
        self._draws = DropoutDraws(seeds, self._rows.train, common.hidden, self._place)
        self._layers = initial_layers([seed.init for seed in seeds], self._widths, self._place)
        self._buffers: dict[int, _Buffers] = {}  # by rows of a batch
        self._evaluation = Evaluation(self._rows, self._layers)
        self._graph: EpochGraph | None = None
        shape = (self.epochs, len(self._evaluation.curves), len(padded))
        self._curves = self._place.put(np.zeros(shape))

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
        self._kept_M11 = per_model([1 - hp.label_smoothing for hp in each])
        self._shared_M11 = per_model([hp.label_smoothing / self._widths[-1] for hp in each])
        # Skipping what no model of the pack uses changes no number: x · 1 and x ± 0 are exact.
        self._smooths = any(hp.label_smoothing > 0 for hp in each)
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
                self._next_epoch()
                if time.perf_counter() > stop:
                    break

    def _next_epoch(self) -> None:
        batches = list(self._rows.next_epoch())
        for batch in batches if self._smooths else ():  # targets; losses are taken at the labels
            batch.y.mul_(self._kept_M11).add_(self._shared_M11)
        if self._drops:
            self._draws.next_epoch()
        curve_KM = self._curves[self.epochs_done]
        if not self._on_gpu or self.epochs_done < EAGER_EPOCHS:
            self._epoch(batches, curve_KM)
        else:
            if self._graph is None:
                self._graph = EpochGraph(self._epoch, batches, curve_KM)
            self._graph.run(batches, curve_KM)
        self.epochs_done += 1

    @property
    def _on_gpu(self) -> bool:
        return self._place.device.type == "cuda"

    def _epoch(self, batches: Sequence[Batches], curve_KM: Tensor) -> None:
        """All steps and the evaluation of an epoch, its numbers into `curve_KM`."""
        curve = dict(zip(self._evaluation.curves, curve_KM, strict=True))
        accuracy_M = curve[Curve.TRAIN_BATCH_ACCURACY].zero_()
        loss_M = curve[Curve.TRAIN_BATCH_LOSS].zero_()
        steps_done = 0
        for x_TMBG, y_TMCB, own_TMB, first in batches:
            steps, size = len(x_TMBG), x_TMBG.shape[2]
            log_p_TMCB = torch.empty_like(y_TMCB)
            buffers = self._training_buffers(x_TMBG[0])
            for step in range(steps):
                rows = slice(first + step * size, first + (step + 1) * size)
                self._step(x_TMBG[step], y_TMCB[step], rows, log_p_TMCB[step], buffers)
            correct, loss = per_row(log_p_TMCB, own_TMB)
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
        self._evaluation.measure(curve)

    def _step(
        self, x_MBG: Tensor, y_MCB: Tensor, rows: slice, log_p_MCB: Tensor, buffers: _Buffers
    ) -> None:
        """One update of every model: weights move by -lr times the gradient of their mean loss."""
        inputs = [x_MBG, *buffers.hidden]  # of each linear layer
        inputs_T = [x_MBG.transpose(1, 2), *buffers.hidden_T]
        self._forward(x_MBG, rows, buffers)
        _log_softmax(buffers.scores_MCB, 1, False, out=log_p_MCB)
        # From here on `delta` is -lr times the gradient by a layer's outcome.
        delta_MCB = torch.exp(log_p_MCB, out=buffers.scores_MCB)
        torch.sub(y_MCB, delta_MCB, out=delta_MCB).mul_(buffers.lr_M11)
        bias_delta = delta_MCB.sum(dim=2, keepdim=True)
        if self._drops:
            delta_MCB.mul_(self._survivor_M11)
        delta = torch.bmm(buffers.scores_T, self._layers.weights[-1], out=buffers.deltas[-1])
        self._update(-1, delta_MCB, inputs[-1], bias_delta)
        for layer in range(len(buffers.hidden) - 1, 0, -1):
            _gate(delta, inputs[layer + 1], 0, grad_input=delta)
            bias_delta = delta.sum(dim=1, keepdim=True)
            if self._drops:
                delta.mul_(self._survivor_M11)
            weight_T = self._layers.weights[layer].transpose(1, 2)
            below = torch.bmm(delta, weight_T, out=buffers.deltas[layer - 1])
            self._update(layer, inputs_T[layer], delta, bias_delta)
            delta = below
        _gate(delta, inputs[1], 0, grad_input=delta)
        self._update(0, inputs_T[0], delta, None)

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

    def _forward(self, x_MBG: Tensor, rows: slice, buffers: _Buffers) -> None:
        """Class scores of those rows of the epoch's order into `buffers`, with dropout.

        The factor 1 / (1 - p) of dropout is applied where the layer above has summed: to fewer
        numbers, with the same outcome.
        """
        below = x_MBG
        for layer, hidden_MBH in enumerate(buffers.hidden):
            torch.bmm(below, self._layers.weights[layer], out=hidden_MBH)
            if layer > 0:
                self._add_bias(hidden_MBH, self._layers.biases[layer - 1])
            hidden_MBH.relu_()
            if self._drops:
                draws_MBH = buffers.deltas[layer]
                self._draws.copy(layer, rows, draws_MBH)
                draws_MBH.sub_(self._threshold_M11)
                _gate(hidden_MBH, draws_MBH, -0.5, grad_input=hidden_MBH)
            below = hidden_MBH
        torch.bmm(self._layers.weights[-1], buffers.hidden_T[-1], out=buffers.scores_MCB)
        self._add_bias(buffers.scores_MCB, self._layers.biases[-1])

    def _add_bias(self, sums: Tensor, bias: Tensor) -> None:
        if self._drops:
            torch.addcmul(bias, sums, self._survivor_M11, out=sums)
        else:
            sums.add_(bias)

    def _training_buffers(self, x_MBG: Tensor) -> _Buffers:
        models, rows = x_MBG.shape[:2]
        if rows not in self._buffers:
            self._buffers[rows] = _Buffers(
                self._empty_hidden(models, rows),
                self._empty_hidden(models, rows),
                x_MBG.new_empty(models, self._widths[-1], rows),
                self._lr_M11 / rows,
            )
        return self._buffers[rows]

    def _empty_hidden(self, models: int, rows: int) -> list[Tensor]:
        hidden = [units + pad(units) for units in self._widths[1:-1]]
        return [self._rows.evaluation_x_MGR.new_empty(models, rows, units) for units in hidden]

    def trained(self) -> Trained:
        """The models' curves and parameters, once all epochs are done."""
        if self.epochs_done < self.epochs:
            raise RuntimeError(f"trained {self.epochs_done} of {self.epochs} epochs so far")
        curves_EKM = self._curves[:, :, : self.models].float().cpu().numpy()
        curves = {
            name: np.ascontiguousarray(curves_EKM[:, number].T)
            for number, name in enumerate(self._evaluation.curves)
        }
        mark_divergence(curves)
        return Trained(curves, self._layers.parameters(self.models, self._widths))


class _Buffers:
    """Room for the activations of one number of models and rows; allocating anew is slow.

    `hidden`: (M, B, H) after ReLU and dropout, by hidden layer. `deltas`: likewise, dropout draws
    going up and gradients coming down. `lr_M11`: learning rates over the rows of the batch.
    """

    def __init__(
        self, hidden: list[Tensor], deltas: list[Tensor], scores_MCB: Tensor, lr_M11: Tensor
    ) -> None:
        self.hidden, self.deltas, self.scores_MCB = hidden, deltas, scores_MCB
        self.lr_M11 = lr_M11
        # Views made once: making one takes as long as a small operation.
        self.hidden_T = [each.transpose(1, 2) for each in hidden]
        self.scores_T = scores_MCB.transpose(1, 2)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small operations lose more to threads than they gain, and sums could depend on them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
