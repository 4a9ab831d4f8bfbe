"""Values and ranges that a user gives in place of those that a sweep declares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sweeps.plan.search import spaced
from sweeps.plan.sweep import Axis, Sweep
from trainables.declaration import Range, shown
from trainables.hyperparameters import DECLARED, problem

if TYPE_CHECKING:
    from sweeps.plan.options import SearchOptions

MOST_DECIMALS = 12  # of a value, all of which stand in its configuration's name
_DIGITS = 3  # that tell neighbouring values of a range apart


def with_own_axis(sweep: Sweep, options: SearchOptions) -> Sweep:
    """The sweep with the values or the range of `options`, which have no problems.

    Its baseline stays, and is always one of the values. Of a range without `--num-samples` there
    are as many values as the lesson has, evenly spaced.
    """
    axis, *others = sweep.axes
    if options.values:
        values = sorted({axis.baseline, *options.values})
        own = replace(axis_of(axis.name, values), baseline=axis.baseline)
        if options.log:
            own = replace(own, log=True, low=min(value for value in values if value > 0))
        own = replace(own, decimals=max(own.decimals, axis.decimals))
    elif _has_range(options):
        low, high = _range(axis, options)
        log = options.log or bool(axis.log)
        finest = math.floor(math.log10(low if log else high - low))
        own = replace(
            axis,
            low=low,
            high=high,
            log=log,
            decimals=max(axis.decimals, _DIGITS - finest, decimals(low), decimals(high)),
        )
        own = replace(own, lesson=tuple(spaced(own, len(axis.lesson))))
    else:
        return sweep
    return replace(sweep, axes=(own, *others))


def own_axis_problems(sweep: Sweep, options: SearchOptions, values_stated: bool) -> list[str]:
    """A line for each thing wrong in `--values`, `--low`, `--high` and `--log`."""
    of_values = bool(options.values or values_stated)
    ranged = _has_range(options)
    if not (of_values or ranged or options.log):
        return []
    flags, needs = ("--values", "needs") if of_values else ("--low, --high and --log", "need")
    if len(sweep.axes) > 1:
        names = " and ".join(axis.name for axis in sweep.axes)
        several = " ".join(f"--{axis.name.replace('_', '-')} 0 0.1" for axis in sweep.axes)
        return [
            f"{flags} {needs} a sweep of one hyperparameter, and {sweep.name} varies {names}: use "
            f"sweeps/seeds.py {several}"
        ]
    axis = sweep.axes[0]
    if of_values:
        texts = [problem(axis.name, value) for value in options.values]
        found = values_problems("--values", options.values, texts, stated=True)
        if ranged:
            found.append("--values cannot be used with --low and --high, which say another range")
        if options.log and not found and max(options.values) <= 0:
            found.append(f"--log needs one of the --values above 0, got {shown(options.values[0])}")
        if options.num_samples is not None:
            found.append("--values cannot be used with --num-samples: they are all that is tried")
        return found
    if axis.choices:
        sizes = " ".join(map(str, axis.choices[:3]))
        return [f"{flags} need a range, and {axis.name} has none: use --values {sizes}"]
    return _range_problems(axis, options)


def _has_range(options: SearchOptions) -> bool:
    return options.low is not None or options.high is not None


def _range(axis: Axis, options: SearchOptions) -> tuple[float, float]:
    low = axis.low if options.low is None else options.low
    return low, axis.high if options.high is None else options.high


def _range_problems(axis: Axis, options: SearchOptions) -> list[str]:
    given = {"--low": options.low, "--high": options.high}
    found = [
        f"{flag} {text}"
        for flag, value in given.items()
        if value is not None and (text := _end_problem(axis.name, value))
    ]
    if found:
        return found
    low, high = _range(axis, options)
    if low >= high:
        return [f"--low needs to be below --high, got {shown(low)} and {shown(high)}"]
    if (options.log or axis.log) and low <= 0:
        return [f"--log needs --low above 0, got {shown(low)}"]
    return []


def _end_problem(name: str, value: Any) -> str | None:
    if text := problem(name, value):
        return text
    if decimals(value) > MOST_DECIMALS - _DIGITS:
        return f"needs at most {MOST_DECIMALS - _DIGITS} decimals, got {shown(value)}"
    return None


def values_problems(
    flag: str, values: Sequence[Any], texts: Sequence[str | None], stated: bool
) -> list[str]:
    """A line for each of the `values` of a flag that cannot be.

    `texts`: what is wrong with each as a value of its hyperparameter. `stated`: the flag was given.
    """
    if stated and not values:
        return [f"{flag} needs at least one value, got none"]
    if wrong := [f"{flag} {text}" for text in texts if text]:
        return wrong
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        return [f"{flag} needs different values, got {shown(twice[0])} more than once"]
    return [
        f"{flag} needs values of at most {MOST_DECIMALS} decimals, got {shown(value)}"
        for value in values
        if decimals(value) > MOST_DECIMALS
    ]


def axis_of(name: str, values: Sequence[Any]) -> Axis:
    """The axis of the hyperparameter with these values and no others; the first is the baseline."""
    allowed = DECLARED[name].allowed
    whole = isinstance(allowed, Range) and allowed.whole
    return Axis(
        name=name,
        lesson=tuple(values) if whole else tuple(map(float, values)),
        choices=tuple(values) if whole else (),
        low=min(values),
        high=max(values),
        decimals=max(map(decimals, values)),
        baseline=values[0],
    )


def decimals(value: float) -> int:
    """Digits after the point that write `value` exactly as it was given."""
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
