"""Flags for hyperparameters, made from what their fields declare."""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import tyro

from sweeps.plan.flags import MaybeNumber, MaybeWhole, Number, Whole
from trainables.declaration import Choice, Declared, Range, Switch, as_text
from trainables.hyperparameters import DECLARED, default

# Hyperparameters whose values make the configurations of a sweep; all of it shares the others.
VALUES = tuple(name for name, declared in DECLARED.items() if declared.swept)
SHARED = tuple(name for name in DECLARED if name not in VALUES)
_Class = TypeVar("_Class", bound=type)


class Flag(NamedTuple):
    """A flag's type, its help, and the value that it has without being given."""

    kind: Any
    help: str
    default: Any


def one(name: str) -> Flag:
    """A flag that takes the value of a hyperparameter."""
    declared, usual = DECLARED[name], default(name)
    # Of a switch that is on there is only the flag that turns it off.
    return Flag(
        _kind(declared), _sentence(declared.off if usual is True else declared.about), usual
    )


def one_or_none(name: str) -> Flag:
    """The same, with None for a hyperparameter that is not the same for all of a sweep."""
    allowed = DECLARED[name].allowed
    whole = isinstance(allowed, Range) and allowed.whole
    return one(name)._replace(kind=MaybeWhole if whole else MaybeNumber)


def several(name: str) -> Flag:
    """A flag that takes any number of values; without it there are none."""
    text = f"{DECLARED[name].about}; one value or several, by default {as_text(default(name))}"
    return Flag(GenericAlias(tuple, (_kind(DECLARED[name]), ...)), _sentence(text), ())


def flags_for(names: tuple[str, ...], make: Callable[[str], Flag]) -> Callable[[_Class], _Class]:
    """Adds a field for each of those hyperparameters to a class that is about to be a dataclass."""

    def add(kind: _Class) -> _Class:
        for name in names:
            flag = make(name)
            without = "" if flag.default is True else None  # "(default: True)" of --no-… misleads
            about = tyro.conf.arg(help=flag.help, help_behavior_hint=without)
            kind.__annotations__[name] = Annotated[flag.kind, about]
            setattr(kind, name, flag.default)
        return kind

    return add


def _kind(declared: Declared) -> Any:
    allowed = declared.allowed
    if isinstance(allowed, Range):
        return Whole if allowed.whole else Number
    if isinstance(allowed, Choice):
        return Literal[allowed.names]
    return bool if isinstance(allowed, Switch) else tuple[Whole, ...]


def _sentence(text: str) -> str:
    first = text[0].upper() if text[0].isascii() else text[0]  # λ is a name
    return f"{first}{text[1:]}."
