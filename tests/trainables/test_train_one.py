"""The readable trainer does what its definition says; the fast one is held to the same.

Expected numbers are computed here from the definition alone, with NumPy in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainables import data, draws
from trainables.draws import DropoutStream, NoiseStream, OrderStream, Seed
from trainables.hyperparameters import Hyperparameters
from trainables.result import CURVES, Trained
from trainables.train_one import train_one
from trainables.train_pack import Model, train_pack

Floats = NDArray[np.float64]
Trainer = Callable[[Hyperparameters, Seed], Trained]

IRIS = data.load("iris")
SEED = Seed(split=11, init=12, order=13, dropout=14)
STILL = 1e-200  # a learning rate too small to move any weight


def _alone(hyperparameters: Hyperparameters, seed: Seed) -> Trained:
    return train_one(hyperparameters, seed, IRIS, torch.float64)


def _among_others(hyperparameters: Hyperparameters, seed: Seed) -> Trained:
    """As the second model of a pack whose neighbours differ in everything that may differ."""
    other = replace(
        hyperparameters, dropout=0.4, l1=0.2, l2=0.3, lr=0.02, label_smoothing=0.3, noise=0.6
    )
    models = [Model(other, Seed.of(1)), Model(hyperparameters, seed), Model(other, seed)]
    return train_pack(models, IRIS, dtype=torch.float64).take([1])


@pytest.fixture(params=[_alone, _among_others], ids=["train_one", "train_pack"])
def train(request: pytest.FixtureRequest) -> Trainer:
    trainer: Trainer = request.param
    return trainer


def _initial(hidden: Sequence[int], seed: int) -> list[Floats]:
    """Weight, bias, weight, … as the seed draws them for Iris."""
    layers = enumerate(pairwise((4, *hidden, 3)))
    return [
        part for i, (n_in, n_out) in layers for part in draws.initial_layer(seed, i, n_in, n_out)
    ]


def _final(trained: Trained) -> list[Floats]:
    """The same of a trained model."""
    count = len(trained.parameters) // 2
    return [
        trained.parameters[f"{i}.{kind}"][0] for i in range(count) for kind in ("weight", "bias")
    ]


def _scores(
    parameters: Sequence[Floats], x: Floats, kept: Sequence[NDArray[np.bool_]], p: float
) -> Floats:
    """Class scores in training mode with those units kept, or in evaluation without `kept`."""
    *below, weight, bias = parameters
    for layer, (w, b) in enumerate(zip(below[::2], below[1::2], strict=True)):
        x = np.maximum(x @ w.T + b, 0)
        if kept:
            x = np.where(kept[layer], x / (1 - p), 0.0)
    return x @ weight.T + bias


def _loss(scores: Floats, y: NDArray[np.int64], smoothing: float = 0.0) -> float:
    """Mean cross-entropy in nats; with `smoothing`, that share of the target is all classes'."""
    highest = scores.max(axis=1, keepdims=True)
    log_sum = highest[:, 0] + np.log(np.exp(scores - highest).sum(axis=1))
    aimed_at = (1 - smoothing) * scores[np.arange(len(y)), y] + smoothing * scores.mean(axis=1)
    return float((log_sum - aimed_at).mean())


def _accuracy(scores: Floats, y: NDArray[np.int64]) -> float:
    return float((scores.argmax(axis=1) == y).mean())


def _downhill(objective: Callable[[], float], parameters: Sequence[Floats], lr: float) -> None:
    """Moves all parameters by -lr times the objective's gradient, from central differences."""
    step = 1e-6
    gradients = []
    for values in parameters:
        gradient = np.empty_like(values)
        for place in np.ndindex(values.shape):
            kept = values[place]
            values[place] = kept + step
            above = objective()
            values[place] = kept - step
            gradient[place] = (above - objective()) / (2 * step)
            values[place] = kept
        gradients.append(gradient)
    for values, gradient in zip(parameters, gradients, strict=True):
        np.subtract(values, lr * gradient, out=values)


def _by_definition(hp: Hyperparameters, seed: Seed) -> tuple[dict[str, list[float]], list[Floats]]:
    """Curves and final parameters: gradient descent on the objective that the project states."""
    rows = data.split(IRIS, seed.split, hp)
    parameters = [values.copy() for values in _initial(hp.hidden, seed.init)]
    weights = parameters[::2]
    order = OrderStream(seed.order, 120).next(hp.epochs)
    streams = [DropoutStream(seed.dropout, i, 120, units) for i, units in enumerate(hp.hidden)]
    uniforms = [stream.next(hp.epochs) / 65536 for stream in streams]
    noise = hp.noise * NoiseStream(seed.dropout, 120, 4).next(hp.epochs).astype(np.float64)
    curves: dict[str, list[float]] = {name: [] for name in CURVES}
    for epoch in range(hp.epochs):
        losses, accuracies = [], []
        for start in range(0, 120, hp.batch_size):
            batch = slice(start, start + hp.batch_size)
            chosen = order[epoch, batch]
            if hp.drop_last and len(chosen) < hp.batch_size:
                break
            x, y = rows.x_train[chosen] + noise[epoch, batch], rows.y_train[chosen]
            kept = [u[epoch, batch] >= hp.dropout for u in uniforms] if hp.dropout > 0 else []

            def objective(
                x: Floats = x,
                y: NDArray[np.int64] = y,
                kept: Sequence[NDArray[np.bool_]] = kept,
            ) -> float:
                l1 = hp.l1 / sum(w.size for w in weights) * sum(np.abs(w).sum() for w in weights)
                l2 = hp.l2 / 2 * sum((values**2).sum() for values in parameters)
                scores = _scores(parameters, x, kept, hp.dropout)
                return float(_loss(scores, y, hp.label_smoothing) + l1 + l2)

            scores = _scores(parameters, x, kept, hp.dropout)
            losses.append(_loss(scores, y))
            accuracies.append(_accuracy(scores, y))
            _downhill(objective, parameters, hp.lr)
        curves["train/batch_loss"].append(float(np.mean(losses)))
        curves["train/batch_accuracy"].append(float(np.mean(accuracies)))
        for part, x, y in (
            ("train", rows.x_train, rows.y_train),
            ("test", rows.x_test, rows.y_test),
        ):
            scores = _scores(parameters, x, [], 0.0)
            curves[f"{part}/loss"].append(_loss(scores, y))
            curves[f"{part}/accuracy"].append(_accuracy(scores, y))
    return curves, parameters


@pytest.mark.parametrize(
    "hyperparameters",
    [
        Hyperparameters(hidden=(5,), batch_size=50, epochs=3, lr=0.1),
        Hyperparameters(hidden=(5,), batch_size=50, epochs=3, lr=0.1, drop_last=False),
        Hyperparameters(hidden=(5, 4), batch_size=40, epochs=2, lr=0.1, dropout=0.25),
        Hyperparameters(hidden=(5,), batch_size=120, epochs=3, lr=0.1, l1=0.5),
        Hyperparameters(hidden=(5,), batch_size=120, epochs=3, lr=0.1, l2=0.5),
        Hyperparameters(hidden=(5,), batch_size=50, epochs=3, lr=0.1, label_smoothing=0.3),
        Hyperparameters(hidden=(5,), batch_size=50, epochs=3, lr=0.1, noise=0.5, drop_last=False),
        Hyperparameters(
            hidden=(4, 3),
            batch_size=50,
            epochs=2,
            lr=0.2,
            dropout=0.5,
            l1=0.3,
            l2=0.2,
            label_smoothing=0.4,
            noise=0.3,
            standardize=True,
            drop_last=False,
        ),
    ],
    ids=["plain", "keep_last", "dropout", "l1", "l2", "smoothing", "noise", "all"],
)
def test_training_is_gradient_descent_on_the_stated_objective(
    train: Trainer, hyperparameters: Hyperparameters
) -> None:
    # Four different seeds: each source of randomness must use its own.
    curves, parameters = _by_definition(hyperparameters, SEED)
    trained = train(hyperparameters, SEED)
    for name, values in curves.items():
        np.testing.assert_allclose(trained.curves[name][0], values, rtol=1e-6, err_msg=name)
    for found, expected in zip(_final(trained), parameters, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


ONE_STEP = Hyperparameters(batch_size=120, epochs=1, lr=0.05, hidden=(7,))


def test_one_step_with_l2_shrinks_weights_and_biases_by_1_minus_lr_times_lambda(
    train: Trainer,
) -> None:
    before = _initial(ONE_STEP.hidden, SEED.init)
    plain = _final(train(ONE_STEP, SEED))
    decayed = _final(train(replace(ONE_STEP, l2=0.3), SEED))
    for w, without, with_l2 in zip(before, plain, decayed, strict=True):
        moved = without - w  # -lr · g
        np.testing.assert_allclose(with_l2, w * (1 - 0.05 * 0.3) + moved, rtol=0, atol=1e-15)
        assert np.abs(with_l2 - without).max() > 1e-4


def test_one_step_with_l1_moves_weights_by_lambda_over_n_and_biases_not_at_all(
    train: Trainer,
) -> None:
    n = 4 * 7 + 7 * 3
    before = _initial(ONE_STEP.hidden, SEED.init)
    plain = _final(train(ONE_STEP, SEED))
    shrunk = _final(train(replace(ONE_STEP, l1=0.9), SEED))
    for w, without, with_l1 in zip(before, plain, shrunk, strict=True):
        shift = 0.05 * 0.9 / n * np.sign(w) if w.ndim == 2 else 0.0
        np.testing.assert_allclose(with_l1, without - shift, rtol=0, atol=1e-15)


def test_at_p_1_training_scores_are_the_output_bias_whatever_the_row(train: Trainer) -> None:
    rows = data.split(IRIS, SEED.split, ONE_STEP)
    before = _initial(ONE_STEP.hidden, SEED.init)
    trained = train(replace(ONE_STEP, dropout=1.0), SEED)
    scores = np.tile(before[-1], (120, 1))
    expected = _loss(scores, rows.y_train)
    assert trained.curves["train/batch_loss"][0, 0] == pytest.approx(expected, rel=1e-6)
    assert trained.curves["train/batch_accuracy"][0, 0] == pytest.approx(1 / 3, rel=1e-6)
    *all_but_output_bias, output_bias = _final(trained)
    for found, initial in zip(all_but_output_bias, before, strict=False):
        assert np.array_equal(found, initial)
    shares = np.exp(before[-1]) / np.exp(before[-1]).sum()
    moved = before[-1] + 0.05 * (np.bincount(rows.y_train) / 120 - shares)
    np.testing.assert_allclose(output_bias, moved, rtol=0, atol=1e-15)


# Each pair gives equal numbers only if split, weights, order and dropout draws are equal.
PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"batch_size": 16}, {"batch_size": 56}),  # both use the first 112 rows of the order
    ({"batch_size": 16, "dropout": 0.5}, {"batch_size": 112, "dropout": 0.5}),
    ({"batch_size": 1}, {"batch_size": 120}),
    ({"l1": 0.0}, {"l1": 0.1}),
    ({"l2": 0.0}, {"l2": 0.1}),
    ({"label_smoothing": 0.0}, {"label_smoothing": 1.0}),  # losses are those of the labels
    ({"dropout": 0.5}, {"dropout": 0.5, "l2": 0.1}),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_configurations_share_split_weights_order_and_dropout_of_a_seed(
    train: Trainer, one: dict[str, Any], other: dict[str, Any]
) -> None:
    common = Hyperparameters(hidden=(6,), epochs=2, lr=STILL)
    first, second = (train(replace(common, **each), SEED) for each in (one, other))
    for name in CURVES:
        np.testing.assert_allclose(first.curves[name], second.curves[name], rtol=1e-6)
    for found, expected in zip(_final(first), _initial((6,), SEED.init), strict=True):
        assert np.array_equal(found, expected)


def _changed_by(train: Trainer, source: str, dropout: float) -> set[str]:
    """What differs after two epochs without learning when one source has another seed."""
    hp = Hyperparameters(hidden=(6,), epochs=2, lr=STILL, batch_size=50, dropout=dropout)
    before, after = train(hp, SEED), train(hp, SEED._replace(**{source: 99}))
    found = {name for name in CURVES if not np.array_equal(before.curves[name], after.curves[name])}
    if not all(map(np.array_equal, _final(before), _final(after))):
        found.add("parameters")
    return {name for name in found if "accuracy" not in name}  # equal by chance now and then


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_each_source_of_randomness_changes_what_it_should_and_nothing_else(
    train: Trainer, dropout: float
) -> None:
    evaluated, batches = {"train/loss", "test/loss"}, {"train/batch_loss"}
    assert _changed_by(train, "split", dropout) == evaluated | batches
    assert _changed_by(train, "init", dropout) == evaluated | batches | {"parameters"}
    assert _changed_by(train, "order", dropout) == batches
    assert _changed_by(train, "dropout", dropout) == (batches if dropout else set())


def test_without_dropout_its_seed_changes_nothing_of_real_training(train: Trainer) -> None:
    hp = Hyperparameters(epochs=5, l1=0.01, l2=0.01)
    before, after = train(hp, SEED), train(hp, SEED._replace(dropout=99))
    assert all(np.array_equal(before.curves[name], after.curves[name]) for name in CURVES)
    assert all(map(np.array_equal, _final(before), _final(after)))


def test_training_twice_gives_equal_bits_whatever_the_global_random_state(train: Trainer) -> None:
    hp = Hyperparameters(epochs=4, dropout=0.3, l1=0.01, l2=0.01)
    first = train(hp, SEED)
    torch.manual_seed(1)
    np.random.seed(1)
    second = train(hp, SEED)
    assert all(np.array_equal(first.curves[name], second.curves[name]) for name in CURVES)
    assert all(map(np.array_equal, _final(first), _final(second)))


def test_a_model_learns_iris(train: Trainer) -> None:
    trained = train(Hyperparameters(epochs=150, lr=0.02), Seed.of(0))
    loss = trained.curves["train/loss"][0]
    assert trained.curves["test/accuracy"][0, -10:].mean() > 0.9
    assert loss[-1] < 0.25 < 0.8 < loss[0]
    assert not trained.diverged[0]


def test_without_learning_the_accuracy_stays_near_chance(train: Trainer) -> None:
    # Guards the test above: what it measures is not high by itself.
    untrained = train(Hyperparameters(epochs=3, lr=STILL), Seed.of(0))
    assert untrained.curves["test/accuracy"].max() < 0.7


def test_a_much_too_high_rate_diverges_and_is_nan_from_then_on_in_every_curve(
    train: Trainer,
) -> None:
    trained = train(Hyperparameters(epochs=30, lr=1e200, l2=1.0), SEED)
    assert trained.diverged.tolist() == [True]
    nan = np.isnan(trained.curves["test/loss"][0])
    assert nan[-1]
    for curve in trained.curves.values():
        assert np.array_equal(np.isnan(curve[0]), nan)
    assert (np.diff(nan.astype(int)) >= 0).all()  # once NaN, always NaN


def test_curves_are_float32_and_have_a_point_for_every_epoch(train: Trainer) -> None:
    trained = train(Hyperparameters(epochs=3, hidden=(6, 5)), SEED)
    assert tuple(trained.curves) == CURVES
    assert {curve.shape for curve in trained.curves.values()} == {(1, 3)}
    assert {curve.dtype for curve in trained.curves.values()} == {np.dtype(np.float32)}
    shapes = {name: values.shape for name, values in trained.parameters.items()}
    assert shapes == {
        "0.weight": (1, 6, 4),
        "0.bias": (1, 6),
        "1.weight": (1, 5, 6),
        "1.bias": (1, 5),
        "2.weight": (1, 3, 5),
        "2.bias": (1, 3),
    }
