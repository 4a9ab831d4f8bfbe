"""What can be said of a hyperparameter, said once beside its field and read by all that use it.

Flags, their help, checks, packs, keys, axes, captions and tables are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

Scale = Literal["linear", "log", "log2"]
_Value = TypeVar("_Value")
_DECLARED = "declared"  # key in the metadata of a field
_NEAR = 0.5  # so that `l3` is near `l2`


class Allowed(Protocol):
    """Which values a hyperparameter may have."""

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`: required and given, or None."""


class Range(NamedTuple):
    """Allowed values of a field: `low` to `high`, both included unless `above` excludes `low` or
    `below` excludes `high`."""

    low: float
    high: float
    whole: bool = False
    above: bool = False
    below: bool = False

    def describe(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.high == math.inf:
            return f"{kind} {'above' if self.above else 'of at least'} {self.low:g}"
        if self.below:
            return f"{kind} of at least {self.low:g} and below {self.high:g}"
        if self.above:
            return f"{kind} above {self.low:g} and at most {self.high:g}"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        try:
            if not math.isfinite(value):
                return False
        except OverflowError:  # a whole number that no float can hold
            return False
        high_enough = value > self.low if self.above else value >= self.low
        return high_enough and (value < self.high if self.below else value <= self.high)

    def problem(self, value: object) -> str | None:
        return None if self.holds(value) else f"needs {self.describe()}, got {shown(value)}"


class Widths(NamedTuple):
    """Units of 1 to `most` layers, each within `each`."""

    each: Range
    most: int

    def problem(self, value: object) -> str | None:
        widths = value if isinstance(value, tuple) else (value,)
        if widths is value and 1 <= len(widths) <= self.most and all(map(self.each.holds, widths)):
            return None
        given = " ".join(map(shown, widths)) or "nothing"
        needed = f"1 to {self.most} layer widths, each {self.each.describe()}"
        return f"needs {needed}, got {given}"


class Choice(NamedTuple):
    """One of some names."""

    names: tuple[str, ...]

    def problem(self, value: object) -> str | None:
        if value in self.names:
            return None
        hint = did_you_mean(value, self.names)
        return f"needs one of {', '.join(self.names)}, got {shown(value)}{hint}"


class Switch(NamedTuple):
    """On or off."""

    def problem(self, value: object) -> str | None:
        return None if isinstance(value, bool) else f"needs True or False, got {shown(value)}"


class Declared(NamedTuple):
    """Everything that is said of one hyperparameter.

    `about`: what it is, without a full stop: the help of its flag, its line in tables. `label`:
    its name on axes. `caption`: how a value reads beside others, such as `learning rate {}`; that
    of a switch says what is so when it is not at its default. `always`: captions name it even at
    its default. `scale`: of axes. `decimals`: of sampled values and of trials' names.

    `swept`: sweeps can vary it. `shapes`: it fixes shapes of tensors, or data, so that models of
    one pack cannot differ in it. `since`: the version of this project that introduced it, empty
    for what the first records have; at its default it leaves a configuration's key as it was.
    `off`: of a switch that is on by default, what the flag that turns it off does.
    """

    allowed: Allowed
    about: str
    label: str
    caption: str
    always: bool
    scale: Scale
    decimals: int
    swept: bool
    shapes: bool
    since: str
    off: str


def hyperparameter(
    default: _Value,
    allowed: Allowed,
    *,
    about: str,
    label: str,
    caption: str,
    always: bool = False,
    scale: Scale = "linear",
    decimals: int = 0,
    swept: bool = False,
    shapes: bool = False,
    since: str = "",
    off: str = "",
) -> _Value:
    """A field of a dataclass with that default; typed as its value, as the type checker wants."""
    declared = Declared(
        allowed, about, label, caption, always, scale, decimals, swept, shapes, since, off
    )
    made: _Value = field(default=default, metadata={_DECLARED: declared})
    return made


def declarations(kind: type[Any]) -> Mapping[str, Declared]:
    """What the fields of that dataclass declare, in their order."""
    return {each.name: each.metadata[_DECLARED] for each in fields(kind)}


def shown(value: object) -> str:
    """A value from outside, fit for one line of an error message."""
    return ascii(value)[1:-1][:60] if isinstance(value, str) else str(value)[:60]


def did_you_mean(name: object, known: Sequence[str]) -> str:
    """A hint to the one of the `known` names that is nearest, empty when none is near."""
    near = get_close_matches(str(name), known, 1, _NEAR)
    return f": did you mean {near[0]}?" if near else ""


def as_text(value: object) -> str:
    """A value as people read it, such as `64 64` or `0.005`."""
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
