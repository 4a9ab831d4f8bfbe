"""The lesson's figures beside ours: the plots of the analysis scripts, with what each shows."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import matplotlib

from analysis.claims_of_lesson.lesson_sweeps import SETTINGS
from analysis.figures.concept_figures import activations, batches
from analysis.figures.of_sweeps import FIGURES
from analysis.figures.penalty_figure import penalties
from analysis.figures.readings import (
    batches_reading,
    weights_reading,
)
from analysis.figures.weight_figure import of_penalties, weights
from analysis.plotting.draw import STYLE, draw
from analysis.plotting.panels import LinePanel, Plot, Series
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord

_MOST_POINTS = 250  # of a drawn line: closer than half a millimetre is not seen, and costs bytes
_MOST_COLUMNS = 2  # of panels: with more, letters are too small at a page's width
_NO_DATE = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # else pages of equal data differ


class Figure(NamedTuple):
    """A figure of the lesson and ours.

    `lesson`: what the lesson's figure showed; `ours`: what the record says; `method`: n and how
    the intervals came about; `notes`: what else a reader must know; `runs`: the sweeps' run ids;
    `source`: the image as a `data:` address, empty when `missing` says why there is none.
    """

    name: str
    title: str
    lesson: str
    ours: str
    method: str
    notes: tuple[str, ...]
    runs: tuple[str, ...]
    source: str
    width: int
    height: int
    missing: str


def lesson_figures(records: Mapping[str, SweepRecord]) -> list[Figure]:
    """All figures, those of the ideas first; a missing sweep's figures say so.

    Raises `Stop` for figures declared for a role that no sweep can play.
    """
    found = [_shapes(), *_ideas(records)]
    for role in FIGURES:
        figures = [figure for figure in FIGURES[role] if figure.lesson]
        record = records.get(role)
        if figures and role not in SETTINGS:
            known = ", ".join(SETTINGS)
            raise Stop(BAD_INPUT, f"a figure of the report needs a role among {known}, got {role}")
        if figures and record is None:
            missing = f"no sweep '{role}' was read"
            found.append(Figure(role, role, "", "", "", (), (), "", 0, 0, missing))
        elif record is not None:
            found += [_figure(one.draw(record), one.lesson, one.reading(record)) for one in figures]
    return found


def _shapes() -> Figure:
    return _figure(
        penalties(),
        "A diamond and a circle of equal penalty, and what a step costs: from 1.5 to 1.4 a weight "
        "saves about 0.3 under w², from 0.2 to 0.1 only 0.03, and 0.1 both times under |w|.",
        "The same shapes and the same savings, computed, with contours of a made-up loss that show "
        "why the corners matter; no data in this figure.",
    )


def _ideas(records: Mapping[str, SweepRecord]) -> list[Figure]:
    penalised = of_penalties(records)
    batched = records.get("batch_size")
    return [
        _drawn(
            "What dropout does to a network",
            lambda: activations(records.get("dropout")),
            "A sketch of a network with some hidden units crossed out in training.",
            "The units of a model that the sweep trained, with a mask drawn as training draws it.",
        ),
        _drawn(
            "Sparse or distributed weights",
            lambda: weights(penalised),
            "A sketch: many weights at zero (sparse) beside many small ones (distributed).",
            weights_reading(penalised),
        ),
        _drawn(
            "How rows fall into mini-batches",
            lambda: batches(batched),
            "A sketch of data cut into batches, the last one not full.",
            batches_reading(batched) if batched else "",
        ),
    ]


def _drawn(title: str, make: Callable[[], Plot], lesson: str, ours: str) -> Figure:
    """The figure, or why this record has not what it takes."""
    try:
        return _figure(make(), lesson, ours)
    except Stop as stop:
        name = title.lower().replace(" ", "-")
        return Figure(name, title, lesson, "", "", (), (), "", 0, 0, str(stop))


def _figure(plot: Plot, lesson: str, ours: str) -> Figure:
    source, width, height = image(plot)
    return Figure(
        name=plot.name,
        title=plot.title,
        lesson=lesson,
        ours=ours,
        method=plot.subtitle,
        notes=plot.notes,
        runs=plot.run_ids,
        source=source,
        width=width,
        height=height,
        missing="",
    )


def image(plot: Plot) -> tuple[str, int, int]:
    """The plot as an SVG in a `data:` address, and its width and height in CSS pixels.

    An image of its own, not part of the page: Matplotlib gives equal ids to things in different
    figures, and styles for all of the document that they stand in; and nothing in an image runs.
    """
    text = io.StringIO()
    if plot.columns is None and len(plot.panels) > _MOST_COLUMNS:
        plot = replace(plot, columns=_MOST_COLUMNS)
    with matplotlib.rc_context(STYLE):
        figure = draw(thinned(plot, _MOST_POINTS))
        figure.savefig(text, format="svg", metadata=_NO_DATE)
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    encoded = base64.b64encode(text.getvalue().encode()).decode()
    return f"data:image/svg+xml;base64,{encoded}", width, height


def thinned(plot: Plot, most: int) -> Plot:
    """The plot with at most `most` points in each curve, evenly spread, first and last kept."""
    return replace(
        plot,
        panels=tuple(
            replace(panel, series=tuple(_every(one, most) for one in panel.series))
            if isinstance(panel, LinePanel) and panel.style == "curve"
            else panel
            for panel in plot.panels
        ),
    )


def _every(series: Series, most: int) -> Series:
    count = len(series.points)
    if count <= most:
        return series
    places = [round(number * (count - 1) / (most - 1)) for number in range(most)]
    return series._replace(points=tuple(series.points[place] for place in places))
