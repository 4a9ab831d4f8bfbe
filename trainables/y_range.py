"""How much of y a picture shows, and which lines count as one: rules of figures and pages alike.

They stand here, as the words of `setting.py` do, because this is the one folder below both sides:
the analysis draws figures by them, and a sweep the page that it leaves in its record.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from trainables.manifest import Manifest
from trainables.result import Array

APART = 0.005  # of a picture's height: lines that are less apart are within the width of one
LATE = 0.5  # of the epochs of a curve: where it ends up
_SQUASHED = 1 / 3  # of the height or less for all but a few: then these few go into the strip
_FEW = 1 / 3  # of the values at most
_ROOM = 0.05  # of the height, above and below
STRIP_SAYS = "the strip below a panel is its whole range; grey there is what the panel shows of it"


class YRange(NamedTuple):
    """The limits of y, and those of the strip below where `shown` is not the `whole`."""

    shown: tuple[float, float]
    whole: tuple[float, float] | None = None

    @property
    def height(self) -> float:
        """Of what is shown."""
        return self.shown[1] - self.shown[0]


def row_share(manifest: Manifest) -> float:
    """What one test row of one seed makes of mean accuracy, from 0 to 1: differences come in steps
    of it.
    """
    return 1 / (int(manifest.dataset["test"]) * len(manifest.trials[0].seeds))


def y_range(near: Array, whole: Array, least: float = 0.0, zero: bool = False) -> YRange | None:
    """The range in which the values differ, and the `whole` where few squash the others.

    `near` (N, 2): from where to where each value reaches. `whole` (2,): what all of them do.
    `least`: at least so much to either side, of 0 if `zero`, else of the middle. None where all is
    one number.
    """
    kept = _without_few(near, float(np.ptp(whole)))
    shown = kept if np.ptp(kept) <= _SQUASHED * np.ptp(whole) else whole
    shown, whole = (_at_least(one, least, zero) for one in (shown, whole))
    if not np.ptp(shown) > 0:
        return None
    if np.ptp(shown) > _SQUASHED * np.ptp(whole):
        return YRange(_with_room(whole))
    return YRange(_with_room(shown), _with_room(whole))


def _without_few(spans: Array, whole: float) -> Array:
    """The (low, high) of `spans` (N, 2) without the fewest that squash the rest; else of all.

    Those left out are the lowest and the highest, by their middles.
    """
    count = len(spans)
    most = int(_FEW * count)
    low, high = spans[np.argsort(spans.mean(axis=1), kind="stable")].T
    # All that is left is in the middle whatever is left out, so that its ends follow from how far
    # it reaches from there: a page has thousands of values.
    left = (_growing(np.minimum, low, most), _growing(np.maximum, high, most))
    right = (_growing(np.minimum, low[::-1], most), _growing(np.maximum, high[::-1], most))

    def least(few: int) -> Array:
        """The narrowest ends without `few` of them, of equal ones the first."""
        below = np.arange(few + 1)
        ends = np.stack(
            [
                np.minimum(left[0][below], right[0][few - below]),
                np.maximum(left[1][below], right[1][few - below]),
            ]
        )
        narrowest: Array = ends[:, np.ptp(ends, axis=0).argmin()]
        return narrowest

    # Without one more it is never wider, so that the fewest can be searched for.
    few = bisect_left(
        range(most + 1), True, key=lambda number: bool(np.ptp(least(number)) <= _SQUASHED * whole)
    )
    return least(few if few <= most else 0)


def _growing(take: np.ufunc, values: Array, most: int) -> Array:
    """(most + 1,): `take` of the values from each place up to those that are always left."""
    stop = len(values) - most
    found: Array = take.accumulate(values[:stop][::-1])[::-1][: most + 1]
    return found


def _at_least(ends: Array, least: float, zero: bool) -> Array:
    low, high = ends
    middle = 0.0 if zero else (low + high) / 2
    return np.array([min(low, middle - least), max(high, middle + least)])


def _with_room(ends: Array) -> tuple[float, float]:
    room = _ROOM * float(np.ptp(ends))
    return float(ends[0]) - room, float(ends[1]) + room
