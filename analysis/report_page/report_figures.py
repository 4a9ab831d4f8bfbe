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
from analysis.plotting.file_names import file_name
from analysis.plotting.panels import LinePanel, Plot, Series
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord

_MOST_POINTS = 250  # of a drawn line: closer than half a millimetre is not seen, and costs bytes
_MOST_COLUMNS = 2  # of panels: with more, letters are too small at a page's width
IDEAS = "ideas"  # the role of a figure that is of no sweep
_NARROW = 3.75  # inches, 360 pixels: a phone's page between its margins
_NO_DATE = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # else pages of equal data differ


class Image(NamedTuple):
    """An SVG as a `data:` address, with its size in CSS pixels."""

    source: str
    width: int
    height: int


class Figure(NamedTuple):
    """A figure of the lesson and ours.

    `role`: of the sweep that it is of, or of that which its idea belongs to. `kind`: what it shows,
    the same for all sweeps. `lesson`: what the lesson's figure showed; `ours`: what the record
    says; `method`: n and how the intervals came about; `notes`: what else a reader must know;
    `runs`: the sweeps' run ids. `wide` and `narrow` are None when `missing` says why there is none.
    """

    role: str
    kind: str
    title: str
    lesson: str = ""
    ours: str = ""
    method: str = ""
    notes: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    wide: Image | None = None
    narrow: Image | None = None
    missing: str = ""


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
            found.append(Figure(role, "missing", role, missing=missing))
        elif record is not None:
            found += [
                _figure(role, one.draw(record), one.lesson, one.reading(record)) for one in figures
            ]
    return found


def _shapes() -> Figure:
    return _figure(
        IDEAS,
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
            "dropout",
            "What dropout does to a network",
            lambda: activations(records.get("dropout")),
            "A sketch of a network with some hidden units crossed out in training.",
            "The units of a model that the sweep trained, with a mask drawn as training draws it.",
        ),
        _drawn(
            "l1",
            "Sparse or distributed weights",
            lambda: weights(penalised),
            "A sketch: many weights at zero (sparse) beside many small ones (distributed).",
            weights_reading(penalised),
        ),
        _drawn(
            "batch_size",
            "How rows fall into mini-batches",
            lambda: batches(batched),
            "A sketch of data cut into batches, the last one not full.",
            batches_reading(batched) if batched else "",
        ),
    ]


def _drawn(role: str, title: str, make: Callable[[], Plot], lesson: str, ours: str) -> Figure:
    """The figure, or why this record has not what it takes."""
    try:
        return _figure(role, make(), lesson, ours)
    except Stop as stop:
        return Figure(role, title.lower(), title, lesson, missing=str(stop))


def _figure(role: str, plot: Plot, lesson: str, ours: str) -> Figure:
    prefix = f"{file_name(SETTINGS[role].sweep)}_" if role in SETTINGS else ""
    alone = replace(plot, title="", subtitle="", notes=())  # the page has them as text
    return Figure(
        role=role,
        kind=plot.name.removeprefix(prefix),
        title=plot.title,
        lesson=lesson,
        ours=ours,
        method=plot.subtitle,
        notes=plot.notes,
        runs=plot.run_ids,
        wide=image(alone),
        narrow=image(alone, _NARROW),
    )


def image(plot: Plot, narrow: float | None = None) -> Image:
    """The plot as an image; `narrow`: inches, for a small screen.

    An image of its own, not part of the page: Matplotlib gives equal ids to things in different
    figures, and styles for all of the document that they stand in; and nothing in an image runs.
    """
    text = io.StringIO()
    if plot.columns is None and len(plot.panels) > _MOST_COLUMNS:
        plot = replace(plot, columns=_MOST_COLUMNS)
    with matplotlib.rc_context(STYLE):
        figure = draw(thinned(plot, _MOST_POINTS), narrow)
        figure.savefig(text, format="svg", metadata=_NO_DATE)
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    encoded = base64.b64encode(text.getvalue().encode()).decode()
    return Image(f"data:image/svg+xml;base64,{encoded}", width, height)


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
