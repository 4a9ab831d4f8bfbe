"""Along which lines through a sweep's values a penalty grows: the x axes of its paths.

Of one penalty that is its λ. Of two it is their strength in one mixture, as an elastic net's path
has it: each penalty alone, and both in a constant ratio. Source of paths by mixture: Friedman,
Hastie and Tibshirani (2010), "Regularization paths for generalized linear models via coordinate
descent".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import NamedTuple

from analysis.figures.comparison import swept
from analysis.plotting.panels import Scale
from analysis.reading.sweep_record import SweepRecord
from trainables.trial import Trial

_LEAST = 2  # configurations with a penalty: fewer show no path
_FEW, _NEAR = 12, 30  # values, and how many times the least the greatest is
_ROOM = 0.14  # of the axis, for a number below it
_DIGITS = 6  # of a ratio: what differs later is rounding


class Ray(NamedTuple):
    """Configurations in one mixture, weakest first, with the λ at which each is drawn.

    `name`: of the mixture, empty where there is but one.
    """

    name: str
    x_label: str
    at: Mapping[Trial, float]

    @property
    def scale(self) -> Scale:
        """A log scale, with room for 0 where it is among the values."""
        return "symlog" if any(value <= 0 for value in self.at.values()) else "log"

    @property
    def ticks(self) -> tuple[float, ...]:
        """Values to number the axis at where they are few and within few decades, so that the log
        scale's own numbers would be one or two; else none.
        """
        values = sorted({value for value in self.at.values() if value > 0}, reverse=True)
        if not 1 < len(values) <= _FEW or values[0] > _NEAR * values[-1]:
            return ()
        room = _ROOM * (log10(values[0] / values[-1]) + 1)  # a decade more, from the least to 0
        kept = values[:1]
        for value in values[1:]:
            if log10(kept[-1] / value) >= room:
                kept.append(value)
        return (*(value for value in self.at.values() if value <= 0), *reversed(kept))


def rays(record: SweepRecord) -> tuple[Ray, ...]:
    """The lines of a sweep of one or two penalties.

    Of two: the first alone, the second alone, and that mixture of both which has most
    configurations, of equal ones that which reaches furthest. Those without a path are left out.
    """
    places = {trial: swept(record, trial) for trial in record.configurations}
    axes = record.manifest.axes
    if len(axes) == 1:
        return (_ray("", f"{axes[0].label}, log scale", places, 0),)
    none = {trial: place for trial, place in places.items() if not any(place)}
    found = []
    for number, axis in enumerate(axes):
        alone = {
            trial: place
            for trial, place in places.items()
            if place[number] > 0 and not any(place[:number] + place[number + 1 :])
        }
        if len(alone) >= _LEAST:
            label = f"{axis.label}, log scale"
            found.append(_ray(f"{axis.field.upper()} alone", label, none | alone, number))
    both = _fullest(places)
    if len(both) >= _LEAST:
        first, second = next(iter(both.values()))
        words = f"{axes[1].field.upper()} λ {second / first:.3g} times that"
        name = " and ".join(axis.field.upper() for axis in axes)
        label = f"{axes[0].label}, {words}, log scale"
        found.append(_ray(name, label, none | both, 0))
    return tuple(found)


def _fullest(places: Mapping[Trial, Sequence[float]]) -> dict[Trial, tuple[float, ...]]:
    by_ratio: dict[str, dict[Trial, tuple[float, ...]]] = {}
    for trial, (first, second) in places.items():
        if first > 0 and second > 0:
            ratio = f"{second / first:.{_DIGITS}g}"
            by_ratio.setdefault(ratio, {})[trial] = (first, second)
    return max(
        by_ratio.values(), key=lambda one: (len(one), max(map(max, one.values()))), default={}
    )


def _ray(name: str, label: str, places: Mapping[Trial, Sequence[float]], number: int) -> Ray:
    at = {trial: float(place[number]) for trial, place in places.items()}
    return Ray(name, label, dict(sorted(at.items(), key=lambda one: one[1])))
