"""Every random number depends on its seed and purpose alone, and follows its law."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare, kstest

from trainables.draws import (
    DropoutStream,
    NoiseStream,
    OrderStream,
    Seed,
    dropout_threshold,
    held_out_permutation,
    initial_layer,
    row_permutation,
)


def _digest(values: NDArray[np.generic]) -> str:
    """Of the little-endian bytes."""
    ordered = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    return hashlib.sha256(ordered.tobytes()).hexdigest()[:16]


def test_the_streams_are_those_of_earlier_records() -> None:
    # Everything recorded rests on these numbers: raise TRAINER_VERSION if they must change.
    weight, bias = initial_layer(7, 1, 32, 3)
    found = {
        "split": row_permutation(7, 150)[:6].tolist(),
        "held out": held_out_permutation(150)[:6].tolist(),
        "weight": _digest(weight),
        "bias": _digest(bias),
        "order": _digest(OrderStream(7, 120).next(3)),
        "first of the order": OrderStream(7, 120).next(1)[0, :6].tolist(),
        "dropout": _digest(DropoutStream(7, 0, 120, 32).next(3)),
        "dropout of an odd width": _digest(DropoutStream(7, 1, 11, 7).next(3)),
        "noise": _digest(NoiseStream(7, 120, 5).next(3)),
    }
    assert found == {
        "split": [133, 67, 65, 39, 82, 0],
        "held out": [37, 88, 71, 93, 140, 141],
        "weight": "d2146fdf89990b78",
        "bias": "d5d5e80e392cf18b",
        "order": "61196ca4336eed70",
        "first of the order": [89, 26, 106, 81, 76, 48],
        "dropout": "84190abb8dbd5b6a",
        "dropout of an odd width": "8d86cdaf3b322811",
        "noise": "e5afb7b5b20b74c9",
    }


def test_a_negative_seed_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match="a seed must be at least 0, got -1"):
        row_permutation(-1, 150)


def test_one_number_seeds_all_four_sources() -> None:
    assert Seed.of(3) == Seed(split=3, init=3, order=3, dropout=3)


def test_every_epoch_of_the_order_is_a_permutation_of_the_rows() -> None:
    for rows in (1, 2, 30, 120, 1437):
        orders = OrderStream(0, rows).next(20)
        assert orders.shape == (20, rows)
        assert (np.sort(orders, axis=1) == np.arange(rows)).all()


@pytest.mark.parametrize("rows", [1, 2, 150, 1797])
def test_the_order_that_splits_a_dataset_is_a_permutation_of_its_rows(rows: int) -> None:
    assert sorted(row_permutation(3, rows)) == list(range(rows))


def test_the_order_differs_from_epoch_to_epoch() -> None:
    orders = OrderStream(0, 120).next(50)
    assert len({order.tobytes() for order in orders}) == 50


def test_every_permutation_is_equally_likely() -> None:
    orders = OrderStream(1, 4).next(24 * 500)
    counts = np.unique(orders @ np.array([64, 16, 4, 1]), return_counts=True)[1]
    assert len(counts) == math.factorial(4)
    assert chisquare(counts).pvalue > 0.001


def test_every_row_is_equally_likely_at_every_place() -> None:
    orders = OrderStream(2, 30).next(6000)
    counts = np.stack([np.bincount(orders[:, place], minlength=30) for place in range(30)])
    statistic = ((counts - 200) ** 2 / 200).sum()
    assert abs(statistic - 29 * 29) < 5 * (2 * 29 * 29) ** 0.5


@pytest.mark.parametrize("rows", [0, 2**20])
def test_an_order_of_impossible_length_is_refused(rows: int) -> None:
    with pytest.raises(ValueError, match=f"rows must be from 1 to 1048575, got {rows}"):
        OrderStream(0, rows).next(1)


@pytest.mark.parametrize("cuts", [(1,) * 12, (5, 7), (1, 4, 7), (12,)])
def test_streams_do_not_depend_on_how_many_epochs_are_taken_at_a_time(
    cuts: tuple[int, ...],
) -> None:
    # The odd sizes do not fill whole 64-bit words.
    for rows, units in ((120, 32), (11, 7), (1, 1), (3, 5)):
        order, dropout = OrderStream(5, rows), DropoutStream(5, 0, rows, units)
        orders = np.concatenate([order.next(cut) for cut in cuts])
        dropouts = np.concatenate([dropout.next(cut) for cut in cuts])
        assert np.array_equal(orders, OrderStream(5, rows).next(12))
        assert np.array_equal(dropouts, DropoutStream(5, 0, rows, units).next(12))


def test_other_seeds_purposes_and_layers_have_other_streams() -> None:
    weights = {
        _digest(initial_layer(seed, layer, 8, 8)[0]) for seed in range(5) for layer in (0, 1)
    }
    orders = {_digest(OrderStream(seed, 120).next(1)) for seed in range(5)}
    dropouts = {
        _digest(DropoutStream(seed, layer, 12, 8).next(1)) for seed in range(5) for layer in (0, 1)
    }
    splits = {_digest(row_permutation(seed, 120)) for seed in range(5)}
    assert (len(weights), len(orders), len(dropouts), len(splits)) == (10, 5, 10, 5)
    assert not orders & splits


def test_streams_of_different_purposes_are_not_correlated() -> None:
    # The same raw words would show: a weight is made of one, and so are four dropout draws.
    weights = initial_layer(0, 0, 1000, 10)[0].ravel()
    dropouts = DropoutStream(0, 0, 1000, 40).next(1).reshape(-1, 4).astype(np.float64)
    neighbours = initial_layer(1, 0, 1000, 10)[0].ravel()
    others = [*dropouts.T, neighbours]
    assert all(abs(np.corrcoef(weights, other)[0, 1]) < 0.05 for other in others)


def test_initial_weights_and_biases_are_uniform_within_torchs_bound() -> None:
    weight, bias = initial_layer(3, 0, 64, 400)
    assert weight.shape == (400, 64)
    assert bias.shape == (400,)
    for values in (weight.ravel(), bias):
        assert kstest(values * 8, "uniform", args=(-1, 2)).pvalue > 0.001
    assert np.abs(weight).max() <= 1 / 8


def test_initial_weights_are_the_same_in_both_precisions() -> None:
    # Exact only where 1 / sqrt(inputs) is a power of two; elsewhere one rounding apart.
    weight, _ = initial_layer(3, 0, 64, 50)
    assert np.array_equal(weight.astype(np.float32).astype(np.float64), weight)


@pytest.mark.parametrize("p", [0.0, 0.05, 0.1, 0.3, 0.5, 0.9, 0.999, 1.0])
def test_the_share_of_kept_units_is_within_binomial_bounds(p: float) -> None:
    draws = DropoutStream(0, 0, 120, 32).next(50)
    kept = (draws >= dropout_threshold(p)).mean()
    assert abs(kept - (1 - p)) <= 5 * (p * (1 - p) / draws.size) ** 0.5 + 2**-17


def test_no_unit_is_dropped_at_0_and_none_kept_at_1() -> None:
    draws = DropoutStream(0, 0, 1000, 100).next(10)  # a million: the extremes do occur
    assert (draws.min(), draws.max()) == (0, 65535)
    assert (draws >= dropout_threshold(0.0)).all()
    assert not (draws >= dropout_threshold(1.0)).any()


def test_a_higher_rate_drops_the_same_units_and_more() -> None:
    draws = DropoutStream(4, 0, 120, 32).next(5)
    kept = [draws >= dropout_threshold(p) for p in (0.1, 0.2, 0.5, 0.8)]
    for more, fewer in pairwise(kept):
        assert not (fewer & ~more).any()
        assert fewer.sum() < more.sum()


def test_dropout_draws_are_uniform_over_rows_and_units() -> None:
    draws = DropoutStream(6, 0, 40, 20).next(500)
    assert chisquare(np.bincount(draws.ravel() >> 8, minlength=256)).pvalue > 0.001
    share_of_unit = (draws >= dropout_threshold(0.5)).mean(axis=(0, 1))
    assert np.abs(share_of_unit - 0.5).max() < 5 * 0.5 / (500 * 40) ** 0.5


def test_noise_is_gaussian_and_exact_in_float32() -> None:
    noise = NoiseStream(3, 50, 7).next(200)
    assert noise.shape == (200, 50, 7)
    assert noise.dtype == np.float32
    assert kstest(noise.ravel().astype(np.float64), "norm").pvalue > 1e-3
    assert np.array_equal(noise * 65536, np.round(noise * 65536))
    assert np.array_equal(noise[:2], NoiseStream(3, 50, 7).next(2))
    assert not np.array_equal(noise[0], noise[1])
