"""Sizes of the named datasets and of their parts, known without importing anything."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

TEST_SHARE = 0.2  # of the rows, unless it is said otherwise
_ROUNDING = 1e-9  # what a share of rows may be above a whole number that it stands for


class Facts(NamedTuple):
    """Sizes of a dataset, known without loading it: `train` and `test` rows after the split.

    What these leave of its `rows` is held out.
    """

    rows: int
    train: int
    test: int
    features: int
    classes: int

    @property
    def test_share(self) -> float:
        """Of the rows, those that a seed's split tests on."""
        fifth = self.test == part(self.rows, TEST_SHARE)
        return TEST_SHARE if fifth else self.test / self.rows

    def without(self, hold_out: float) -> Facts:
        """The sizes of the parts when that share of the rows is held out."""
        left = self.rows - part(self.rows, hold_out)
        test = part(left, self.test_share)
        return self._replace(train=left - test, test=test)


def part(rows: int, share: float) -> int:
    """How many of the rows are that share of them, rounded up."""
    return ceil(rows * share - _ROUNDING)


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
