"""Sizes of the named datasets, known without importing anything."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """Sizes of a dataset, known without loading it: `train` and `test` rows after the split."""

    rows: int
    train: int
    test: int
    features: int
    classes: int


DATASETS = {
    "iris": Facts(150, 120, 30, 4, 3),
    "wine": Facts(178, 142, 36, 13, 3),
    "breast_cancer": Facts(569, 455, 114, 30, 2),
    "digits": Facts(1797, 1437, 360, 64, 10),
    # Few rows train, so that a network can learn them by heart; docs/where_it_helps.md.
    "moons": Facts(240, 40, 200, 2, 2),
    "digits_100": Facts(599, 100, 499, 64, 10),
    "wide": Facts(220, 20, 200, 200, 2),
    "strokes": Facts(600, 200, 400, 40, 10),
}
