"""Rows that are held out: which they are, that nothing sees them, and how models do on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from trainables import data
from trainables.dataset_facts import DATASETS
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.pack_run import PackRun
from trainables.result import (
    CURVES,
    CV_CURVES,
    HELD_OUT_CURVES,
    Trained,
    from_bytes,
    mark_divergence,
    to_bytes,
)
from trainables.train_one import train_one
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial

IRIS = data.load("iris")
BOTH = pytest.mark.parametrize("split", ["random", "stratified"])


def _numbered(dataset: data.Dataset) -> data.Dataset:
    """The dataset with each row's number as its only feature."""
    return replace(dataset, x=np.arange(len(dataset.y), dtype=np.float64).reshape(-1, 1))


def _rows(x: Any) -> list[int]:
    return [int(number) for number in x[:, 0]]


@BOTH
@pytest.mark.parametrize("name", DATASETS)
def test_the_same_rows_are_held_out_for_every_seed_and_take_no_other_part(
    name: str, split: str
) -> None:
    dataset, by = _numbered(data.load(name)), Hyperparameters(split=split, hold_out=0.2)
    splits = [data.split(dataset, seed, by) for seed in range(12)]
    (held_out,) = {tuple(sorted(_rows(each.x_held_out))) for each in splits}
    facts = DATASETS[name].without(0.2)
    assert len(held_out) == facts.rows - facts.train - facts.test == -(-facts.rows // 5)
    for each in splits:
        assert (len(each.y_train), len(each.y_test)) == (facts.train, facts.test)
        all_rows = sorted([*held_out, *_rows(each.x_train), *_rows(each.x_test)])
        assert all_rows == list(range(facts.rows))
        assert np.array_equal(each.y_held_out, dataset.y[_rows(each.x_held_out)])
    assert len({tuple(_rows(each.x_train)) for each in splits}) == 12
    if split == "stratified":
        share = np.bincount(dataset.y[list(held_out)]) / np.bincount(dataset.y)
        assert np.allclose(share, 0.2, atol=1 / np.bincount(dataset.y).min())


@BOTH
@pytest.mark.parametrize("fold", [None, data.Fold(1, 4)])
def test_splits_and_folds_are_made_of_the_other_rows_as_they_are_of_all(
    split: str, fold: data.Fold | None
) -> None:
    by = Hyperparameters(split=split, hold_out=0.2, standardize=True)
    found = data.split(IRIS, 5, by, fold)
    held_out = _rows(data.split(_numbered(IRIS), 5, by.at(standardize=False)).x_held_out)
    others = np.setdiff1d(np.arange(150), held_out)
    alone = replace(IRIS, x=IRIS.x[others], y=IRIS.y[others])
    expected = data.split(alone, 5, by.at(hold_out=0.0), fold)
    for ours, theirs in zip(found[:4], expected[:4], strict=True):
        assert np.array_equal(ours, theirs)
    # Held-out rows are scaled by what the training rows are scaled by, and change none of it.
    train = IRIS.x[_rows(data.split(_numbered(IRIS), 5, by.at(standardize=False), fold).x_train)]
    scaled = (IRIS.x[held_out] - train.mean(axis=0)) / train.std(axis=0)
    assert np.allclose(found.x_held_out, scaled)


def test_without_rows_held_out_there_are_none_and_all_else_is_as_it_was() -> None:
    found = data.split(IRIS, 5, Hyperparameters(split="random"))
    assert found.x_held_out.shape == (0, 4)
    assert (len(found.y_train), len(found.y_test), len(found.y_held_out)) == (120, 30, 0)
    trained = train_pack([Model(Hyperparameters(epochs=2), Seed.of(0))], IRIS)
    assert list(trained.curves) == list(CURVES)


@pytest.mark.parametrize("share", [0.999, 1e-13])
def test_a_share_that_leaves_a_part_without_a_row_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"^hold_out must leave a row to train on and one to test"):
        data.split(IRIS, 0, Hyperparameters(hold_out=share))


SHAPES: list[dict[str, Any]] = [
    {"epochs": 8, "hidden": (12, 7), "batch_size": 17, "drop_last": False},
    {"epochs": 6, "dataset": "wine", "standardize": True, "batch_size": 33},
    {"epochs": 6, "split": "random", "hold_out": 0.013, "standardize": True},
]
CHANGES: list[dict[str, Any]] = [
    {},
    {"dropout": 0.3, "l1": 0.1},
    {"l2": 0.2, "lr": 0.05, "dropout": 1.0},
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s.values())))
def test_packs_agree_with_the_readable_trainer_on_held_out_rows_too(shape: dict[str, Any]) -> None:
    models = [
        Model(Hyperparameters(**{"hold_out": 0.3, **shape, **change}), Seed.of(seed))
        for seed, change in enumerate(CHANGES)
    ]
    dataset = data.load(models[0].hyperparameters.dataset)
    found = train_pack(models, dataset, dtype=torch.float64)
    assert list(found.curves) == [*CURVES, *HELD_OUT_CURVES]
    for number, (hyperparameters, seed, _) in enumerate(models):
        alone = train_one(hyperparameters, seed, dataset, torch.float64)
        for name in (*CURVES, *HELD_OUT_CURVES):
            np.testing.assert_allclose(
                found.curves[name][number], alone.curves[name][0], rtol=2e-7, atol=1e-9
            )
        for name, values in alone.parameters.items():
            np.testing.assert_allclose(found.parameters[name][number], values[0], atol=1e-9)


def test_held_out_accuracy_is_that_of_the_network_on_those_rows() -> None:
    hyperparameters = Hyperparameters(epochs=30, dropout=0.2, hold_out=0.4)
    rows = data.split(IRIS, 4, hyperparameters)
    found = train_one(hyperparameters, Seed.of(4), IRIS, torch.float64)
    parameters = {name: values[0] for name, values in found.parameters.items()}
    hidden = np.maximum(rows.x_held_out @ parameters["0.weight"].T + parameters["0.bias"], 0)
    scores = hidden @ parameters["1.weight"].T + parameters["1.bias"]
    accuracy = (scores.argmax(axis=1) == rows.y_held_out).mean()
    assert 0 < accuracy < 1
    assert found.curves["held_out/accuracy"][0, -1] == pytest.approx(accuracy)


def test_what_the_held_out_rows_are_changes_nothing_else() -> None:
    hyperparameters = Hyperparameters(epochs=5, hold_out=0.2, standardize=True)
    held_out = _rows(
        data.split(_numbered(IRIS), 0, hyperparameters.at(standardize=False)).x_held_out
    )
    x = IRIS.x.copy()
    x[held_out] = 1e30  # of which every loss is infinite
    models = [Model(hyperparameters, Seed.of(seed)) for seed in range(3)]
    found, expected = train_pack(models, replace(IRIS, x=x), "cpu"), train_pack(models, IRIS)
    for name in CURVES:
        assert np.array_equal(found.curves[name], expected.curves[name])
    assert not found.diverged.any()
    for name in HELD_OUT_CURVES:
        assert not np.array_equal(found.curves[name], expected.curves[name], equal_nan=True)
        assert np.isfinite(expected.curves[name]).all()


def test_a_loss_there_that_is_not_finite_is_no_number_and_no_divergence() -> None:
    curves = {name: np.full((2, 4), 0.5, np.float32) for name in (*CURVES, *HELD_OUT_CURVES)}
    curves["held_out/loss"][0, 1] = np.inf
    curves["train/loss"][1, 2] = np.nan
    mark_divergence(curves)
    for name in HELD_OUT_CURVES:
        assert np.isnan(curves[name]).tolist() == [[False, *[True] * 3], [False, False, True, True]]
    assert Trained(curves, {}).diverged.tolist() == [False, True]


def test_trials_with_folds_have_both_and_keep_every_bit_through_bytes() -> None:
    hyperparameters = Hyperparameters(epochs=3, hold_out=0.2, split="random")
    plain, folded = (Trial("a", hyperparameters, (0, 1), folds=folds) for folds in (0, 3))
    assert plain.key != Trial("a", hyperparameters.at(hold_out=0.0), (0, 1)).key
    (without,) = PackRun([plain], IRIS).advance()
    run = PackRun([folded], IRIS)
    (found,) = [result for _ in range(2) for result in run.advance()]
    assert set(found.trained.curves) == {*CURVES, *HELD_OUT_CURVES, *CV_CURVES}
    for name, values in without.trained.curves.items():
        assert np.array_equal(found.trained.curves[name], values)
    (again,) = from_bytes(to_bytes([found]))
    assert again.trial == found.trial
    for name, values in found.trained.curves.items():
        assert np.array_equal(again.trained.curves[name], values)
    finals = found.finals(range(1, 3))
    curve = found.trained.curves["held_out/accuracy"].astype(np.float64)
    assert np.array_equal(finals["held_out_accuracy"], curve[:, 1:3].mean(axis=1))
