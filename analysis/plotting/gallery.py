"""Figures for people at a notebook: they show themselves, and can be saved."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from analysis.plotting.draw import STYLE, draw
from analysis.plotting.files import save
from analysis.plotting.panels import Plot

_DPI = 100  # of what a notebook shows


class Gallery(Sequence[Figure]):
    """Figures of matplotlib, drawn when they are asked for. `plots`: the values that they show."""

    def __init__(self, plots: Sequence[Plot]) -> None:
        self.plots = tuple(plots)

    def __len__(self) -> int:
        return len(self.plots)

    def __getitem__(self, place: int) -> Figure:  # type: ignore[override]  # no slices
        return draw(self.plots[place])

    def __iter__(self) -> Iterator[Figure]:
        return map(draw, self.plots)

    def __repr__(self) -> str:
        return f"Gallery of {', '.join(plot.name for plot in self.plots)}"

    def save(self, folder: str | Path) -> list[Path]:
        """Writes PNG, SVG and CSV of each into `folder`; their paths."""
        files = save(self.plots, Path(folder))
        return [path for paths in files.values() for path in paths]

    def _repr_html_(self) -> str:
        """All of them, for notebooks."""
        return "\n".join(map(_image, self.plots))


def _image(plot: Plot) -> str:
    content = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        draw(plot).savefig(content, format="png", dpi=_DPI)
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="{plot.name}" src="data:image/png;base64,{data}">'
