"""The plane through the space of inputs on which decisions are shown.

Dimension letters: D rows of the dataset, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.finished_trials import some
from trainables.data import Dataset
from trainables.result import Array

_MARGIN = 0.08  # of the rows' range, around them


class Plane(NamedTuple):
    """Inputs `origin` (F,) + a · `along[0]` + b · `along[1]`, with `low` and `high` for (a, b).

    `points` (D, 2): where the rows lie, seen at a right angle. `labels`: of the two directions.
    `about`: which plane it is, in a sentence.
    """

    origin: Array
    along: Array
    low: Array
    high: Array
    points: Array
    labels: tuple[str, str]
    about: str

    def sides(self, count: int) -> tuple[Array, Array]:
        """The middles (count,) of so many equal steps in each of the two directions."""
        steps = (np.arange(count) + 0.5) / count
        a, b = (low + (high - low) * steps for low, high in zip(self.low, self.high, strict=True))
        return a, b


def plane_of_features(dataset: Dataset, names: Sequence[str]) -> Plane:
    """The plane of two features, all others at their mean over the dataset's rows."""
    known = dataset.feature_names
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {some(known)}"
            raise Stop(BAD_INPUT, f"needs two features of {dataset.name}, got {name[:60]}: {hint}")
    places = [known.index(name) for name in names]
    if places[0] == places[1]:
        raise Stop(BAD_INPUT, f"needs two different features, got {names[0]} twice")
    origin = dataset.x.mean(axis=0)
    origin[places] = 0.0
    others = len(known) - 2
    at = {0: "there are no others", 1: "the other is at its mean"}
    about = (
        f"{names[0]} and {names[1]}; {at.get(others, f'the {others} others are at their mean')}."
    )
    points = dataset.x[:, places]
    along = np.eye(dataset.x.shape[1])[places]
    return Plane(origin, along, *_range(points), points, (names[0], names[1]), about)


def plane_of_most_variance(dataset: Dataset, standardized: bool) -> Plane:
    """That of the first two principal components of all rows, through their mean.

    `standardized`: of rows scaled to deviation 1, as the networks see them. Source: Pearson (1901),
    "On lines and planes of closest fit to systems of points in space". With two features, these.
    """
    if dataset.x.shape[1] == 2:
        return plane_of_features(dataset, dataset.feature_names)
    mean, deviation = dataset.x.mean(axis=0), dataset.x.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0) if standardized else np.ones_like(mean)
    rows = (dataset.x - mean) / scale
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    largest = np.abs(directions[:2]).argmax(axis=1)  # signs are free: that one counts upwards
    directions = directions[:2] * np.sign(directions[[0, 1], largest])[:, None]
    shares = sizes**2 / (sizes**2).sum()
    points = rows @ directions.T
    of = "scaled features" if standardized else "features"
    labels = tuple(
        f"{rank} principal component ({100 * share:.0f} % of the variance)"
        for rank, share in zip(("first", "second"), shares, strict=False)
    )
    about = (
        f"the first two principal components of the {len(rows)} rows' {of}, "
        f"{100 * shares[:2].sum():.0f} % of their variance; every other direction is at its mean."
    )
    along = directions * scale
    return Plane(mean, along, *_range(points), points, (labels[0], labels[1]), about)


def _range(points: Array) -> tuple[Array, Array]:
    low, high = points.min(axis=0), points.max(axis=0)
    room = _MARGIN * np.where(high > low, high - low, 1.0)
    return low - room, high + room
