"""How text stands in the terminal: lines of at most 80 columns, tables and commands whole."""

from __future__ import annotations

import shutil
import sys
import textwrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDTH = 80
_COMMAND = ":  "  # a line's command follows this
_NO_EDGE = 10_000  # columns


def wrapped(text: str, indent: str = "") -> str:
    """`text` in lines of at most 80 columns, those after the first indented; words stay whole."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def tell(text: str) -> None:
    """A line on stderr, which a terminal breaks between words; one with a command stays whole."""
    if sys.stderr.isatty() and _COMMAND not in text:
        columns = shutil.get_terminal_size().columns
        text = textwrap.fill(
            text, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    sys.stdout.flush()  # what was printed before it stands before it, also in one file
    print(text, file=sys.stderr)


def new_table(title: str) -> Table:
    """A table without columns that is as wide as these need."""
    return Table(
        title=title,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        show_edge=False,
    )


def print_table(table: Table) -> None:
    """Prints the table whole: a terminal that is narrower breaks its lines."""
    console = Console()
    console.width = max(console.width if console.is_terminal else WIDTH, width_of(table))
    console.print(table, markup=False, highlight=False)


def width_of(table: Table) -> int:
    """The columns that the table's cells need."""
    console = Console(width=_NO_EDGE)
    return console.measure(table).maximum
