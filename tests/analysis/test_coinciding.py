"""Lines that nobody could tell apart are drawn once, and said to be several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.plotting.coinciding import drawn_once
from analysis.plotting.draw import draw
from analysis.plotting.draw_plotly import draw_points
from analysis.plotting.layout import lay_out
from analysis.plotting.panels import LinePanel, Plot, Point, Series
from support.legible import texts

X = np.linspace(0, 1, 6)
BASE = 90 + 5 * np.sin(X * 3)


def line(label: str, y: Any = BASE, half: float = 0.5, diverged: int = 0) -> Series:
    pairs = zip(X, y, strict=True)
    points = (Point(float(a), float(b), b - half, b + half, 9, diverged) for a, b in pairs)
    return Series(label, tuple(points))


def panel(*series: Series, title: str = "test", style: Any = "points") -> LinePanel:
    return LinePanel(title, "λ", "accuracy (%)", series, style)


def labels(found: LinePanel) -> list[list[str]]:
    (laid,) = lay_out([found]).panels
    return [[one.series.label, *(other.label for other in one.others)] for one in laid.drawn]


def test_every_series_is_drawn_or_said_to_lie_on_one_that_is() -> None:
    lines = [line("0"), line("1", BASE + 0.01), line("2", BASE - 2), line("3", BASE - 2.01)]
    both = panel(*lines)
    assert labels(both) == [["0", "1"], ["2", "3"]]
    layout = lay_out([both])
    assert layout.notes == (
        "test: one line for 0 and 1, which coincide: nowhere more than 0.01 apart",
        "test: one line for 2 and 3, which coincide: nowhere more than 0.01 apart",
    )
    assert layout.legend == {"0": "0 = 1", "2": "2 = 3"}
    assert len(both.table()) == 4 * len(X)  # the numbers of all are there


def test_of_lines_that_are_equal_no_distance_is_said() -> None:
    (note,) = lay_out([panel(line("0"), line("1"), line("2", BASE - 2))]).notes
    assert note == "test: one line for 0 and 1, which are equal"


@pytest.mark.parametrize("style", ["points", "curve"])
def test_paper_and_page_draw_the_same_lines(style: Any) -> None:
    found = panel(line("0"), line("1", BASE + 0.01), line("2", BASE - 2), style=style)
    figure = draw(Plot("name", "title", "", (found,)))
    handles, names = figure.axes[0].get_legend_handles_labels()
    assert names == ["0", "2"]
    assert len(handles) == 2
    shown = [text.get_text() for text in texts(figure)]
    assert "0 = 1" in shown
    assert any("one line for 0 and 1" in text for text in shown)
    if style == "points":
        drawing = draw_points(found, lambda one, _: (one.label,), lambda *_: ())
        assert [trace["name"] for trace in drawing.data] == ["0 = 1", "2"]
        assert drawing.data[0]["text"][0] == "<b>0</b><br><b>1</b>"
        assert any("one line for 0 and 1" in note for note in drawing.notes)


@pytest.mark.parametrize(
    "other",
    [
        line("wider", half=1.5),
        line("apart at one place", BASE + 0.5 * (X[2] == X)),
        line("models diverged", diverged=1),
        Series("of fewer points", line("").points[:-1]),
        Series("at other values", tuple(p._replace(x=p.x + 0.01) for p in line("").points)),
        Series("without interval", tuple(p._replace(low=None, high=None) for p in line("").points)),
    ],
    ids=lambda one: one.label,
)
def test_what_can_be_told_apart_is_drawn(other: Series) -> None:
    assert labels(panel(line("0"), other)) == [["0"], [other.label]]


def test_a_chain_of_small_steps_does_not_make_one_line_of_lines_far_apart() -> None:
    chain = [line(str(step), BASE + 0.02 * step) for step in range(40)]
    for one in drawn_once(panel(*chain), 10.0):
        assert all(abs(o.points[0].y - one.series.points[0].y) <= 0.05 for o in one.others)
        assert one.apart <= 0.05


def test_a_line_that_one_panel_draws_keeps_its_own_place_in_the_legend() -> None:
    test = panel(line("0"), line("1"))
    train = panel(line("0", BASE + 1), line("1", BASE - 3), title="train")
    layout = lay_out([test, train])
    assert layout.legend == {"0": "0", "1": "1"}
    assert layout.notes == ("test: one line for 0 and 1, which are equal",)
    figure = draw(Plot("name", "title", "", (test, train)))
    assert [len(ax.get_legend_handles_labels()[1]) for ax in figure.axes] == [1, 2]


def test_labels_that_are_too_long_together_are_counted_in_the_legend_and_named_below() -> None:
    names = [f"a sweep with a long name, number {number}" for number in range(3)]
    layout = lay_out([panel(*map(line, names))])
    assert layout.legend == {names[0]: f"{names[0]} (+ 2)"}
    assert all(name in layout.notes[0] for name in names)


def test_the_distance_that_is_said_is_never_less_than_it_is() -> None:
    for apart in np.random.default_rng(0).uniform(1e-5, 0.02, 200):
        (laid,) = lay_out([panel(line("0"), line("1", BASE + apart))]).panels
        (one,) = laid.drawn
        (note,) = lay_out([panel(line("0"), line("1", BASE + apart))]).notes
        said = float(note.split("more than ")[1].split()[0])
        assert one.apart <= said <= 1.1 * one.apart + 1e-9
