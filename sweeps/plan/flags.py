"""Flags that take any text: what is not a number is refused later, with all other errors."""

from __future__ import annotations

from typing import Annotated, Any

import tyro


def _read_number(words: list[str]) -> Any:
    """A number where the text is one, else the text: it is refused later, with all other errors."""
    text = words[0]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and "." not in text else value  # 1e9 is whole


def _show_number(value: Any) -> list[str]:
    return ["automatic" if value is None else f"{value:g}"]


_lenient: tyro.constructors.PrimitiveConstructorSpec[Any] = (
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="N",
        instance_from_str=_read_number,
        is_instance=lambda _: True,
        str_from_instance=_show_number,
    )
)
# A flag that may stand alone. Several words are kept as one, which is refused later.
NEWEST = "newest"
PERHAPS_RUN_ID: tyro.constructors.PrimitiveConstructorSpec[str | None] = (
    tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar="[RUN_ID]",
        instance_from_str=lambda words: " ".join(words) or NEWEST,
        is_instance=lambda _: True,
        str_from_instance=lambda value: ["no"] if value is None else [value],
    )
)
# From where to where, as two numbers.
MAYBE_SPAN: tyro.constructors.PrimitiveConstructorSpec[Any] = (
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=2,
        metavar="FROM TO",
        instance_from_str=lambda words: tuple(_read_number([word]) for word in words),
        is_instance=lambda _: True,
        str_from_instance=lambda value: ["own"] if value is None else [f"{one:g}" for one in value],
    )
)
# `Annotated` keeps the types for the type checker while any text passes the parser.
Whole = Annotated[int, _lenient]
Number = Annotated[float, _lenient]
MaybeWhole = Annotated[int | None, _lenient]
MaybeNumber = Annotated[float | None, _lenient]
