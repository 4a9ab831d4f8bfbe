"""Draws what is laid out over two axes: heat maps, coloured scatters, mini-batches."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from analysis.plotting.panels import BlockPanel, Cell, MapPanel
from analysis.plotting.wording import plus_minus

Color = tuple[float, float, float, float]

_MOST_NUMBERS = 8  # a heat map with more cells a side has no room for numbers in them
_MARKS = {1: "^", 0: "o", -1: "v"}
_SIDES = {1: "interval above 0", 0: "interval includes 0 (grey)", -1: "interval below 0"}
_GREY = (0.88, 0.88, 0.88, 1.0)


def draw_map(ax: Axes, panel: MapPanel) -> None:
    """Cells as a heat map with numbers, a scatter, or an image, with their colour bar."""
    ax.grid(False)
    values = np.array([cell.value for cell in panel.cells])
    if panel.limits:
        colors, norm = matplotlib.colormaps["cividis"], Normalize(*panel.limits)
    elif panel.signed:
        reach = max(float(np.abs(values).max()), panel.least, 1e-9)
        colors, norm = matplotlib.colormaps["PuOr"], Normalize(-reach, reach)
    else:
        colors, norm = matplotlib.colormaps["cividis"], Normalize(values.min(), values.max())
    mappable = matplotlib.cm.ScalarMappable(norm, colors)
    if panel.style == "scatter":
        _draw_scatter(ax, panel, mappable)
    else:
        _draw_grid(ax, panel, mappable)
    bar = ax.figure.colorbar(mappable, ax=ax, pad=0.02)
    bar.set_label(panel.value_label)


def _draw_scatter(ax: Axes, panel: MapPanel, mappable: matplotlib.cm.ScalarMappable) -> None:
    for mark, marker in _MARKS.items():
        cells = [cell for cell in panel.cells if cell.mark == mark]
        if not cells:
            continue
        ax.scatter(
            [cell.x for cell in cells],
            [cell.y for cell in cells],
            c=[_color(cell, panel, mappable) for cell in cells],
            marker=marker if panel.signed else _MARKS[0],
            s=60,
            edgecolors="0.2",
            linewidths=0.7,
            label=_SIDES[mark] if panel.signed else None,
            clip_on=False,
        )


def _color(cell: Cell, panel: MapPanel, mappable: matplotlib.cm.ScalarMappable) -> Color:
    """That of its value, or grey where it is not told apart from what it is held against."""
    if panel.grey and cell.mark == 0:
        return _GREY
    red, green, blue, opacity = mappable.to_rgba(np.array(cell.value))
    return red, green, blue, opacity


def _draw_grid(ax: Axes, panel: MapPanel, mappable: matplotlib.cm.ScalarMappable) -> None:
    xs, ys = sorted({cell.x for cell in panel.cells}), sorted({cell.y for cell in panel.cells})
    colors = np.zeros((len(ys), len(xs), 4))  # where there is no cell nothing is seen
    for cell in panel.cells:
        colors[ys.index(cell.y), xs.index(cell.x)] = _color(cell, panel, mappable)
    image = ax.imshow(colors, origin="lower", aspect="auto", interpolation="nearest")
    if panel.style == "image":
        image.set_extent((xs[0] - 0.5, xs[-1] + 0.5, ys[0] - 0.5, ys[-1] + 0.5))
        return
    ax.set_xticks(range(len(xs)), _texts(xs, panel.x_names))
    ax.set_yticks(range(len(ys)), _texts(ys, panel.y_names))
    if panel.y_names:
        ax.invert_yaxis()
    ax.tick_params(length=0)
    if max(len(xs), len(ys)) > _MOST_NUMBERS:
        return
    for cell in panel.cells:
        red, green, blue, _ = _color(cell, panel, mappable)
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        ax.text(
            xs.index(cell.x),
            ys.index(cell.y),
            _cell_text(cell, "+.2" if panel.signed else f".{panel.decimals}"),
            size=9,
            ha="center",
            va="center",
            color="white" if dark else "black",
        )


def _texts(values: Sequence[float], names: Sequence[str]) -> list[str]:
    if not names:
        return [f"{value:g}" for value in values]
    return [textwrap.shorten(names[int(value)], 16, placeholder="…") for value in values]


def _cell_text(cell: Cell, form: str) -> str:
    if cell.words:
        return cell.words
    text = plus_minus((cell.value, cell.low, cell.high), form, "\n")
    return text + (" ×" if cell.diverged else "")


def draw_blocks(ax: Axes, panel: BlockPanel) -> None:
    """Mini-batches as boxes along the rows; those that drop_last leaves out hatched."""
    sizes = sorted({block.batch_size for block in panel.blocks})
    ax.set_xlim(0, max(block.stop for block in panel.blocks))
    last = max(block.stop for block in panel.blocks)
    for block in panel.blocks:
        ax.add_patch(
            Rectangle(
                (block.start, sizes.index(block.batch_size) - 0.36),
                block.stop - block.start,
                0.72,
                facecolor="white" if block.left_out else "#9db4d6",
                edgecolor="0.15",
                linewidth=0.8,
                hatch="////" if block.left_out else None,
            )
        )
    for place, size in enumerate(sizes):
        mine = [block for block in panel.blocks if block.batch_size == size]
        full = sum(not block.left_out for block in mine)
        out = sum(block.stop - block.start for block in mine if block.left_out)
        text = f"{full} update{'s' if full > 1 else ''}" + (f", {out} rows left out" if out else "")
        ax.text(last * 1.015, place, text, va="center", size=9)
    ax.set_yticks(range(len(sizes)), [str(size) for size in sizes])
    ax.set_xticks([tick for tick in MaxNLocator(4).tick_values(0, last) if 0 <= tick <= last])
    ax.set_xlim(0, last * 1.32)
    ax.set_ylim(-0.6, len(sizes) - 0.4)
    ax.grid(False)
