"""Text around a figure, broken into lines by the width of its letters."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

_POINTS = 72  # in an inch
_ROUNDING = 1.1  # a letter's width in whole pixels over its true one, on a coarse screen
_NARROWEST = 0.4  # mean width of letters of any text, as a share of the font's size


def wrapped(text: str, room: float, **font: Any) -> list[str]:
    """The lines of `text`, none wider than `room` inches; `font`: size in points, weight.

    Letters are measured, not counted: in as many of them a line of digits is a fifth wider than
    one of words.
    """
    properties = FontProperties(**font)
    size = properties.get_size_in_points()
    most = max(1, int(room * _POINTS / (_NARROWEST * size)))
    while True:
        lines = textwrap.wrap(text, most, break_on_hyphens=False)
        widest = max((_width(line, properties) for line in lines), default=0.0)
        if widest <= room * _POINTS or most == 1:
            return lines
        # At once to about where it fits: a letter less at a time would take many tries.
        most = max(1, min(most - 1, int(most * room * _POINTS / widest)))


def _width(line: str, properties: FontProperties) -> float:
    """In points, at the most."""
    width, _, _ = TextToPath().get_text_width_height_descent(line, properties, ismath=False)
    return _ROUNDING * float(width)
