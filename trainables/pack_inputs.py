"""What a pack is fed, epoch by epoch: each model's batches, with noise, and its dropout draws.

Models with equal seeds share rows, order and draws, so these are made once per distinct seed and
then copied out to the models. Shape letters as in `train_pack`, and T steps of an epoch.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables import data
from trainables.draws import DropoutStream, NoiseStream, OrderStream, Seed
from trainables.hyperparameters import Hyperparameters

PAD = 16  # float32 numbers in the widest vector register (AVX-512)
_AHEAD_BYTES = 1 << 23  # draws made at a time: enough to amortise the calls, little enough to hold


class Placement(NamedTuple):
    """Where tensors live and how precise they are."""

    device: torch.device
    dtype: torch.dtype

    def put(self, values: NDArray[Any]) -> Tensor:
        """`values` as a tensor of this device and precision."""
        return torch.from_numpy(values).to(self.device, self.dtype)


class Batches(NamedTuple):
    """Consecutive steps of equal batch size.

    `x`: features with a constant 1 after the last, (T, M, B, G). `y`: 1 for a row's class and 0
    for the others, (T, M, C, B). `own`: where in a flattened
    (T, M, C, B) each row's class is, (T, M, B). `start`: place of the first row in the epoch's
    order.
    """

    x: Tensor
    y: Tensor
    own: Tensor
    start: int


class _Model(Protocol):
    """A model as the trainer has it."""

    @property
    def hyperparameters(self) -> Hyperparameters: ...
    @property
    def seed(self) -> Seed: ...
    @property
    def fold(self) -> data.Fold | None: ...


class Rows:
    """Training rows in batches, and all rows for evaluation, for the models of a pack."""

    def __init__(
        self,
        models: Sequence[_Model],
        dataset: data.Dataset,
        common: Hyperparameters,
        place: Placement,
    ) -> None:
        """`models`: with one number of folds for all, since shapes must agree."""
        seeds, folds = [each.seed for each in models], [each.fold for each in models]
        parts = [(seed.split, fold) for seed, fold in zip(seeds, folds, strict=True)]
        firsts, split_of_M = share(parts, place.device)
        splits = [data.split(dataset, seeds[i].split, common, folds[i]) for i in firsts]
        self.train, self.test = len(splits[0].y_train), len(splits[0].y_test)
        self.held_out = len(splits[0].y_held_out)
        if common.batch_size > self.train:
            raise ValueError(
                f"batch_size must be at most {self.train}, the training rows of {dataset.name}, "
                f"got {common.batch_size}"
            )
        # The parts of a split stand in turn: x of one, its y, x of the next.
        x = place.put(np.stack([np.concatenate(s[::2]) for s in splits]))
        x = torch.cat([x, torch.ones_like(x[..., :1])], dim=2)
        self._classes, self._device = len(dataset.class_names), place.device
        self._first_class: dict[tuple[int, ...], Tensor] = {}  # by (T, M, B): see `_own`
        labels = np.stack([np.concatenate(s[1::2]) for s in splits])
        y = place.put(np.eye(self._classes)[labels])
        label_of_row = torch.from_numpy(labels).to(place.device)
        added = pad(labels.shape[1])
        self.evaluation_x_MGR = torch.nn.functional.pad(x.transpose(1, 2), (0, added))[split_of_M]
        padded_labels = torch.nn.functional.pad(label_of_row, (0, added))
        self.evaluation_own_MR = self._own(padded_labels[split_of_M].unsqueeze(0))[0]

        # One row per distinct (split, fold, order): where its rows start in the list of all rows.
        self._x = x[:, : self.train].flatten(0, 1)
        self._y = y[:, : self.train].flatten(0, 1)
        self._labels = label_of_row[:, : self.train].flatten()
        with_order = [(*part, seed.order) for part, seed in zip(parts, seeds, strict=True)]
        pairs, self._pair_of_M = share(with_order, place.device)
        orders, self._order_of_pair = share([seeds[i].order for i in pairs], place.device)
        self._start_of_pair = split_of_M[pairs].unsqueeze(1) * self.train
        streams = [OrderStream(seeds[pairs[i]].order, self.train) for i in orders]
        self._orders = _ahead(streams, self.train * 8)
        self._batch_size, self._drop_last = common.batch_size, common.drop_last
        noise = [each.hyperparameters.noise for each in models]
        shape = (self.train, dataset.x.shape[1])
        # Skipping what no model of the pack uses changes no number: x + 0 is exact.
        self._noise = _InputNoise(seeds, noise, shape, place) if any(noise) else None

    def next_epoch(self) -> Iterator[Batches]:
        """The next epoch's batches: the full ones, then the smaller last one if it is kept."""
        order = torch.from_numpy(next(self._orders)).to(self._device)
        rows = order[self._order_of_pair] + self._start_of_pair
        if self._noise is not None:
            self._noise.next_epoch()
        steps, left = divmod(self.train, self._batch_size)
        full = steps * self._batch_size
        yield self._gather(rows[:, :full], steps, 0)
        if left and not self._drop_last:
            yield self._gather(rows[:, full:], 1, full)

    def _gather(self, rows: Tensor, steps: int, start: int) -> Batches:
        pairs = len(rows)
        by_step = rows.reshape(pairs, steps, -1).transpose(0, 1).flatten()
        x = self._x.index_select(0, by_step).view(steps, pairs, -1, self._x.shape[1])
        y = self._y.index_select(0, by_step).view(steps, pairs, -1, self._y.shape[1])
        labels = self._labels.index_select(0, by_step).view(steps, pairs, -1)
        x_TMBG = x.index_select(1, self._pair_of_M)
        if self._noise is not None:
            self._noise.add_to(x_TMBG, start)
        return Batches(
            x_TMBG,
            y.transpose(2, 3).contiguous().index_select(1, self._pair_of_M),
            self._own(labels.index_select(1, self._pair_of_M)),
            start,
        )

    def _own(self, labels_TMB: Tensor) -> Tensor:
        """Where in a flattened (T, M, C, B) the class of each row is."""
        steps, models, rows = shape = labels_TMB.shape
        if shape not in self._first_class:
            number = torch.arange(steps * models * rows, device=self._device).view(shape)
            row = torch.arange(rows, device=self._device)
            self._first_class[shape] = (number - row) * self._classes + row
        return torch.add(self._first_class[shape], labels_TMB, alpha=rows)


class _InputNoise:
    """The noise that each model's inputs have in training, in its own strength."""

    def __init__(
        self,
        seeds: Sequence[Seed],
        noise: Sequence[float],
        shape: tuple[int, int],
        place: Placement,
    ) -> None:
        firsts, self._seed_of_M = share([seed.dropout for seed in seeds], place.device)
        streams = [NoiseStream(seeds[i].dropout, *shape) for i in firsts]
        self._draws = _ahead(streams, shape[0] * shape[1] * 4)
        self._strength_M11 = place.put(np.array(noise, dtype=np.float64).reshape(-1, 1, 1))
        self._place = place
        self._epoch_SNF = torch.empty(0)

    def next_epoch(self) -> None:
        """Moves on to the next epoch's numbers."""
        self._epoch_SNF = self._place.put(next(self._draws))

    def add_to(self, x_TMBG: Tensor, start: int) -> None:
        """Adds it to the features, not to the constant 1, of steps from row `start` on."""
        rows = x_TMBG.shape[2]
        for step, x_MBG in enumerate(x_TMBG):
            first = start + step * rows
            drawn_MBF = self._epoch_SNF[:, first : first + rows].index_select(0, self._seed_of_M)
            x_MBG[..., :-1] += drawn_MBF.mul_(self._strength_M11)


class DropoutDraws:
    """The 16-bit dropout draws of every hidden layer, as whole floating-point numbers."""

    def __init__(
        self, seeds: Sequence[Seed], rows: int, hidden: Sequence[int], place: Placement
    ) -> None:
        firsts, self._seed_of_M = share([seed.dropout for seed in seeds], place.device)
        self._layers = []
        for layer, units in enumerate(hidden):
            streams = [DropoutStream(seeds[i].dropout, layer, rows, units) for i in firsts]
            self._layers.append(_ahead(streams, rows * units * 2))
        self._place = place
        self._epoch: list[Tensor] = []

    def next_epoch(self) -> None:
        """Moves on to the next epoch's draws."""
        drawn = [
            self._place.put(np.pad(draws, ((0, 0), (0, 0), (0, pad(draws.shape[2])))).astype("f4"))
            for draws in map(next, self._layers)
        ]
        self._epoch = self._epoch or [torch.empty_like(each) for each in drawn]
        for held, each in zip(self._epoch, drawn, strict=True):
            held.copy_(each)  # in place: a CUDA graph reads where it read first

    def copy(self, layer: int, rows: slice, out_MBH: Tensor) -> None:
        """Copies the draws of those rows of the epoch's order to every model."""
        draws_SBH = self._epoch[layer][:, rows].contiguous()
        torch.index_select(draws_SBH, 0, self._seed_of_M, out=out_MBH)


def pad(count: int) -> int:
    """How many more make `count` a multiple of `PAD`."""
    return -count % PAD


def share(keys: Sequence[Hashable], device: torch.device) -> tuple[list[int], Tensor]:
    """Where each distinct key occurs first, and for each key (M,) which of those it equals."""
    number: dict[Hashable, int] = {}
    firsts: list[int] = []
    for position, key in enumerate(keys):
        if key not in number:
            number[key] = len(firsts)
            firsts.append(position)
    return firsts, torch.tensor([number[key] for key in keys], device=device)


class _Stream(Protocol):
    def next(self, epochs: int) -> NDArray[Any]: ...


def _ahead(streams: Sequence[_Stream], epoch_bytes: int) -> Iterator[NDArray[Any]]:
    """For each epoch the draws of all streams, (streams, …), made some epochs at a time."""
    epochs = max(1, _AHEAD_BYTES // (epoch_bytes * len(streams)))
    while True:
        yield from np.stack([stream.next(epochs) for stream in streams], axis=1)
