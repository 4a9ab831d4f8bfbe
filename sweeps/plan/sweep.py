"""What a sweep is: the hyperparameters it varies, the lesson's values and the range to sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

from trainables.hyperparameters import DECLARED, Hyperparameters
from trainables.trial import Trial

Value = float | int


_AS_DECLARED = -1


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One swept hyperparameter; label, scale and decimals are as it declares them unless given.

    `lesson`: the values in the lesson. `low` to `high`: the range sampled uniformly, or `choices`:
    the only values there are. `log`: values differ by factors rather than by steps; a range is
    then sampled, and every axis drawn, on a log scale. `decimals`: drawn values are rounded to
    these, so that a trial's name, such as `l2=0.012300`, is its value and not an approximation.
    Raises `ValueError` for a log range whose lower end rounds to 0 or less.
    """

    name: str
    lesson: tuple[Value, ...]
    low: float = 0.0
    high: float = 0.0
    choices: tuple[int, ...] = ()
    baseline: Value = 0.0
    label: str = ""
    log: bool | None = None
    decimals: int = _AS_DECLARED

    def __post_init__(self) -> None:
        if declared := DECLARED.get(self.name):  # what is none is refused by the sweep, with all
            set_field = partial(object.__setattr__, self)
            set_field("label", self.label or declared.label)
            set_field("log", declared.scale != "linear" if self.log is None else self.log)
            if self.decimals == _AS_DECLARED:
                set_field("decimals", declared.decimals)
        if self.log and not self.choices and round(self.low, self.decimals) <= 0:
            raise ValueError(
                f"axis {self.name}: a log range needs a low end above 0 at {self.decimals} "
                f"decimals, got {self.low}"
            )

    def format(self, value: Value) -> str:
        """The value in the axis's one number format."""
        return f"{self.name}={value:.{self.decimals}f}"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A declaration: what `python sweeps/NAME.py` runs unless its flags say otherwise.

    `defaults`: hyperparameters that differ from those of `Hyperparameters`. `summary`: the part of
    the epochs whose mean is a model's final number, from 0 to 1.
    """

    name: str
    question: str
    axes: tuple[Axis, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    summary: tuple[float, float] = (0.9, 1.0)

    def __post_init__(self) -> None:
        used = {axis.name for axis in self.axes} | set(self.defaults)
        if unknown := used - set(DECLARED):
            raise ValueError(f"sweep {self.name}: no such hyperparameters: {sorted(unknown)}")

    @property
    def baseline(self) -> tuple[Value, ...]:
        """The point that all others are compared with, one value per axis."""
        return tuple(axis.baseline for axis in self.axes)

    def at(self, summary: tuple[float, float] | None) -> Sweep:
        """The same with another part of the epochs summed up, if one is given."""
        return self if summary is None else replace(self, summary=summary)

    def lesson_points(self) -> list[tuple[Value, ...]]:
        """The lesson's values; of several axes, all their combinations."""
        return list(product(*(axis.lesson for axis in self.axes)))

    def trial(
        self,
        base: Hyperparameters,
        point: tuple[Value, ...],
        seeds: tuple[int, ...],
        folds: int = 0,
    ) -> Trial:
        """The trial at `point`, everything that is not swept as in `base`."""
        swept = {axis.name: value for axis, value in zip(self.axes, point, strict=True)}
        name = " ".join(axis.format(value) for axis, value in zip(self.axes, point, strict=True))
        return Trial(name, base.at(**swept), seeds, folds=folds)

    def summary_epochs(self, epochs: int) -> range:
        """The epochs, counted from 0, whose mean is a model's final number; at least one."""
        stop = max(1, round(epochs * self.summary[1]))
        return range(min(round(epochs * self.summary[0]), stop - 1), stop)
