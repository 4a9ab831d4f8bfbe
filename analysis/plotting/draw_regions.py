"""Draws decision boundaries: a plane in the colours of the classes, mixed where models differ."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from analysis.plotting.draw_lines import COLORS, MARKERS
from analysis.plotting.region_panel import QUANTILES, RegionPanel

_PALE = 0.42  # of a class's colour in the plane; the rest is white


def draw_regions(ax: Axes, panel: RegionPanel) -> None:
    """The plane, the line where half of the models change, those of 5 and 95 %, and the rows."""
    colors = _colors(len(panel.classes))
    pale = 1 - _PALE * (1 - colors)  # (classes, 3)
    image = np.tensordot(panel.shares, pale, axes=(0, 0))  # (y, x, 3)
    step_x, step_y = panel.x[1] - panel.x[0], panel.y[1] - panel.y[0]
    ends = (
        *(panel.x[0] - step_x / 2, panel.x[-1] + step_x / 2),
        *(panel.y[0] - step_y / 2, panel.y[-1] + step_y / 2),
    )
    ax.imshow(image, origin="lower", extent=ends, aspect="auto", interpolation="bilinear")
    # Of two classes the second's line is the first's.
    classes = range(len(panel.classes) if len(panel.classes) > 2 else 1)
    for quantile, margins in zip(QUANTILES, panel.margins, strict=True):
        for margin in margins[classes]:
            _draw_zero(ax, panel, margin, half=quantile == 0.5)
    for number, (name, color) in enumerate(zip(panel.classes, colors, strict=True)):
        mine = [row for row in panel.rows if row.of == number]
        ax.plot(
            [row.x for row in mine],
            [row.y for row in mine],
            linestyle="none",
            marker=MARKERS[number % len(MARKERS)],
            markersize=4,
            color=color,
            markeredgecolor="white",
            markeredgewidth=0.4,
            label=name.replace("$", r"\$"),
        )
    several = panel.n > 1
    ax.plot([], [], color="0.1", label="half of the models change class" if several else "boundary")
    if several:
        ax.plot([], [], color="0.1", linestyle="dashed", linewidth=0.8, label="5 % and 95 % do")
    ax.set_xlim(panel.x[0], panel.x[-1])
    ax.set_ylim(panel.y[0], panel.y[-1])
    ax.grid(False)


def _draw_zero(ax: Axes, panel: RegionPanel, margin: NDArray[np.floating], half: bool) -> None:
    if not margin.min() < 0 < margin.max() or (panel.n == 1 and not half):
        return  # without a line Matplotlib warns; one model has no spread
    style, width = ("solid", 1.6) if half else ("dashed", 0.8)
    ax.contour(panel.x, panel.y, margin, [0], colors="0.1", linestyles=style, linewidths=width)


def _colors(classes: int) -> NDArray[np.float64]:
    """(classes, 3): those of series, and of more classes than there are such, others."""
    if classes <= len(COLORS):
        return np.array([to_rgb(color) for color in COLORS[:classes]])
    return np.array(matplotlib.colormaps["turbo"](np.linspace(0.05, 0.95, classes)))[:, :3]
