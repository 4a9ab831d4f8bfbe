"""The named datasets, and their split into training and test rows by seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables import draws
from trainables.dataset_facts import DATASETS, TEST_SHARE, part
from trainables.hyperparameters import STRATIFIED, Hyperparameters
from trainables.made_data.strokes import strokes
from trainables.made_data.two_classes import moons, wide

_IRIS_DIGEST = "cc58e316fc63355c"
_MADE = {"moons": moons, "wide": wide, "strokes": strokes}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features `x` (D, F) float64 and class numbers `y` (D,) int64 of all rows.

    `test_share`: of the rows, those that a seed's split tests on; of what is left, if any of them
    are held out.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.int64]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    test_share: float = TEST_SHARE

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with any value or row order."""
        content = hashlib.sha256(str((self.x.shape, self.class_names)).encode())
        content.update(self.x.astype("<f8").tobytes())
        content.update(self.y.astype("<i8").tobytes())
        return content.hexdigest()[:16]


class Fold(NamedTuple):
    """Fold `number`, counted from 0, of the `of` folds that a split's training rows fall into."""

    number: int
    of: int


class Split(NamedTuple):
    """One seed's rows: features (N, F) float64 and class numbers (N,), for training and test, and
    those that are held out of every seed's."""

    x_train: NDArray[np.float64]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float64]
    y_test: NDArray[np.int64]
    x_held_out: NDArray[np.float64]
    y_held_out: NDArray[np.int64]


@cache
def load(name: str) -> Dataset:
    """The dataset of that name, from scikit-learn's own copy or made here (no download)."""
    if name not in DATASETS:
        raise ValueError(f"dataset must be one of {', '.join(DATASETS)}, got {name}")
    if name == "iris" and (iris := _iris_from_file()) is not None:
        return iris
    share = DATASETS[name].test_share
    if name in _MADE:
        return Dataset(name, *_MADE[name](), share)
    if name == "digits_100":  # every third row, those of all writers
        digits = load("digits")
        return replace(digits, name=name, x=digits.x[::3], y=digits.y[::3], test_share=share)
    from sklearn import datasets  # here, because it takes a second and not every caller needs it

    bunch = getattr(datasets, f"load_{name}")()
    return Dataset(
        name=name,
        x=np.ascontiguousarray(bunch.data, dtype=np.float64),
        y=bunch.target.astype(np.int64),
        class_names=tuple(map(str, bunch.target_names)),
        feature_names=tuple(map(str, bunch.feature_names)),
    )


def _iris_from_file() -> Dataset | None:
    """Iris as scikit-learn ships it, read without importing scikit-learn, which takes a second.

    None when the file is elsewhere or holds anything but the data that `_IRIS_DIGEST` names.
    """
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0], "datasets", "data", "iris.csv")
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        rows = np.array([line.split(",") for line in lines], dtype=np.float64)
        iris = Dataset(
            name="iris",
            x=np.ascontiguousarray(rows[:, :-1]),
            y=rows[:, -1].astype(np.int64),
            class_names=tuple(first.split(",")[2:]),
            feature_names=tuple(
                f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width")
            ),
        )
    except (OSError, ValueError, IndexError):
        return None
    return iris if iris.digest == _IRIS_DIGEST else None


def split(
    dataset: Dataset, seed: int, hyperparameters: Hyperparameters, fold: Fold | None = None
) -> Split:
    """Training and test rows, `dataset.test_share`, drawn as `hyperparameters.split` says.

    Random: the test rows are drawn from all, as scikit-learn's `train_test_split` does, so the
    classes' shares differ from seed to seed, and a rare class may be lacking on either side.
    Stratified: from each class in proportion, as `train_test_split(stratify=y)` does. Both have
    equally many test rows, and both come from this project's own draws, so that no release of
    scikit-learn can change a recorded number.

    With `fold`, the split's training rows without those of that fold, and in place of test rows
    the fold's: all rows of `folds_of_rows` with its number, dealt out by class or not as the split
    is. The test rows then take no part.

    With `hyperparameters.hold_out` that share of the rows is set aside first, of all or of each
    class as the split is, the same rows for every seed; all else is made of the other rows as it is
    of all. Raises `ValueError` where a part would have no row.

    With `hyperparameters.standardize` every feature is shifted and scaled to mean 0 and standard
    deviation 1 on the training rows (the others by the same numbers); a constant feature is only
    shifted.
    """
    # A random split is a stratified one of rows that are all of one stratum.
    stratum = dataset.y if hyperparameters.split == STRATIFIED else np.zeros_like(dataset.y)
    rows = np.arange(len(stratum))
    held_out = rows[:0]
    if hyperparameters.hold_out:
        _require_rows_in_all_parts(dataset, hyperparameters.hold_out)
        of_all_seeds = draws.held_out_permutation(len(rows))
        held_out, rows = map(np.sort, _drawn(of_all_seeds, stratum, hyperparameters.hold_out))
    order = draws.row_permutation(seed, len(rows))
    test, train = (rows[each] for each in _drawn(order, stratum[rows], dataset.test_share))
    if fold is not None:
        own = folds_of_rows(stratum[train], fold.of) == fold.number
        train, test = train[~own], train[own]
    x = dataset.x
    if hyperparameters.standardize:
        mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
        x = (x - mean) / np.where(deviation > 0, deviation, 1.0)
    y = dataset.y
    return Split(x[train], y[train], x[test], y[test], x[held_out], y[held_out])


def folds_of_rows(stratum: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold (N,), from 0, of each training row, given the rows' strata in drawn order.

    The rows, sorted by stratum, are dealt to the folds in turn, so the folds' rows of a stratum
    differ by one at most. All folds have N // folds rows, since tensor shapes must agree; the
    N % folds rows that are left, the last of the last stratum, are in no fold (-1) and always
    train. Raises `ValueError` unless there are 2 to N folds.
    """
    rows = len(stratum)
    if not 2 <= folds <= rows:
        raise ValueError(f"folds must be from 2 to {rows}, the training rows, got {folds}")
    by_stratum = np.argsort(stratum, kind="stable")
    dealt = by_stratum[: rows // folds * folds]
    fold = np.full(rows, -1, dtype=np.int64)
    fold[dealt] = np.arange(len(dealt)) % folds
    return fold


def _drawn(
    order: NDArray[np.int64], stratum: NDArray[np.int64], share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """That share of the rows (N,), from every stratum in proportion, and the others, as `order` is.

    The first rows of each stratum in that order are those that are drawn.
    """
    drawn = stratum[order]
    quota = _quota(np.bincount(stratum), share)
    place = np.zeros(len(order), dtype=np.int64)
    for number in range(len(quota)):
        own = drawn == number
        place[own] = np.arange(own.sum())
    chosen = place < quota[drawn]
    return order[chosen], order[~chosen]


def _quota(rows: NDArray[np.int64], of_all: float) -> NDArray[np.int64]:
    """Of each stratum (C,) how many rows, in proportion to its `rows`, by largest remainder."""
    share = rows * of_all
    quota: NDArray[np.int64] = np.floor(share).astype(np.int64)
    missing = part(int(rows.sum()), of_all) - quota.sum()
    quota[np.argsort(quota - share, kind="stable")[:missing]] += 1
    return quota


def _require_rows_in_all_parts(dataset: Dataset, hold_out: float) -> None:
    held_out = part(len(dataset.y), hold_out)
    test = part(len(dataset.y) - held_out, dataset.test_share)
    train = len(dataset.y) - held_out - test
    if not (held_out and test and train):
        raise ValueError(
            f"hold_out must leave a row to train on and one to test on and hold out one, got "
            f"{hold_out:g}, which of {dataset.name} leaves {train} and {test} and holds {held_out}"
        )
