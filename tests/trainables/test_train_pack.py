"""Many models at once give the readable trainer's numbers, and the same bits however packed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.result import CURVES, Trained
from trainables.train_one import train_one
from trainables.train_pack import Model, Pack, train_pack


def _mixed(count: int, seed: int, **shape: Any) -> list[Model]:
    """Models of one shape, each with another seed and other regularization and lr."""
    rng, smoothing = random.Random(seed), random.Random(f"smoothing {seed}")
    noise = random.Random(f"noise {seed}")
    rates = [0.0, 0.02, 0.5, 1.0]
    models = []
    for number in range(count):
        hyperparameters = Hyperparameters(
            dropout=rates[number] if number < len(rates) else rng.choice([*rates, rng.random()]),
            l1=rng.choice([0.0, rng.uniform(0, 0.5)]),
            l2=rng.choice([0.0, rng.uniform(0, 0.3)]),
            lr=rng.choice([0.005, 0.02, 0.05]),
            label_smoothing=smoothing.choice([0.0, smoothing.random()]),
            noise=noise.choice([0.0, noise.random()]),
            **shape,
        )
        seeds = [rng.randrange(10) for _ in range(4)]  # few, so that models share some sources
        models.append(Model(hyperparameters, Seed(*seeds)))
    return models


def _dataset(models: Sequence[Model]) -> data.Dataset:
    return data.load(models[0].hyperparameters.dataset)


def _assert_equal_bits(found: Trained, expected: Trained) -> None:
    for name in CURVES:
        assert np.array_equal(found.curves[name], expected.curves[name], equal_nan=True), name
    assert list(found.parameters) == list(expected.parameters)
    for name, values in expected.parameters.items():
        assert np.array_equal(found.parameters[name], values, equal_nan=True), name


def _assert_agrees(models: Sequence[Model], dtype: torch.dtype) -> None:
    """Every model of the pack has the readable trainer's curves and parameters."""
    dataset = _dataset(models)
    pack = train_pack(models, dataset, dtype=dtype)
    exact = dtype == torch.float64
    for number, model in enumerate(models):
        alone = train_one(model.hyperparameters, model.seed, dataset, dtype)
        for name in CURVES:
            found, expected = pack.curves[name][number], alone.curves[name][0]
            # Curves are stored in float32. There rounding may turn a row whose two best scores
            # are nearly equal; in float64 no row does.
            if exact:
                np.testing.assert_allclose(found, expected, rtol=2e-7, atol=1e-9, err_msg=name)
            elif name.endswith("accuracy"):
                rows = 1.01 / len(data.split(dataset, 0, model.hyperparameters).y_test)
                np.testing.assert_allclose(found, expected, rtol=0, atol=rows, err_msg=name)
            else:
                np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=name)
        for name, values in alone.parameters.items():
            found, expected = pack.parameters[name][number], values[0]
            assert found.dtype == expected.dtype
            rtol, atol = (0, 1e-9) if exact else (1e-3, 1e-4)
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=name)


SHAPES: list[dict[str, Any]] = [
    {"epochs": 25},
    {"epochs": 10, "batch_size": 17},
    {"epochs": 10, "batch_size": 17, "drop_last": False},
    {"epochs": 10, "batch_size": 7, "hidden": (12, 12), "drop_last": False},
    {"epochs": 4, "batch_size": 1, "hidden": (3,)},
    {"epochs": 25, "batch_size": 120, "hidden": (12, 12)},
    {"epochs": 25, "batch_size": 119, "hidden": (12, 12), "drop_last": False},
    {"epochs": 15, "batch_size": 32, "hidden": (64, 64), "standardize": True},
    {"epochs": 15, "batch_size": 50, "hidden": (33, 7, 9), "drop_last": False},
    {"epochs": 15, "batch_size": 16, "hidden": (1,)},
    {"epochs": 15, "batch_size": 16, "hidden": (1, 1)},
    {"epochs": 8, "split": "random", "standardize": True, "hidden": (12, 12)},
    {"epochs": 8, "dataset": "wine"},
    {"epochs": 4, "dataset": "wine", "split": "random", "batch_size": 33, "drop_last": False},
    {"epochs": 8, "dataset": "wine", "standardize": True, "batch_size": 33, "hidden": (17,)},
    {"epochs": 3, "dataset": "breast_cancer", "standardize": True, "drop_last": False},
    {"epochs": 2, "dataset": "digits", "batch_size": 64, "hidden": (20, 10)},
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s.values())))
def test_every_model_of_a_mixed_pack_agrees_with_the_readable_trainer(
    shape: dict[str, Any], dtype: torch.dtype
) -> None:
    _assert_agrees(_mixed(6, seed=1, **shape), dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_the_lessons_larger_network_agrees_over_many_epochs(dtype: torch.dtype) -> None:
    base = Hyperparameters(hidden=(64, 64), batch_size=64, lr=0.005, epochs=150)
    configurations = [
        base,
        replace(base, l1=0.005),
        replace(base, l2=0.1),
        replace(base, dropout=0.3),
    ]
    models = [Model(each, Seed.of(number)) for number, each in enumerate(configurations)]
    _assert_agrees(models, dtype)


@pytest.mark.parametrize("field", ["dropout", "l1", "l2", "label_smoothing", "noise", "lr"])
@pytest.mark.parametrize("hidden", [(9,), (9, 5)], ids=str)
def test_each_hyperparameter_agrees_on_its_own(field: str, hidden: tuple[int, ...]) -> None:
    # A pack in which nobody uses the others: what a pack skips must not matter.
    values = {"dropout": (0.0, 0.1, 0.9, 1.0), "lr": (1e-4, 0.01, 0.3)}.get(field, (0.0, 0.01, 1.0))
    base = Hyperparameters(hidden=hidden, epochs=6, lr=0.05)
    changes: list[dict[str, Any]] = [{field: value} for value in values]
    models = [Model(replace(base, **change), Seed.of(3)) for change in changes]
    _assert_agrees(models, torch.float64)


def test_forty_different_models_in_one_pack_agree() -> None:
    _assert_agrees(_mixed(40, seed=2, hidden=(11,), epochs=4, batch_size=23), torch.float64)


LARGEST = 150


@pytest.fixture(scope="module")
def many() -> tuple[list[Model], Trained]:
    """Many models and what they give in one pack."""
    models = _mixed(LARGEST, seed=3, epochs=3)
    return models, train_pack(models, _dataset(models))


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 31, 64, LARGEST])
def test_number_and_order_of_models_change_no_bit(
    many: tuple[list[Model], Trained], count: int
) -> None:
    models, expected = many
    chosen = random.Random(count).sample(range(LARGEST), count)
    found = train_pack([models[i] for i in chosen], _dataset(models))
    _assert_equal_bits(found, expected.take(chosen))


def _odd_shapes(count: int) -> list[dict[str, Any]]:
    """Shapes that do not fill vector registers: widths and batch sizes without a system."""
    rng = random.Random(4)
    shapes = []
    for number in range(count):
        dataset = "iris" if number % 4 else rng.choice(["wine", "breast_cancer", "digits"])
        shapes.append(
            {
                "dataset": dataset,
                "hidden": tuple(rng.randint(1, 70) for _ in range(rng.choice([1, 1, 2, 3]))),
                "batch_size": rng.randint(5, 120),
                "drop_last": rng.random() < 0.5,
                "standardize": rng.random() < 0.3,
                "split": ("stratified", "random")[number % 2],
                "epochs": 2 if dataset == "iris" else 1,
            }
        )
    return shapes


@pytest.mark.parametrize("shape", _odd_shapes(24), ids=lambda s: "-".join(map(str, s.values())))
def test_packing_changes_no_bit_for_odd_widths_and_batch_sizes(shape: dict[str, Any]) -> None:
    models = _mixed(19, seed=5, **shape)
    dataset = _dataset(models)
    expected = train_pack(models, dataset)
    for chosen in ([0], [18], [4, 17], [9, 2, 5, 11, 3, 8, 14], list(range(18, -1, -1))):
        found = train_pack([models[i] for i in chosen], dataset)
        _assert_equal_bits(found, expected.take(chosen))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_neighbours_that_use_what_a_model_does_not_change_no_bit(dtype: torch.dtype) -> None:
    # Alone, a plain model's pack skips dropout, decay and shrinking altogether.
    plain = Model(Hyperparameters(hidden=(13, 6), epochs=6, lr=0.05), Seed.of(0))
    alone = train_pack([plain], _dataset([plain]), dtype=dtype)
    changes: list[dict[str, Any]] = [{"dropout": 0.4}, {"l1": 0.3}, {"l2": 0.3}, {"lr": 2.0}]
    for change in (*changes, {"label_smoothing": 0.3}, {"noise": 0.3}):
        other = replace(plain.hyperparameters, **change)
        found = train_pack([Model(other, Seed.of(0)), plain], _dataset([plain]), dtype=dtype)
        _assert_equal_bits(found.take([1]), alone)


@pytest.mark.parametrize("cuts", [(1,) * 8, (3, 5), (2, 1, 99), (8,)], ids=str)
def test_cutting_training_into_calls_changes_no_bit(cuts: tuple[int, ...]) -> None:
    models = _mixed(5, seed=6, hidden=(10,), epochs=8)
    pack = Pack(models, _dataset(models))
    for epochs in cuts:
        pack.train(epochs)
    _assert_equal_bits(pack.trained(), train_pack(models, _dataset(models)))


def test_a_time_limit_trains_at_least_an_epoch_and_changes_no_bit() -> None:
    models = _mixed(5, seed=6, hidden=(10,), epochs=4)
    pack = Pack(models, _dataset(models))
    done = []
    while pack.epochs_done < pack.epochs:
        pack.train(seconds=0)
        done.append(pack.epochs_done)
    assert done == [1, 2, 3, 4]
    _assert_equal_bits(pack.trained(), train_pack(models, _dataset(models)))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_no_bit_and_is_left_as_it_was(
    many: tuple[list[Model], Trained], threads: int
) -> None:
    models, expected = many
    torch.set_num_threads(threads)
    found = train_pack(models[:64], _dataset(models))
    assert torch.get_num_threads() == threads
    _assert_equal_bits(found, expected.take(list(range(64))))


def test_training_twice_gives_equal_bits_whatever_the_global_random_state() -> None:
    models = _mixed(9, seed=7, epochs=4, hidden=(21,))
    first = train_pack(models, _dataset(models))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    _assert_equal_bits(train_pack(models, _dataset(models)), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_model_twice_in_a_pack_gives_the_same_bits_twice() -> None:
    (model,) = _mixed(1, seed=8, epochs=4)
    trained = train_pack([model] * 5, _dataset([model]))
    for other in range(1, 5):
        _assert_equal_bits(trained.take([other]), trained.take([0]))


def test_models_that_differ_in_one_hyperparameter_or_source_do_differ() -> None:
    base = Hyperparameters(epochs=3, dropout=0.2, l1=0.01, l2=0.01, label_smoothing=0.1, noise=0.1)
    models = [Model(base, Seed.of(0))]
    for field in ("dropout", "l1", "l2", "lr", "label_smoothing", "noise"):
        change: dict[str, Any] = {field: getattr(base, field) * 1.5}
        models.append(Model(replace(base, **change), Seed.of(0)))
    models += [Model(base, Seed.of(0)._replace(**{source: 1})) for source in Seed._fields]
    weights = train_pack(models, _dataset(models)).parameters["0.weight"]
    assert len({weight.tobytes() for weight in weights}) == len(models)


@pytest.mark.parametrize("place", [0, 3, 8])
def test_a_diverging_model_is_nan_from_then_on_and_its_neighbours_do_not_notice(place: int) -> None:
    calm = _mixed(8, seed=9, epochs=12, batch_size=24)
    wild = Hyperparameters(epochs=12, batch_size=24, lr=1e6, l2=0.1)
    models = [*calm[:place], Model(wild, Seed.of(0)), *calm[place:]]
    trained = train_pack(models, _dataset(models))
    assert trained.diverged.tolist() == [number == place for number in range(9)]
    nan = np.isnan(trained.curves["test/loss"][place])
    assert nan[-1]
    assert (np.diff(nan.astype(int)) >= 0).all()
    for curve in trained.curves.values():
        assert np.array_equal(np.isnan(curve[place]), nan)
    others = [number for number in range(9) if number != place]
    _assert_equal_bits(trained.take(others), train_pack(calm, _dataset(calm)))


def test_the_epoch_of_divergence_is_the_readable_trainers() -> None:
    wild = Hyperparameters(epochs=12, batch_size=24, lr=1e6, l2=0.1)
    found = train_pack([Model(wild, Seed.of(0))], data.load("iris"))
    expected = train_one(wild, Seed.of(0), data.load("iris"))
    assert np.isnan(expected.curves["test/loss"]).sum() > 0
    for name in CURVES:
        assert np.array_equal(np.isnan(found.curves[name]), np.isnan(expected.curves[name])), name


def test_models_learn_iris_and_dropping_every_unit_prevents_it() -> None:
    plain = Hyperparameters(epochs=150, lr=0.02)
    deaf = Hyperparameters(epochs=150, lr=0.02, dropout=1.0)
    models = [Model(hp, Seed.of(seed)) for hp in (plain, deaf) for seed in range(10)]
    trained = train_pack(models, _dataset(models))
    accuracy = trained.curves["test/accuracy"][:, -10:].mean(axis=1)
    loss = trained.curves["train/loss"]
    assert accuracy[:10].mean() > 0.93
    assert accuracy[:10].min() > 0.8
    assert accuracy[10:].mean() < 0.6
    assert (loss[:10, -1] < 0.5 * loss[:10, 0]).all()


def test_training_in_float64_starts_from_the_same_weights() -> None:
    still = Hyperparameters(epochs=1, lr=1e-30)
    models = [Model(still, Seed.of(seed)) for seed in range(3)]
    single = train_pack(models, _dataset(models))
    double = train_pack(models, _dataset(models), dtype=torch.float64)
    for name, values in single.parameters.items():
        assert np.array_equal(double.parameters[name].astype(np.float32), values)


def test_results_keep_no_trace_of_padding() -> None:
    models = _mixed(3, seed=10, epochs=2, hidden=(5, 17))
    trained = train_pack(models, _dataset(models))
    shapes = {name: values.shape for name, values in trained.parameters.items()}
    assert shapes == {
        "0.weight": (3, 5, 4),
        "0.bias": (3, 5),
        "1.weight": (3, 17, 5),
        "1.bias": (3, 17),
        "2.weight": (3, 3, 17),
        "2.bias": (3, 3),
    }
    assert {curve.shape for curve in trained.curves.values()} == {(3, 2)}


def test_models_of_different_shapes_are_refused() -> None:
    models = [Model(Hyperparameters(batch_size=size), Seed.of(0)) for size in (16, 32)]
    with pytest.raises(ValueError, match="the models of a pack need one shape, got 2"):
        train_pack(models, _dataset(models))


def test_the_ways_of_splitting_go_in_packs_of_their_own() -> None:
    models = [Model(Hyperparameters(split=way), Seed.of(0)) for way in ("random", "stratified")]
    with pytest.raises(ValueError, match="the models of a pack need one shape, got 2"):
        train_pack(models, _dataset(models))


@pytest.mark.parametrize("number", [0, 4])
def test_a_class_without_test_rows_or_without_training_rows_is_no_division_by_zero(
    number: int,
) -> None:
    iris = data.load("iris")
    y = np.minimum(iris.y, 1)
    y[[20, 90]] = 2  # a class of two rows
    rare = replace(iris, y=y)
    by = Hyperparameters(split="random", epochs=3, dropout=0.3, standardize=True)
    lacking = {
        name: next(s for s in range(60) if 2 not in getattr(data.split(rare, s, by), name))
        for name in ("y_train", "y_test")
    }
    fold = data.Fold(number, 5)
    for seed in lacking.values():
        for part in (None, fold):
            found = train_pack([Model(by, Seed.of(seed), part)], rare, dtype=torch.float64)
            alone = train_one(by, Seed.of(seed), rare, torch.float64, part)
            for name in CURVES:
                assert np.isfinite(found.curves[name]).all(), name
                np.testing.assert_allclose(
                    found.curves[name], alone.curves[name], rtol=2e-7, atol=1e-9
                )


def test_a_batch_larger_than_the_training_rows_is_refused() -> None:
    models = [Model(Hyperparameters(batch_size=121), Seed.of(0))]
    with pytest.raises(ValueError, match=r"batch_size must be at most 120, .* iris, got 121"):
        train_pack(models, _dataset(models))


def test_unfinished_training_hands_over_nothing() -> None:
    models = [Model(Hyperparameters(epochs=3), Seed.of(0))]
    pack = Pack(models, _dataset(models))
    pack.train(2)
    with pytest.raises(RuntimeError, match="trained 2 of 3 epochs so far"):
        pack.trained()
