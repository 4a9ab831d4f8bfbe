"""The lesson's network: shapes, initial weights, ReLU, and inverted dropout."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import relu

from trainables import draws
from trainables.network import Network, survivor_scale


def _kept(*rows: list[int]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.bool)


def _network(dropout: float = 0.0) -> Network:
    """2 features, 4 hidden units, 3 classes."""
    network = Network(2, (4,), 3, dropout).double()
    network.initialize(0)
    return network


@pytest.mark.parametrize(
    ("hidden", "shapes"),
    [((32,), [(32, 4), (3, 32)]), ((33, 7, 9), [(33, 4), (7, 33), (9, 7), (3, 9)])],
)
def test_there_is_a_linear_layer_into_every_hidden_layer_and_out_of_the_last(
    hidden: tuple[int, ...], shapes: list[tuple[int, int]]
) -> None:
    layers = Network(4, hidden, 3).linear_layers()
    assert [tuple(layer.weight.shape) for layer in layers] == shapes
    assert [len(layer.bias) for layer in layers] == [rows for rows, _ in shapes]


def test_initial_parameters_are_those_that_the_seed_draws() -> None:
    network = Network(4, (5, 6), 3).double()
    network.initialize(9)
    for number, layer in enumerate(network.linear_layers()):
        weight, bias = draws.initial_layer(9, number, layer.in_features, layer.out_features)
        assert np.array_equal(layer.weight.detach().numpy(), weight)
        assert np.array_equal(layer.bias.detach().numpy(), bias)


def test_initialization_leaves_torchs_own_random_state_alone() -> None:
    network = Network(4, (5,), 3)
    before = torch.get_rng_state()
    network.initialize(0)
    assert torch.equal(torch.get_rng_state(), before)


def test_scores_are_a_linear_map_of_rectified_linear_maps() -> None:
    network = _network().eval()
    x = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64)
    below, top = network.linear_layers()
    hidden = relu(x @ below.weight.T + below.bias)
    assert (hidden == 0).any()
    assert torch.allclose(network(x), hidden @ top.weight.T + top.bias, rtol=0, atol=1e-15)


def test_in_training_survivors_are_scaled_by_1_over_1_minus_p_and_others_are_0() -> None:
    network = _network(dropout=0.75).train()
    below, top = network.linear_layers()
    x = torch.tensor([[1.0, 2.0], [1.0, 2.0]], dtype=torch.float64)
    kept = _kept([1, 0, 0, 1], [0, 1, 1, 1])
    hidden = relu(x @ below.weight.T + below.bias)
    expected = torch.where(kept, 4 * hidden, 0.0) @ top.weight.T + top.bias
    assert torch.allclose(network(x, [kept]), expected, rtol=0, atol=1e-15)


def test_in_evaluation_nothing_is_dropped_or_scaled() -> None:
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    plain = _network(dropout=0.0).eval()(x)
    assert torch.equal(_network(dropout=0.75).eval()(x, [_kept([0, 0, 0, 0])]), plain)
    assert torch.equal(_network(dropout=1.0).eval()(x), plain)


def test_at_p_1_training_scores_are_the_output_bias_and_never_nan() -> None:
    network = _network(dropout=1.0).train()
    x = torch.tensor([[1.0, 2.0], [30.0, -4.0]], dtype=torch.float64)
    scores = network(x, [_kept([0, 0, 0, 0], [0, 0, 0, 0])])
    assert torch.equal(scores, network.linear_layers()[-1].bias.expand(2, 3))


def test_the_expected_training_score_is_the_evaluation_score() -> None:
    # Of one hidden layer the scores are linear in the mask, so the mean over all masks is exact.
    network = _network(dropout=0.5)
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    masks = [_kept([int(bit) for bit in f"{number:04b}"]) for number in range(16)]
    mean = torch.stack([network.train()(x, [mask]) for mask in masks]).mean(dim=0)
    assert torch.allclose(mean, network.eval()(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("p", "scale"), [(0.0, 1.0), (0.5, 2.0), (0.75, 4.0), (1.0, 0.0)])
def test_the_survivor_scale_is_1_over_1_minus_p_and_0_where_none_survive(
    p: float, scale: float
) -> None:
    assert survivor_scale(p) == scale
