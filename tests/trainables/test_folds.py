"""Cross-validation on the training part: what the folds are, and what is trained without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.pack_run import PackRun
from trainables.result import CURVES, CV_CURVES, Trained, TrialResult, from_bytes, to_bytes
from trainables.train_one import train_one
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial

IRIS = data.load("iris")


def _numbered(name: str) -> data.Dataset:
    """The dataset with each row's number as its only feature."""
    dataset = data.load(name)
    return replace(dataset, x=np.arange(len(dataset.y), dtype=np.float64).reshape(-1, 1))


@pytest.mark.parametrize("split", ["random", "stratified"])
@pytest.mark.parametrize("folds", [2, 3, 5, 7, 11, 40])
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_folds_are_equal_disjoint_and_with_the_rest_all_training_rows(
    name: str, folds: int, split: str
) -> None:
    by = Hyperparameters(split=split)
    dataset = _numbered(name)
    whole = data.split(dataset, 3, by)
    parts = [data.split(dataset, 3, by, data.Fold(n, folds)) for n in range(folds)]
    held_out = [set(part.x_test[:, 0]) for part in parts]
    rows = set(whole.x_train[:, 0])
    assert {len(each) for each in held_out} == {len(rows) // folds}
    dealt = set().union(*held_out)
    assert len(dealt) == len(rows) // folds * folds
    assert dealt <= rows
    for part, own in zip(parts, held_out, strict=True):
        # All other training rows train, in the order that the seed drew.
        assert part.x_train[:, 0].tolist() == [r for r in whole.x_train[:, 0] if r not in own]
        assert part.x_test[:, 0].tolist() == [r for r in whole.x_train[:, 0] if r in own]
        for x, y in ((part.x_train, part.y_train), (part.x_test, part.y_test)):
            assert np.array_equal(y, dataset.y[x[:, 0].astype(int)])
    counts = np.array([np.bincount(part.y_test, minlength=3) for part in parts])
    # Folds of a random split are as random as itself.
    assert (np.ptp(counts, axis=0).max() <= 1) == (split == "stratified")


@pytest.mark.parametrize("folds", [2, 7, 120])
def test_folds_of_a_random_split_take_its_training_rows_in_turn(folds: int) -> None:
    by, dataset = Hyperparameters(split="random"), _numbered("iris")
    rows = data.split(dataset, 3, by).x_train[:, 0]
    for number in range(folds):
        part = data.split(dataset, 3, by, data.Fold(number, folds))
        dealt = rows[: 120 // folds * folds]
        assert np.array_equal(part.x_test[:, 0], dealt[number::folds])


def test_the_folds_of_a_worked_example() -> None:
    # Sorted by class, in drawn order: rows 1, 4, 6 of class 0, then 0, 2, 3, 5 of class 1; the
    # last of seven is left over by three folds.
    assert data.folds_of_rows(np.array([1, 0, 1, 1, 0, 1, 0]), 3).tolist() == [0, 0, 1, 2, 1, -1, 2]


@pytest.mark.parametrize("folds", [-1, 0, 1, 121])
def test_impossible_numbers_of_folds_are_refused(folds: int) -> None:
    with pytest.raises(ValueError, match=f"folds must be from 2 to 120, .*got {folds}"):
        data.split(IRIS, 0, Hyperparameters(), data.Fold(0, folds))


def test_the_scale_is_that_of_the_folds_own_training_rows() -> None:
    fold = data.Fold(1, 4)
    by = Hyperparameters(standardize=True)
    part = data.split(IRIS, 0, by, fold)
    assert np.abs(part.x_train.mean(axis=0)).max() < 1e-12
    assert np.abs(part.x_train.std(axis=0) - 1).max() < 1e-12
    held_out = data.split(_numbered("iris"), 0, Hyperparameters(), fold).x_test[:, 0].astype(int)
    x = IRIS.x.copy()
    x[held_out] *= 1000
    assert np.array_equal(data.split(replace(IRIS, x=x), 0, by, fold).x_train, part.x_train)


SHAPES: list[dict[str, Any]] = [
    {"epochs": 12},
    {"epochs": 8, "hidden": (12, 7), "batch_size": 17, "drop_last": False},
    {"epochs": 6, "dataset": "wine", "standardize": True, "batch_size": 33},
    {"epochs": 6, "split": "random", "standardize": True, "batch_size": 33, "drop_last": False},
]


def _mixed(shape: dict[str, Any], folds: int) -> list[Model]:
    """Fold models of three seeds, with and without dropout and penalties."""
    changes: list[dict[str, Any]] = [
        {},
        {"dropout": 0.3, "l1": 0.1},
        {"l2": 0.2, "lr": 0.05, "dropout": 1.0},
    ]
    models = []
    for seed, change in enumerate(changes):
        hyperparameters = Hyperparameters(**shape, **change)
        for number in range(folds):
            models.append(Model(hyperparameters, Seed.of(seed), data.Fold(number, folds)))
    return models


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s.values())))
@pytest.mark.parametrize("folds", [2, 5])
def test_every_fold_model_agrees_with_the_readable_trainer(
    shape: dict[str, Any], folds: int
) -> None:
    models = _mixed(shape, folds)
    dataset = data.load(models[0].hyperparameters.dataset)
    found = train_pack(models, dataset, dtype=torch.float64)
    for number, (hyperparameters, seed, fold) in enumerate(models):
        alone = train_one(hyperparameters, seed, dataset, torch.float64, fold)
        for name in CURVES:
            np.testing.assert_allclose(
                found.curves[name][number], alone.curves[name][0], rtol=2e-7, atol=1e-9
            )
        for name, values in alone.parameters.items():
            np.testing.assert_allclose(found.parameters[name][number], values[0], atol=1e-9)


def test_a_fold_model_is_the_model_of_its_rows_as_a_dataset_of_their_own() -> None:
    # Not by the trainers' own split: the same network on the remaining rows, tested on the fold.
    hyperparameters = Hyperparameters(epochs=3, dropout=0.2)
    part = data.split(IRIS, 4, hyperparameters, data.Fold(2, 5))
    found = train_one(hyperparameters, Seed.of(4), IRIS, torch.float64, data.Fold(2, 5))
    hidden = np.maximum(part.x_test @ found.parameters["0.weight"][0].T, -np.inf)
    hidden = np.maximum(hidden + found.parameters["0.bias"][0], 0)
    scores = hidden @ found.parameters["1.weight"][0].T + found.parameters["1.bias"][0]
    accuracy = (scores.argmax(axis=1) == part.y_test).mean()
    assert found.curves["test/accuracy"][0, -1] == pytest.approx(accuracy)


def _trials(folds: int, seeds: tuple[int, ...] = (0, 3, 5)) -> list[Trial]:
    return [
        Trial(
            f"l2={number / 100:.6f}",
            Hyperparameters(l2=number / 100, dropout=number / 10, epochs=4, hidden=(9,)),
            seeds,
            folds=folds,
        )
        for number in range(4)
    ]


def _finish(run: PackRun, seconds: float = float("inf")) -> list[TrialResult]:
    results: list[TrialResult] = []
    while not run.done:
        results += run.advance(seconds)
    return results


def _assert_equal_bits(found: Trained, expected: Trained, curves: tuple[str, ...]) -> None:
    for name in curves:
        assert np.array_equal(found.curves[name], expected.curves[name], equal_nan=True), name
    for name, values in expected.parameters.items():
        assert np.array_equal(found.parameters[name], values, equal_nan=True), name


@pytest.fixture(scope="module")
def with_folds() -> list[TrialResult]:
    """Four trials of three seeds, with five folds each."""
    return _finish(PackRun(_trials(5), IRIS))


def test_folds_beside_a_model_change_none_of_its_bits(with_folds: list[TrialResult]) -> None:
    without = _finish(PackRun(_trials(0), IRIS))
    for found, expected in zip(with_folds, without, strict=True):
        assert set(expected.trained.curves) == set(CURVES)
        assert set(found.trained.curves) == {*CURVES, *CV_CURVES}
        _assert_equal_bits(found.trained, expected.trained, CURVES)


def test_cv_curves_are_means_of_separately_trained_folds(with_folds: list[TrialResult]) -> None:
    for result in with_folds:
        trial = result.trial
        for index, seed in enumerate(trial.seeds):
            alone = [
                train_pack(
                    [Model(trial.hyperparameters, Seed.of(seed), data.Fold(number, 5))], IRIS
                ).curves
                for number in range(5)
            ]
            for name in ("accuracy", "loss"):
                expected = np.mean([each[f"test/{name}"][0] for each in alone], axis=0)
                found = result.trained.curves[f"cv/{name}"][index]
                assert found.dtype == np.float32
                np.testing.assert_allclose(found, expected, rtol=2e-7)


@pytest.mark.parametrize(
    ("models_at_once", "seconds"),
    [(1, float("inf")), (5, 0.0), (7, float("inf")), (12, 0.0), (33, float("inf"))],
)
def test_chunks_change_no_bit_and_trials_come_once_and_in_order(
    with_folds: list[TrialResult], models_at_once: int, seconds: float
) -> None:
    found = _finish(PackRun(_trials(5), IRIS, models_at_once=models_at_once), seconds)
    assert [each.trial for each in found] == [each.trial for each in with_folds]
    for one, other in zip(found, with_folds, strict=True):
        _assert_equal_bits(one.trained, other.trained, (*CURVES, *CV_CURVES))


def test_order_and_neighbours_of_trials_change_no_bit(with_folds: list[TrialResult]) -> None:
    trials = _trials(5)
    for chosen in ([2], [3, 0], [1, 3, 2, 0]):
        found = _finish(PackRun([trials[i] for i in chosen], IRIS))
        for one, i in zip(found, chosen, strict=True):
            _assert_equal_bits(one.trained, with_folds[i].trained, (*CURVES, *CV_CURVES))


def test_a_trial_is_handed_over_when_its_fold_models_are_trained_too() -> None:
    run = PackRun(_trials(2, seeds=(0, 1)), IRIS, models_at_once=4)  # own 4, folds 4 and 4; twice
    handed_over = [len(run.advance()) for _ in range(6)]
    assert handed_over == [0, 0, 2, 0, 0, 2]
    assert run.done
    assert run.models_done == sum(trial.models for trial in _trials(2, seeds=(0, 1))) == 24


def test_cv_curves_end_where_the_first_fold_model_diverges_and_own_curves_do_not_care() -> None:
    x = IRIS.x.copy()
    x[0] *= 1e30  # most models that train on this row diverge, some after a while
    spoilt = replace(IRIS, x=x)
    hyperparameters = Hyperparameters(epochs=6)
    (result,) = _finish(PackRun([Trial("a", hyperparameters, (0, 1), folds=3)], spoilt))
    models = [Model(hyperparameters, Seed.of(s), data.Fold(n, 3)) for s in (0, 1) for n in range(3)]
    lost = np.isnan(train_pack(models, spoilt).curves["test/loss"]).reshape(2, 3, -1)
    assert not np.array_equal(lost.any(axis=1), lost.all(axis=1))
    for name in CV_CURVES:
        assert np.array_equal(np.isnan(result.trained.curves[name]), lost.any(axis=1)), name
    (without,) = _finish(PackRun([Trial("a", hyperparameters, (0, 1))], spoilt))
    assert not np.array_equal(np.isnan(without.trained.curves["test/loss"]), lost.any(axis=1))
    _assert_equal_bits(result.trained, without.trained, CURVES)


def test_results_with_folds_keep_every_bit_through_bytes(with_folds: list[TrialResult]) -> None:
    for found, expected in zip(from_bytes(to_bytes(with_folds)), with_folds, strict=True):
        assert found.trial == expected.trial
        assert list(found.trained.curves) == [*CURVES, *CV_CURVES]
        _assert_equal_bits(found.trained, expected.trained, (*CURVES, *CV_CURVES))


def test_final_numbers_of_folds_are_there_with_folds_only(with_folds: list[TrialResult]) -> None:
    finals = with_folds[1].finals(range(2, 4))
    curve = with_folds[1].trained.curves["cv/accuracy"].astype(np.float64)
    assert np.array_equal(finals["cv_accuracy"], curve[:, 2:4].mean(axis=1))
    assert "cv_loss" in finals
    without = _finish(PackRun(_trials(0), IRIS))[1].finals(range(2, 4))
    assert set(finals) - set(without) == {"cv_accuracy", "cv_loss"}


@pytest.mark.parametrize("folds", [-1, 1, 2.5, True])
def test_a_trial_needs_no_folds_or_at_least_two(folds: Any) -> None:
    with pytest.raises(ValueError, match="needs 0 folds or at least 2"):
        Trial("a", Hyperparameters(), (0,), folds=folds)


def test_folds_stand_in_a_trials_record_and_leave_its_key() -> None:
    plain, folded = (Trial("a", Hyperparameters(), (0, 1), folds=folds) for folds in (0, 5))
    assert plain.key == folded.key
    assert "folds" not in plain.as_dict()
    assert folded.as_dict()["folds"] == 5
    for trial in (plain, folded):
        assert Trial.from_dict(trial.as_dict()) == trial


def test_models_and_trials_of_different_numbers_of_folds_are_refused() -> None:
    models = [Model(Hyperparameters(), Seed.of(0), fold) for fold in (None, data.Fold(0, 5))]
    with pytest.raises(ValueError, match="the models of a pack need one number of folds"):
        train_pack(models, IRIS)
    with pytest.raises(ValueError, match="the trials of a pack need one number of folds"):
        PackRun([*_trials(0), *_trials(3)], IRIS)


def test_a_batch_larger_than_the_folds_training_rows_is_refused() -> None:
    model = Model(Hyperparameters(batch_size=97), Seed.of(0), data.Fold(0, 5))
    with pytest.raises(ValueError, match="batch_size must be at most 96"):
        train_pack([model], IRIS)
    with pytest.raises(ValueError, match="batch_size must be at most 96"):
        train_one(model.hyperparameters, model.seed, IRIS, fold=model.fold)
