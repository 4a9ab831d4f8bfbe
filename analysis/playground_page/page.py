"""The playground as one HTML page that needs nothing from outside.

The template (`page.html`) is filled by Jinja2, which escapes every text from the record; what the
slider moves goes along as JSON, from which the page's own scripts draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.playground_page.moved_values import moved_values, require_one_number
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord

MOST_BYTES = 5_000_000
_FOR_THE_PAGE = 100_000  # bytes of its text, style and scripts
_FOLDER = Path(__file__).parent
_SCRIPTS = ("networks.js", "drawing.js", "pictures.js", "page.js")


def playground_page(records: Sequence[SweepRecord], features: Sequence[str] = ()) -> str:
    """The page's text, at most `MOST_BYTES`, of sweeps of one number each.

    `features`: the two that span the plane; empty for the first two principal components. Raises
    `Stop` for a sweep that the page cannot hold.
    """
    for record in records:
        require_one_number(record)
    room = (MOST_BYTES - _FOR_THE_PAGE) // len(records)
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Jinja2's filter for JSON writes `<` so that no name can end the element.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    sweeps: list[dict[str, Any]] = [moved_values(record, features, room) for record in records]
    text = environment.get_template("page.html").render(
        sweeps=sweeps,
        style=_trusted("page.css"),
        script=Markup("\n").join(map(_trusted, _SCRIPTS)),
    )
    if (size := len(text.encode())) > MOST_BYTES:
        raise Stop(
            BAD_INPUT,
            f"the playground may take {MOST_BYTES / 1e6:.0f} MB, this one takes {size / 1e6:.1f}: "
            "give one sweep alone, of a smaller network or of fewer values",
        )
    return text


def _trusted(name: str) -> Markup:
    """The text of a file of this room, which no record can change."""
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))
