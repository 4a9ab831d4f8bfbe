"""Options given by name from Python, checked as the command line checks its flags."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sweeps.plan.flags import NEWEST
from sweeps.plan.options import SearchOptions, flag_of
from trainables.declaration import did_you_mean, shown

# They record nothing that a caller could be given.
_FOR_COMMANDS = ("dry_run", "smoke_test")


def read_named(usual: SearchOptions, named: Mapping[str, Any]) -> tuple[SearchOptions, list[str]]:
    """`usual` with the options `named`, and a line for each that there is not or cannot be.

    None leaves an option as it is in `usual`. Numbers out of range are not looked for: that is what
    `sweeps.plan.options.problems` does, as for flags.
    """
    known = [each.name for each in fields(usual)]
    kinds = get_type_hints(type(usual))
    values: dict[str, Any] = {}
    wrong = []
    for name, value in named.items():
        if name not in known:
            wrong.append(f"there is no option {name}{did_you_mean(name, known)}")
        elif name in _FOR_COMMANDS and value:
            wrong.append(
                f"{flag_of(name)} is for commands: it leaves no record that run could give"
            )
        elif value is not None:
            values[name] = _plain(name, value, getattr(usual, name))
            if needs := _unfit(kinds.get(name), values[name]):
                hint = did_you_mean(value, _choices(kinds.get(name)))
                wrong.append(f"{flag_of(name)} needs {needs}, got {shown(value)}{hint}")
    return replace(usual, **values), wrong


def _plain(name: str, value: Any, usual: object) -> Any:
    """The value as the command line would give it; numbers of numpy become Python's."""
    if name == "resume" and isinstance(value, bool):
        return NEWEST if value else None
    if isinstance(usual, tuple):
        several = value if isinstance(value, list | tuple) else [value]
        return tuple(_plain("", each, None) for each in several)
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _unfit(kind: Any, value: object) -> str:
    """What an option of that type needs, when it is not a number and `value` does not fit."""
    choices = _choices(kind)
    if choices and value not in choices:
        return f"one of {', '.join(choices)}"
    if kind is bool and not isinstance(value, bool):
        return "True or False"
    optional = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    if str in optional and value is not None and not isinstance(value, str):
        return "text"
    return ""
