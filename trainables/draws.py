"""Every random number of a model, from its seed and the number's purpose alone.

Each (seed, purpose) has a stream of its own: SFC64 seeded by NumPy's `SeedSequence`, whose raw bits
NumPy promises never to change. Everything else (permutations, uniforms) is computed here from those
bits with exact integer and float64 arithmetic, so the numbers do not depend on the NumPy or torch
version, on the CPU, or on what other models are trained beside this one.

Dimension letters: E epochs, N training rows, H hidden units, F features.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_PURPOSES = {"split": 0, "init": 1, "order": 2, "dropout": 3, "noise": 4, "held out": 5}
_SEED_OF_ALL = 0  # of what is the same for every seed
_GAUSSIAN_BITS = 16  # after the point, of a Gaussian number: float32 holds all of them exactly
_ROW_BITS = 20  # an order's sort keys carry the row in their low bits, the draw in the others


class Seed(NamedTuple):
    """The seed of each source of randomness of one model; usually one number for all four."""

    split: int
    init: int
    order: int
    dropout: int

    @classmethod
    def of(cls, seed: int) -> Seed:
        """All four sources from the one number `seed`."""
        return cls(seed, seed, seed, seed)


def _stream(seed: int, purpose: str, layer: int = 0) -> np.random.SFC64:
    if seed < 0:
        raise ValueError(f"a seed must be at least 0, got {seed}")
    return np.random.SFC64(np.random.SeedSequence([seed, _PURPOSES[purpose], layer]))


def row_permutation(seed: int, rows: int) -> NDArray[np.int64]:
    """The order (D,) in which the split into training and test rows goes through a dataset."""
    return _permutations(_stream(seed, "split"), 1, rows).reshape(rows)


def held_out_permutation(rows: int) -> NDArray[np.int64]:
    """The order (D,) in which rows are held out of a dataset: one for all seeds."""
    return _permutations(_stream(_SEED_OF_ALL, "held out"), 1, rows).reshape(rows)


def _permutations(bits: np.random.SFC64, count: int, rows: int) -> NDArray[np.int64]:
    if not 1 <= rows < 2**_ROW_BITS:
        raise ValueError(f"rows must be from 1 to {2**_ROW_BITS - 1}, got {rows}")
    raw = bits.random_raw(count * rows).reshape(count, rows)
    low = np.uint64(2**_ROW_BITS - 1)
    # Sorting random keys shuffles. With the row in the key all keys differ, so every sorting
    # algorithm gives the same order, and the sorted keys are the answer: faster than argsort.
    keys = (raw & ~low) | np.arange(rows, dtype=np.uint64)
    orders: NDArray[np.int64] = (np.sort(keys, axis=1) & low).astype(np.int64)
    return orders


def initial_layer(
    seed: int, layer: int, inputs: int, outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Initial weights (outputs, inputs) and biases (outputs,) of one linear layer.

    Uniform between ±1/sqrt(inputs), the law of `torch.nn.Linear.reset_parameters`.
    """
    raw = _stream(seed, "init", layer).random_raw(outputs * inputs + outputs)
    bound = inputs**-0.5
    # 24 bits: exactly representable in float32, so both precisions start from the same weights.
    values = ((raw >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0) * bound
    return values[:-outputs].reshape(outputs, inputs), values[-outputs:]


class OrderStream:
    """The batch order of one model: a permutation of the training rows for each epoch in turn."""

    def __init__(self, seed: int, rows: int) -> None:
        self._bits = _stream(seed, "order")
        self._rows = rows

    def next(self, epochs: int) -> NDArray[np.int64]:
        """The next `epochs` permutations, (E, N)."""
        return _permutations(self._bits, epochs, self._rows)


def dropout_threshold(p: float) -> int:
    """The least 16-bit draw that keeps a unit: 0 for p = 0 (all kept), 65536 for p = 1 (none)."""
    return round(p * 65536)


class DropoutStream:
    """The dropout uniforms of one hidden layer of one model, epoch by epoch."""

    def __init__(self, seed: int, layer: int, rows: int, units: int) -> None:
        self._bits = _stream(seed, "dropout", layer)
        self._shape = (rows, units)

    def next(self, epochs: int) -> NDArray[np.uint16]:
        """The next `epochs` sets of 16-bit draws, (E, N, H), for rows in batch order.

        A unit is kept where its draw is at least `dropout_threshold(p)`. Rows that `drop_last`
        leaves out have draws too, so that models of every batch size see the same ones.
        """
        return _draws(self._bits, epochs, *self._shape)


class NoiseStream:
    """The Gaussian noise on the inputs of one model, epoch by epoch."""

    def __init__(self, seed: int, rows: int, features: int) -> None:
        self._bits = _stream(seed, "noise")
        self._shape = (rows, features)

    def next(self, epochs: int) -> NDArray[np.float32]:
        """The next `epochs` sets of numbers of mean 0 and deviation 1, (E, N, F), in batch order.

        As with dropout, rows that `drop_last` leaves out have theirs.
        """
        return _gaussian_quantiles()[_draws(self._bits, epochs, *self._shape)]


def _draws(bits: np.random.SFC64, epochs: int, rows: int, columns: int) -> NDArray[np.uint16]:
    count = rows * columns
    words = -(-count // 4)  # whole 64-bit words for each epoch, so that blocks do not matter
    raw = bits.random_raw(epochs * words).astype("<u8", copy=False)
    return raw.view("<u2").reshape(epochs, words * 4)[:, :count].reshape(epochs, rows, columns)


@cache
def _gaussian_quantiles() -> NDArray[np.float32]:
    """(65536,): the standard normal distribution's quantile in the middle of each 16-bit draw.

    Wichura (1988), algorithm AS 241, as Python's own `statistics` has it; rounded, so that the last
    bit of a machine's logarithm does not show.
    """
    middles = (np.arange(2**15) + 0.5) / 2**16
    lower = np.array([NormalDist().inv_cdf(float(each)) for each in middles])
    lower = np.round(lower * 2**_GAUSSIAN_BITS) / 2**_GAUSSIAN_BITS
    return np.concatenate([lower, -lower[::-1]]).astype(np.float32)
