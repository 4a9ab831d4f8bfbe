"""How much of y a panel shows: the lines where they differ, and nothing larger than it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from analysis.plotting.draw import draw
from analysis.plotting.draw_plotly import draw_points
from analysis.plotting.layout import lay_out
from analysis.plotting.panels import (
    Cell,
    Dots,
    LinePanel,
    MapPanel,
    Plot,
    Point,
    Series,
    Span,
    SpanPanel,
    SpanSeries,
)
from analysis.plotting.y_ranges import y_ranges
from support.legible import require_legible, texts
from trainables.y_range import STRIP_SAYS, YRange

RATES = np.arange(11) / 10
# As the lesson's dropout rates: little happens up to 0.9, nothing is learned at 1.
ACCURACY = np.array([96.0, 96.1, 95.9, 95.8, 95.4, 95.0, 94.1, 92.8, 90.0, 86.0, 33.3])


def series(label: str, y: Any, x: Any = RATES, half: float = 0.2) -> Series:
    points = zip(x, y, strict=True)
    return Series(label, tuple(Point(float(a), float(b), b - half, b + half, 9) for a, b in points))


def panel(*lines: Series, **more: Any) -> LinePanel:
    return LinePanel("test accuracy", "rate", "accuracy (%)", lines, "points", **more)


def drawn(*panels: LinePanel) -> list[Axes]:
    figure = draw(Plot("name", "title", "subtitle", panels))
    require_legible(figure)
    return figure.axes


def only(found: list[YRange | None]) -> YRange:
    (one,) = found
    assert one is not None
    return one


def test_a_value_at_which_nothing_is_learned_does_not_squash_the_others() -> None:
    test = panel(series("training", ACCURACY + 1), series("test", ACCURACY))
    found = only(y_ranges([test]))
    low, high = found.shown
    assert 80 < low < 85.8
    assert 97.2 < high < 100
    assert found.whole is not None
    assert found.whole[0] < 33.1
    above, strip = drawn(test)
    assert above.get_ylim() == pytest.approx(found.shown)
    assert strip.get_ylim() == pytest.approx(found.whole)
    # Nothing is lost: the strip has every value, and x stands in the same places.
    assert strip.get_xlim() == above.get_xlim()
    assert {np.size(line.get_xdata()) for line in strip.lines} == {11}
    figure = draw(Plot("name", "title", "subtitle", (test,)))
    assert any(STRIP_SAYS[:30] in text.get_text() for text in texts(figure))


def test_a_page_has_the_same_range_and_the_same_strip() -> None:
    test = panel(series("training", ACCURACY + 1), series("test", ACCURACY))
    found = only(y_ranges([test]))
    drawing = draw_points(test, lambda *_: ("said",), lambda *_: ("said",))
    assert drawing.layout["yaxis"]["range"] == list(found.shown)
    assert drawing.layout["yaxis2"]["range"] == list(found.whole or ())
    assert drawing.layout["yaxis"]["domain"][0] > drawing.layout["yaxis2"]["domain"][1]
    strip = [trace for trace in drawing.data if trace.get("yaxis") == "y2"]
    assert [trace["y"] for trace in strip] == [list(np.round(ACCURACY + one, 3)) for one in (1, 0)]
    assert drawing.notes == (STRIP_SAYS,)


def test_models_behind_points_are_in_the_strip_whole_and_above_for_the_most_part() -> None:
    spread = np.concatenate([[40.0, 60.0], np.linspace(90, 99, 38), [100.0, 100.0]])
    flat = series("test", np.full(3, 95.0), (0.0, 1.0, 2.0))
    models = Dots("a", tuple(range(42)), tuple(spread))
    test = panel(flat._replace(models=(models,) * 3))
    found = only(y_ranges([test]))
    assert 85 < found.shown[0] < 92
    assert found.whole is not None
    assert found.whole[0] < 40
    drawing = draw_points(test, lambda *_: ("said",), lambda *_: ("said",))
    (strip,) = (trace for trace in drawing.data if trace.get("yaxis") == "y2")
    assert strip["error_y"]["arrayminus"] == [55.0] * 3


@pytest.mark.parametrize("spread", [0.0, 0.05, 1.0, 30.0])
def test_a_difference_axis_is_never_narrower_than_a_test_row_is_worth(spread: float) -> None:
    """Whatever the differences, 30 test rows and 10 seeds make steps of a third of a point."""
    worth = 100 / 30 / 10
    y = spread * np.sin(np.arange(11))
    difference = panel(series("test − baseline", y, half=spread / 10), zero_line=True, least=worth)
    low, high = only(y_ranges([difference])).shown
    assert low <= -worth
    assert high >= worth
    assert low <= min(y)
    (ax,) = drawn(difference)
    assert ax.get_ylim() == pytest.approx((low, high))
    drawing = draw_points(difference, lambda *_: ("said",), lambda *_: ("said",))
    assert drawing.layout["yaxis"]["range"] == [low, high]


def test_the_same_holds_for_rows_of_differences_and_for_the_colours_of_maps() -> None:
    spans = (Span("a", 0.01, 0.0, 0.02), Span("b", -0.01, -0.02, 0.0))
    rows = SpanPanel("", "", "", ("a", "b"), (SpanSeries("d", spans),), zero_line=True, least=0.5)
    low, high = draw(Plot("name", "title", "", (rows,))).axes[0].get_xlim()
    assert low <= -0.5
    assert high >= 0.5
    cells = tuple(Cell(x, y, 0.01, mark=1) for x in (0.0, 1.0) for y in (0.0, 1.0))
    grid = MapPanel("", "", "", "points", cells, "grid", signed=True, least=0.5)
    bar = draw(Plot("name", "title", "", (grid,))).axes[1]
    assert bar.get_ylim() == pytest.approx((-0.5, 0.5))


def test_panels_of_one_label_can_be_compared_and_zero_is_on_those_that_have_a_line() -> None:
    test = panel(series("a", np.linspace(90, 95, 11)))
    train = panel(series("a", np.linspace(93, 99, 11)))
    gap = replace(panel(series("a", np.linspace(3, 4, 11)), zero_line=True), y_label="points")
    one, two, three = y_ranges([test, train, gap])
    assert one == two
    assert three is not None
    assert three.shown[0] < 0 < 3.8 < three.shown[1]


def curves(**ends: float) -> tuple[Series, ...]:
    """Lines that learn from 33 % on."""
    epochs = np.arange(1, 1001)
    return tuple(
        series(name, end - (end - 33) * np.exp(-epochs / 40), epochs) for name, end in ends.items()
    )


def test_curves_are_shown_where_they_end_up_and_their_start_is_in_the_strip() -> None:
    learning = LinePanel("", "epoch", "accuracy (%)", curves(a=96.0, b=95.0, c=93.0), "curve")
    found = only(y_ranges([learning]))
    assert 91 < found.shown[0] < 93
    assert found.whole is not None
    assert found.whole[0] < 35
    assert y_ranges([replace(learning, y_limits=(0.0, 100.0))]) == [None]


def test_a_line_that_never_learns_is_named_where_it_cannot_be_seen() -> None:
    flat = series("too strong", np.full(1000, 33.3), np.arange(1, 1001))
    lines = (*curves(a=96.0, b=95.0, c=93.0), flat)
    layout = lay_out([LinePanel("test", "epoch", "accuracy (%)", lines, "curve")])
    assert layout.panels[0].y is not None
    assert layout.panels[0].y.shown[0] > 90
    said = "test: beyond what the panel shows, so in its strip alone: too strong"
    assert layout.notes == (STRIP_SAYS, said)


@pytest.mark.parametrize("x_scale", ["log", "symlog"])
def test_a_path_over_a_log_scale_is_whole(x_scale: Any) -> None:
    """Its late part is where a penalty has made everything equal: nothing to enlarge."""
    path = series("weight", np.exp(-np.arange(11)), 10.0 ** np.arange(-5, 6), half=0)
    whole = LinePanel("", "λ", "weight", (path,), "curve", x_scale=x_scale)
    found = only(y_ranges([whole]))
    assert found.whole is None or found.shown[1] >= 0.3


@pytest.mark.parametrize("y", [[], [5.0], [5.0, 5.0]])
def test_what_has_no_height_is_left_to_the_drawing(y: list[float]) -> None:
    flat = panel(series("a", y, range(len(y)), half=0.0))
    assert y_ranges([flat]) == [None]
    assert draw(Plot("name", "title", "", (flat,)))
