"""A panel as Plotly's traces: nothing is lost on the way, and nothing is left out unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from analysis.plotting.draw_plotly import MOST_SERIES, Drawing, draw_points
from analysis.plotting.panels import Dots, Level, LinePanel, Point, Remark, Series

POINTS = (Point(1.0, 90.0, 88.0, 93.0, 3), Point(2.0, 80.0, None, None, 1))
MODELS = (Dots("a=1", (0, 1, 2), (88.0, 90.0, 92.0)), Dots("a=2", (1,), (80.0,), diverged=2))
PANEL = LinePanel("title", "a < b", "y", (Series("a & b", POINTS, MODELS),), "points")


def _drawn(panel: LinePanel) -> Drawing:
    def of_point(series: Series, place: int) -> Sequence[str]:
        return (f"<{series.label}>", f"{series.points[place].y:g}")

    def of_model(series: Series, place: int, number: int) -> Sequence[str]:
        models = series.models[place]
        return (models.label, f"seed {models.seeds[number]}: {models.values[number]:g}")

    return draw_points(panel, of_point, of_model)


def test_every_model_and_every_point_is_a_mark_that_says_what_it_is() -> None:
    models, means = _drawn(PANEL).data
    assert models["y"] == [88.0, 90.0, 92.0, 80.0]
    assert models["text"][2:] == ["<b>a=1</b><br>seed 2: 92", "<b>a=2</b><br>seed 1: 80"]
    assert means["y"] == [90.0, 80.0]
    assert means["error_y"]["array"] == [3.0, None]
    assert means["error_y"]["arrayminus"] == [2.0, None]
    assert models["legendgroup"] == means["legendgroup"]


def test_labels_and_what_is_said_are_text_and_not_html() -> None:
    drawing = _drawn(PANEL)
    assert drawing.data[1]["name"] == "a &amp; b"
    assert drawing.data[1]["text"][0] == "<b>&lt;a &amp; b&gt;</b><br>90"
    assert drawing.layout["xaxis"]["title"]["text"] == "a &lt; b"


def test_points_without_models_lines_and_a_line_at_0() -> None:
    bare = replace(PANEL, series=(Series("a", POINTS),), joined=False, zero_line=True)
    drawing = _drawn(bare)
    (means,) = drawing.data
    assert means["mode"] == "markers"
    assert drawing.layout["yaxis"]["zeroline"] is True
    assert _drawn(PANEL).layout["yaxis"]["zeroline"] is False


@pytest.mark.parametrize(
    "changed",
    [
        {"style": "curve"},
        {"y_scale": "log"},
        {"levels": (Level("a", 1.0),)},
        {"remarks": (Remark(1.0, 1.0, "here"),)},
        {"y_limits": (50.0, 101.0)},
        {"missing": "no baseline"},
        {"series": (Series("a", ()),)},
        {"series": PANEL.series * (MOST_SERIES + 1)},
    ],
)
def test_what_cannot_be_drawn_whole_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs"):
        _drawn(replace(PANEL, **changed))
