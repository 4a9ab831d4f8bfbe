"""The points of a sweep: all different, on the axis, the baseline first, and reproducible."""

from __future__ import annotations

import numpy as np
import pytest

from sweeps import batch_size, dropout, elastic_net, l1, l2
from sweeps.plan.options import SearchName
from sweeps.plan.search import points
from sweeps.plan.sweep import Axis, Sweep

CONTINUOUS = [dropout.SWEEP, l1.SWEEP, l2.SWEEP, elastic_net.SWEEP]
ALL = [*CONTINUOUS, batch_size.SWEEP]
SEARCHES: list[SearchName] = ["qmc", "random", "grid"]
SAMPLED: list[SearchName] = ["qmc", "random"]


def _name(value: object) -> str:
    return value.name if isinstance(value, Sweep) else str(value)


@pytest.mark.parametrize("sweep", ALL, ids=_name)
def test_without_a_number_the_points_are_the_lessons(sweep: Sweep) -> None:
    for search in SEARCHES:
        assert points(sweep, None, search, 0) == sweep.lesson_points()


@pytest.mark.parametrize("count", [1, 2, 6, 50])
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("sweep", CONTINUOUS, ids=_name)
def test_there_are_as_many_points_as_asked_for_all_different_baseline_first(
    sweep: Sweep, search: SearchName, count: int
) -> None:
    if search == "grid" and count == 2 and len(sweep.axes) == 2:
        pytest.skip("a prime has no grid on two axes")
    found = points(sweep, count, search, 0)
    assert len(found) == len(set(found)) == count
    assert found[0] == sweep.baseline


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("sweep", CONTINUOUS, ids=_name)
def test_values_are_in_range_and_have_no_more_decimals_than_their_name_shows(
    sweep: Sweep, search: SearchName
) -> None:
    for point in points(sweep, 60, search, 3):
        for axis, value in zip(sweep.axes, point, strict=True):
            assert axis.low <= value <= axis.high
            assert float(axis.format(value).removeprefix(f"{axis.name}=")) == value


@pytest.mark.parametrize("search", SAMPLED)
@pytest.mark.parametrize("sweep", CONTINUOUS, ids=_name)
def test_the_search_seed_alone_decides_the_points(sweep: Sweep, search: SearchName) -> None:
    first = points(sweep, 20, search, 1)
    np.random.seed(5)
    assert points(sweep, 20, search, 1) == first
    other = points(sweep, 20, search, 2)
    assert other[0] == first[0]
    assert not set(first[1:]) & set(other[1:])


@pytest.mark.parametrize("search", SAMPLED)
def test_more_points_begin_with_the_same_ones(search: SearchName) -> None:
    assert points(l2.SWEEP, 40, search, 0)[:20] == points(l2.SWEEP, 20, search, 0)


def test_an_axis_grid_is_evenly_spaced_from_end_to_end() -> None:
    values = np.array(points(dropout.SWEEP, 11, "grid", 0))[:, 0]
    assert values == pytest.approx(np.linspace(0, 1, 11))
    values = np.array(points(l2.SWEEP, 50, "grid", 0))[:, 0]
    assert (values[0], values[-1]) == (0, 0.1)
    assert np.abs(np.diff(values) - 0.1 / 49).max() < 2e-6  # rounded to six decimals


def test_a_grid_on_two_axes_is_all_pairs_and_nearly_square() -> None:
    found = points(elastic_net.SWEEP, 12, "grid", 0)
    first, second = (sorted(set(values)) for values in zip(*found, strict=True))
    assert (len(first), len(second)) == (3, 4)
    assert set(found) == {(a, b) for a in first for b in second}
    assert (first[-1], second[-1]) == (0.005, 0.1)


@pytest.mark.parametrize("count", [2, 3, 7, 47])
def test_a_prime_number_of_points_has_no_grid_on_two_axes(count: int) -> None:
    with pytest.raises(ValueError, match=rf"^--num-samples needs a product .* got {count}$") as got:
        points(elastic_net.SWEEP, count, "grid", 0)
    suggested = int(str(got.value).split("such as ")[1].split(",")[0])
    assert len(points(elastic_net.SWEEP, suggested, "grid", 0)) == suggested


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("count", range(1, 7))
def test_batch_sizes_are_the_lessons_16_first(search: SearchName, count: int) -> None:
    found = points(batch_size.SWEEP, count, search, 0)
    assert len(set(found)) == count
    assert found[0] == (16,)
    assert set(found) <= {(2,), (4,), (8,), (16,), (32,), (64,)}
    assert all(type(value) is int for (value,) in found)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("count", [7, 100_000])
def test_more_batch_sizes_than_there_are_are_refused(search: SearchName, count: int) -> None:
    with pytest.raises(ValueError, match=rf"^--num-samples needs at most 6\b.*, got {count}$"):
        points(batch_size.SWEEP, count, search, 0)


def _emptiest(values: list[float], high: float) -> int:
    """Points in the emptiest of ten equal parts of the range."""
    return int(np.histogram(values, bins=10, range=(0, high))[0].min())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sweep", CONTINUOUS, ids=_name)
def test_quasi_random_points_leave_no_tenth_of_any_axis_empty(sweep: Sweep, seed: int) -> None:
    found = points(sweep, 50, "qmc", seed)
    for place, axis in enumerate(sweep.axes):
        assert _emptiest([point[place] for point in found[1:]], axis.high) >= 3


def test_quasi_random_points_cover_the_range_better_than_random_ones() -> None:
    def mean_gap(search: SearchName) -> float:
        gaps = [
            np.diff(np.sort(np.array(points(l2.SWEEP, 50, search, seed))[:, 0])).max()
            for seed in range(5)
        ]
        return float(np.mean(gaps))

    assert mean_gap("qmc") < 0.7 * mean_gap("random")


@pytest.mark.parametrize("search", SAMPLED)
def test_sampled_values_are_uniform_over_the_range(search: SearchName) -> None:
    values = np.array(points(dropout.SWEEP, 400, search, 0))[1:, 0]
    assert values.mean() == pytest.approx(0.5, abs=5 * (1 / 12 / 400) ** 0.5)
    assert (values > 0.9).mean() == pytest.approx(0.1, abs=0.075)


def _log_sweep(baseline: float = 0.0, decimals: int = 6) -> Sweep:
    axis = Axis(
        name="l2",
        label="λ",
        lesson=(baseline, 0.1),
        low=1e-4,
        high=0.1,
        log=True,
        decimals=decimals,
        baseline=baseline,
    )
    return Sweep(name="logarithmic", question="?", axes=(axis,))


@pytest.mark.parametrize("search", SAMPLED)
def test_a_log_range_has_as_many_samples_in_every_factor_of_ten(search: SearchName) -> None:
    found = points(_log_sweep(), 301, search, 0)
    assert found[0] == (0.0,)
    tens = np.histogram(np.log10([value for (value,) in found[1:]]), bins=3, range=(-4, -1))[0]
    assert tens.sum() == 300
    assert tens.min() > 70


@pytest.mark.parametrize("baseline", [0.0, 1e-4, 0.005, 0.1])
def test_a_log_grid_goes_by_factors_from_end_to_end_and_has_the_baseline(baseline: float) -> None:
    found = points(_log_sweep(baseline), 13, "grid", 0)
    assert found[0] == (baseline,)
    assert len(set(found)) == 13
    values = sorted(value for (value,) in found if value != baseline or baseline in (1e-4, 0.1))
    assert (values[0], values[-1]) == (1e-4, 0.1)
    if baseline in (0.0, 1e-4, 0.1):
        factors = np.divide(values[1:], values[:-1])
        assert factors == pytest.approx(np.full(len(factors), factors.mean()), rel=0.02)


def test_a_log_grid_finer_than_its_decimals_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^--num-samples needs at most \d+ for --search grid"):
        points(_log_sweep(decimals=4), 50, "grid", 0)


@pytest.mark.parametrize("low", [0.0, -1.0, 1e-7])
def test_a_log_range_that_begins_at_nothing_is_refused(low: float) -> None:
    with pytest.raises(ValueError, match=r"^axis l2: a log range needs a low end above 0"):
        Axis(name="l2", label="λ", lesson=(), low=low, high=1.0, log=True, decimals=6)
