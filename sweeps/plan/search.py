"""Which configurations a sweep runs: the lesson's values, or N points of the search space."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from sweeps.plan.options import SearchName
from sweeps.plan.sweep import Axis, Sweep, Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Point = tuple[Value, ...]


def problem(sweep: Sweep, count: int | None, search: SearchName) -> str | None:
    """What is wrong with `count` as a number of configurations of this sweep, or None."""
    if count is None:
        return None
    if all(axis.choices for axis in sweep.axes):
        available = math.prod(len(axis.choices) for axis in sweep.axes)
        if count > available:
            return (
                f"--num-samples needs at most {available}, the configurations that {sweep.name} "
                f"has, got {count}"
            )
    if search == "grid" and len(sweep.axes) == 1 and not sweep.axes[0].choices:
        axis = sweep.axes[0]
        available = round((axis.high - axis.low) * 10**axis.decimals) + 1
        if axis.log:  # rounding makes values equal at the low end, where they lie close
            available = len(set(spaced(axis, count)))
        if count > available:
            return (
                f"--num-samples needs at most {available} for --search grid: {axis.name} has "
                f"{axis.decimals} decimals, got {count}"
            )
    if search == "grid" and len(sweep.axes) == 2 and count > 1 and _grid_rows(count) == 1:
        return (
            "--num-samples needs a product of two whole numbers above 1 for --search grid on two "
            f"axes, such as {max(4, count + 1)}, got {count}"
        )
    return None


def points(sweep: Sweep, count: int | None, search: SearchName, seed: int) -> list[Point]:
    """The sweep's points, all different: the lesson's without `count`, else `count` of them.

    The first of `count` points is the baseline, so that every comparison has its reference; the
    rest come from Optuna's sampler and depend on `seed` alone. Raises `ValueError` for a count that
    the search space or the grid does not have.
    """
    if count is None:
        return sweep.lesson_points()
    if wrong := problem(sweep, count, search):
        raise ValueError(wrong)
    if search == "grid":
        return _grid(sweep, count)
    return _sampled(sweep, count, search, seed)


def _grid_rows(count: int) -> int:
    """The largest divisor of `count` up to its root: rows of the most nearly square grid."""
    return max(n for n in range(1, math.isqrt(count) + 1) if count % n == 0)


def _grid(sweep: Sweep, count: int) -> list[Point]:
    """Evenly spaced points; on two axes the most nearly square grid of exactly `count` points."""
    rows = _grid_rows(count)
    sizes = (count,) if len(sweep.axes) == 1 else (rows, count // rows)
    by_axis = [spaced(axis, size) for axis, size in zip(sweep.axes, sizes, strict=True)]
    grid = [()] if not by_axis else [(value,) for value in by_axis[0]]
    for values in by_axis[1:]:
        grid = [(*point, value) for point in grid for value in values]
    return [sweep.baseline, *[point for point in grid if point != sweep.baseline]][:count]


def spaced(axis: Axis, count: int) -> list[Value]:
    """`count` values over the axis, both ends included; the baseline is always one of them."""
    if axis.choices:
        others = [choice for choice in axis.choices if choice != axis.baseline]
        gaps = max(1, count - 2)
        chosen = {others[round(i * (len(others) - 1) / gaps)] for i in range(count - 1)}
        return sorted({axis.baseline, *chosen})
    if axis.log:
        if not axis.low <= axis.baseline <= axis.high:  # such as 0, which no log range has
            return [axis.baseline, *_geometric(axis, count - 1)]
        values = _geometric(axis, count)
        nearest = min(range(count), key=lambda i: abs(values[i] - axis.baseline))
        return [*values[:nearest], axis.baseline, *values[nearest + 1 :]]
    step = (axis.high - axis.low) / max(1, count - 1)
    return [round(axis.low + i * step, axis.decimals) for i in range(count)]


def _geometric(axis: Axis, count: int) -> list[Value]:
    factor = (axis.high / axis.low) ** (1 / max(1, count - 1))
    return [round(axis.low * factor**i, axis.decimals) for i in range(count)]


def _sampled(sweep: Sweep, count: int, search: SearchName, seed: int) -> list[Point]:
    import optuna  # here: half a second that the lesson's values do without

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {axis.name: _distribution(axis) for axis in sweep.axes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(sampler=_sampler(search, seed))
    # The samplers are asked directly: trials of a study would hold the same numbers, ten times
    # slower and more so with every trial before.
    known = optuna.trial.create_trial(params={}, distributions={}, value=0.0)
    found: dict[Point, None] = {sweep.baseline: None}
    # Rounded values and small spaces repeat; a bound on the asking keeps a full space from hanging.
    for _ in range(count * 20 + 1000):
        if len(found) == count:
            return list(found)
        drawn = study.sampler.sample_relative(study, known, space)
        for name in space.keys() - drawn.keys():
            drawn[name] = study.sampler.sample_independent(study, known, name, space[name])
        found[tuple(_from_space(axis, drawn[axis.name]) for axis in sweep.axes)] = None
    raise ValueError(
        f"--num-samples needs fewer: only {len(found)} different configurations found, got {count}"
    )


def _sampler(search: SearchName, seed: int) -> BaseSampler:
    from optuna.samplers import QMCSampler, RandomSampler

    if search == "random":
        return RandomSampler(seed=seed)
    return QMCSampler(qmc_type="sobol", scramble=True, seed=seed, warn_asynchronous_seeding=False)


def _distribution(axis: Axis) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    # Choices are sampled by their place: Optuna's quasi-random sampler knows no categories.
    if axis.choices:
        return IntDistribution(0, len(axis.choices) - 1)
    return FloatDistribution(axis.low, axis.high, log=bool(axis.log))


def _from_space(axis: Axis, value: Value) -> Value:
    return axis.choices[int(value)] if axis.choices else round(value, axis.decimals)
