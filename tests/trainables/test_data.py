"""Splits are complete and reproducible; features are scaled by training rows alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, hypergeom

from trainables import data
from trainables.data import Dataset
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import Hyperparameters

RANDOM, STRATIFIED = (Hyperparameters(split=split) for split in ("random", "stratified"))
SCALED = Hyperparameters(standardize=True)
BOTH = pytest.mark.parametrize("by", [RANDOM, STRATIFIED], ids=["random", "stratified"])


def _with_row_numbers(dataset: Dataset) -> Dataset:
    """The same labels, with each row's number as its only feature."""
    return replace(dataset, x=np.arange(len(dataset.y), dtype=np.float64)[:, None])


@BOTH
@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_has_the_sizes_that_are_stated_for_it(name: str, by: Hyperparameters) -> None:
    dataset, facts = data.load(name), DATASETS[name]
    split = data.split(dataset, 0, by)
    assert dataset.x.shape == (facts.rows, facts.features)
    assert dataset.y.shape == (facts.rows,)
    assert sorted(set(dataset.y)) == list(range(facts.classes))
    assert (len(dataset.class_names), len(dataset.feature_names)) == (facts.classes, facts.features)
    assert split.x_train.shape == (facts.train, facts.features)
    assert split.x_test.shape == (facts.test, facts.features)


def test_an_unknown_dataset_is_refused_with_the_known_ones() -> None:
    known = "iris, wine, breast_cancer, digits, moons, digits_100, wide, strokes"
    with pytest.raises(ValueError, match=f"^dataset must be one of {known}, got mnist$"):
        data.load("mnist")


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("iris", "cc58e316fc63355c"),
        ("moons", "d159734e3f1d9fce"),
        ("digits_100", "5e66fe446485172f"),
        ("wide", "688e581105ea9023"),
        ("strokes", "e8f3212c48c9011a"),
    ],
)
def test_the_data_are_those_of_earlier_records(name: str, digest: str) -> None:
    assert data.load(name).digest == digest


@pytest.mark.parametrize("name", ["moons", "wide", "strokes"])
def test_made_data_are_rounded_so_that_no_machines_last_bit_changes_them(name: str) -> None:
    x = data.load(name).x
    assert np.array_equal(np.round(x, 6), x)
    assert np.array_equal(np.round(x * (1 + 1e-15), 6), x)


def test_of_the_wide_data_only_the_first_inputs_tell_the_classes_apart() -> None:
    wide = data.load("wide")
    apart = wide.x[wide.y == 1].mean(axis=0) - wide.x[wide.y == 0].mean(axis=0)
    assert apart[:5] == pytest.approx(1.6, abs=0.45)  # 3.3 standard errors
    assert np.abs(apart[5:]).max() < 0.55  # 4 of them, 195 inputs


def test_the_strokes_of_a_class_are_alike_and_stand_at_many_places() -> None:
    strokes = data.load("strokes")
    x = strokes.x - strokes.x.mean(axis=1, keepdims=True)
    train, test = np.arange(600) % 60 < 50, np.arange(600) % 60 >= 50
    nearest = ((x[test][:, None] - x[train]) ** 2).sum(axis=2).argmin(axis=1)
    assert (strokes.y[train][nearest] == strokes.y[test]).mean() > 0.3  # by chance 0.1
    peaks = np.abs(x[strokes.y == 6]).argmax(axis=1)  # of the shape with one high peak
    assert len(set(peaks)) > 5


def test_the_digest_changes_with_any_value_label_or_row_order() -> None:
    iris = data.load("iris")
    x, y = iris.x.copy(), iris.y.copy()
    x[149, 3] += 1e-12
    y[0] = 1
    order = np.arange(150)[::-1]
    changed = [replace(iris, x=x), replace(iris, y=y), replace(iris, x=iris.x[order])]
    assert len({iris.digest, *(each.digest for each in changed)}) == 4
    assert replace(iris, x=iris.x.copy()).digest == iris.digest


@pytest.mark.parametrize("seed", range(5))
def test_iris_splits_into_40_and_10_rows_of_each_class(seed: int) -> None:
    split = data.split(data.load("iris"), seed, STRATIFIED)
    assert np.bincount(split.y_train).tolist() == [40, 40, 40]
    assert np.bincount(split.y_test).tolist() == [10, 10, 10]


@pytest.mark.parametrize("name", DATASETS)
def test_class_shares_are_those_of_the_whole_dataset_within_a_row(name: str) -> None:
    dataset = data.load(name)
    split = data.split(dataset, 1, STRATIFIED)
    expected = np.bincount(dataset.y) * len(split.y_test) / len(dataset.y)
    assert np.abs(np.bincount(split.y_test) - expected).max() < 1


@BOTH
@pytest.mark.parametrize("name", DATASETS)
def test_every_row_is_in_exactly_one_part_with_its_own_label(
    name: str, by: Hyperparameters
) -> None:
    dataset = data.load(name)
    split = data.split(_with_row_numbers(dataset), 2, by)
    rows = np.concatenate([split.x_train, split.x_test])[:, 0].astype(int)
    assert sorted(rows) == list(range(len(dataset.y)))
    labels = np.concatenate([split.y_train, split.y_test])
    assert np.array_equal(labels, dataset.y[rows])


@BOTH
def test_a_seed_gives_the_same_split_again_and_other_seeds_other_ones(by: Hyperparameters) -> None:
    numbered = _with_row_numbers(data.load("iris"))
    splits = [data.split(numbered, seed, by).x_test for seed in (0, 0, 1, 2)]
    assert np.array_equal(splits[0], splits[1])
    assert len({tuple(sorted(rows[:, 0])) for rows in splits}) == 3


@pytest.mark.parametrize(
    ("by", "digest"),
    [(RANDOM, "ea19326e4f8aca24"), (STRATIFIED, "568d61f704eac2d8")],
    ids=["random", "by class"],
)
def test_the_split_of_iris_is_that_of_earlier_records(by: Hyperparameters, digest: str) -> None:
    # Everything recorded rests on it: raise TRAINER_VERSION if it must change.
    split = data.split(_with_row_numbers(data.load("iris")), 7, by)
    rows = np.concatenate([split.x_train, split.x_test])[:, 0].astype("<i8")
    assert hashlib.sha256(rows.tobytes()).hexdigest()[:16] == digest


@BOTH
def test_every_row_is_a_test_row_as_often_as_any_other(by: Hyperparameters) -> None:
    numbered = _with_row_numbers(data.load("iris"))
    counts = np.zeros(150)
    for seed in range(1000):
        counts[data.split(numbered, seed, by).x_test[:, 0].astype(int)] += 1
    # Binomial with n = 1000 and p = 0.2: its deviation is 12.6 rows.
    assert np.abs(counts - 200).max() < 5 * 12.6
    assert 0.6 < counts.var() / 160 < 1.4


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_the_test_rows_of_a_random_split_are_drawn_without_regard_to_their_class(
    name: str,
) -> None:
    dataset, facts, seeds = data.load(name), DATASETS[name], 2000
    of_classes = np.bincount(dataset.y)
    found = np.array(
        [
            np.bincount(data.split(dataset, seed, RANDOM).y_test, minlength=facts.classes)
            for seed in range(seeds)
        ]
    )
    for number, rows in enumerate(of_classes):
        law = hypergeom(facts.rows, rows, facts.test)
        seen = np.bincount(found[:, number], minlength=facts.test + 1)
        expected = seeds * law.pmf(np.arange(facts.test + 1))
        usual = expected >= 5
        statistic = ((seen - expected)[usual] ** 2 / expected[usual]).sum()
        assert chi2.sf(statistic, usual.sum() - 1) > 1e-4
        assert abs(found[:, number].mean() - law.mean()) < 4 * law.std() / np.sqrt(seeds)


def test_a_class_that_a_random_split_leaves_out_on_either_side_does_no_harm() -> None:
    iris = data.load("iris")
    y = np.minimum(iris.y, 1)
    y[[20, 90]] = 2  # a class of two rows
    rare = replace(iris, y=y)
    lacking = set()
    for seed in range(40):
        split = data.split(rare, seed, replace(SCALED, split="random"))
        assert (len(split.y_train), len(split.y_test)) == (120, 30)
        assert np.isfinite(split.x_train).all()
        assert np.isfinite(split.x_test).all()
        lacking |= {name for name in ("y_train", "y_test") if 2 not in getattr(split, name)}
    assert lacking == {"y_train", "y_test"}


def test_standardizing_changes_neither_the_rows_nor_their_order() -> None:
    iris = data.load("iris")
    plain = data.split(iris, 3, STRATIFIED)
    scaled = data.split(iris, 3, SCALED)
    assert np.array_equal(scaled.y_train, plain.y_train)
    mean, deviation = plain.x_train.mean(axis=0), plain.x_train.std(axis=0)
    assert np.allclose(scaled.x_train * deviation + mean, plain.x_train, rtol=0, atol=1e-12)


def test_training_features_have_mean_0_and_deviation_1() -> None:
    split = data.split(data.load("wine"), 0, SCALED)
    assert np.abs(split.x_train.mean(axis=0)).max() < 1e-12
    assert np.abs(split.x_train.std(axis=0) - 1).max() < 1e-12


def test_test_rows_do_not_influence_the_scale() -> None:
    iris = data.load("iris")
    before = data.split(iris, 4, SCALED)
    numbered = data.split(_with_row_numbers(iris), 4, STRATIFIED)
    x = iris.x.copy()
    x[numbered.x_test[:, 0].astype(int)] *= 1000
    after = data.split(replace(iris, x=x), 4, SCALED)
    assert np.array_equal(after.x_train, before.x_train)
    assert not np.allclose(after.x_test, before.x_test)


def test_a_constant_feature_is_shifted_to_0_and_not_divided_by_0() -> None:
    iris = data.load("iris")
    x = iris.x.copy()
    x[:, 1] = 5.0
    split = data.split(replace(iris, x=x), 0, SCALED)
    assert np.isfinite(split.x_train).all()
    assert (split.x_train[:, 1] == 0).all()
    assert (split.x_test[:, 1] == 0).all()


def test_splitting_does_not_change_the_dataset() -> None:
    iris = data.load("iris")
    digest = iris.digest
    data.split(iris, 0, SCALED).x_train[:] = 0
    data.split(iris, 0, STRATIFIED).x_train[:] = 0
    assert iris.digest == digest


def test_iris_comes_without_scikit_learn_and_is_its_iris(tmp_path: Path) -> None:
    code = (
        "import sys; from trainables import data; iris = data.load('iris')\n"
        "assert 'sklearn' not in sys.modules\n"
        "from sklearn.datasets import load_iris; theirs = load_iris()\n"
        "assert (iris.x == theirs.data).all() and (iris.y == theirs.target).all()\n"
        "assert iris.class_names == tuple(theirs.target_names)\n"
        "assert iris.feature_names == tuple(theirs.feature_names)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    "content", [None, "", "150,4,a,b,c", "150,4,a,b,c\n1,2,3,4,0", "no numbers\nx,y"]
)
def test_a_missing_or_unlike_file_of_iris_leaves_scikit_learn_to_load_it(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        folder = tmp_path / "datasets" / "data"
        folder.mkdir(parents=True)
        (folder / "iris.csv").write_text(content)
    spec = ModuleSpec("sklearn", None)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(data, "find_spec", lambda _: spec)
    data.load.cache_clear()
    assert data.load("iris").digest == "cc58e316fc63355c"
    data.load.cache_clear()
