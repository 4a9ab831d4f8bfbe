"""Whether a figure can be read: letters large enough, everything on it, nothing on top."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text


def texts(figure: Figure) -> list[Text]:
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    assert all(isinstance(text, Text) for text in found)
    return [text for text in found if isinstance(text, Text)]


def require_legible(figure: Figure) -> None:
    shown = texts(figure)
    assert min(float(text.get_fontsize()) for text in shown) >= 9
    width, height = figure.get_size_inches() * figure.dpi
    own = [text.get_window_extent() for text in figure.texts]
    panels = [ax.get_tightbbox() for ax in figure.axes]
    legends = [legend.get_window_extent() for legend in figure.legends]
    boxes = [box for box in (*own, *panels, *legends) if box is not None]
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
