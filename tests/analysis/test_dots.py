"""Dots in rows: each has a place of its own, near its value, whatever the values are."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.plotting.draw_dots import stack

VALUES = {
    "continuous": np.random.default_rng(0).normal(94, 3, 1000).clip(0, 100),
    "steps": np.round(np.random.default_rng(1).normal(94, 3, 1000) * 0.3).clip(0, 30) / 0.3,
    "equal": np.full(500, 96.7),
    "one": np.array([93.3]),
    "two": np.array([100.0, 0.0]),
}


@pytest.mark.parametrize("across", [1, 4, 15])
@pytest.mark.parametrize("name", list(VALUES))
def test_every_dot_has_a_place_of_its_own_near_its_value(name: str, across: int) -> None:
    values, size = VALUES[name], 0.1
    ends = (float(values.min()), float(values.max()))
    places = stack(values, ends, size, across)
    assert places.shape == (len(values), 2)
    column = np.round((places[:, 0] - ends[0]) / size)
    assert places[:, 0] == pytest.approx(ends[0] + column * size)
    assert len({(x, y) for x, y in zip(column, places[:, 1], strict=True)}) == len(values)
    assert np.abs(places[:, 0] - values).max() <= across * size / 2 + 1e-9
    if ends[1] - ends[0] > across * size:
        assert places[:, 0].min() >= ends[0] - size / 2
        assert places[:, 0].max() <= ends[1] + size / 2
    # No gaps: a column's dots stand on one another from the base on.
    for one in np.unique(column):
        assert sorted(places[column == one, 1]) == list(range((column == one).sum()))


def test_equal_values_become_a_block_where_columns_are_allowed() -> None:
    values = np.concatenate([VALUES["equal"], [90.0, 99.0]])
    heights = [stack(values, (90.0, 99.0), 0.1, across)[:, 1].max() + 1 for across in (1, 5, 10)]
    assert heights[0] == 500
    assert heights[1] <= 130
    assert heights[2] <= 65
