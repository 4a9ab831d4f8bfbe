"""Reading a command line: the one way in which every script of this folder gets its options.

`analysis/reading/script_options.py` does the same for the scripts there: the two folders do not see
each other.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tyro

from sweeps.plan.exit_codes import BAD_INPUT
from trainables.commands.project_scripts import OptionsMet, meet, these_words
from trainables.declaration import did_you_mean, shown

_Kind = TypeVar("_Kind")
_CONFIG = (tyro.conf.FlagCreatePairsOff,)


def read_options(
    kind: type[_Kind],
    description: str | None,
    usual: _Kind | None = None,
    arguments: Sequence[str] | None = None,
) -> _Kind:
    """The options of the command line; `usual`: those without flags, if not the class's own.

    Ends the process on `--help` and `--version` (0), and on a flag or choice that there is not (2).
    """
    meet(kind, usual)
    arguments = sys.argv[1:] if arguments is None else arguments
    arguments = _lists_apart(kind, arguments)
    if wrong := _wrong_choices(kind, arguments):
        for line in wrong:
            print(f"error: {line}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    text = f"{(description or '').strip()}\n\n--version tells the version."
    default = tyro.MISSING_NONPROP if usual is None else usual
    return tyro.cli(
        kind,
        description=text,
        prog=these_words(),
        args=arguments,
        config=_CONFIG,
        default=default,
    )


def print_completion(
    program: str, options: Mapping[str, OptionsMet], arguments: Sequence[str]
) -> None:
    """What a shell needs to complete the program's scripts and their flags, as `arguments` ask."""
    kinds = []
    for name, met in options.items():
        default = tyro.MISSING_NONPROP if met.default is None else met.default
        named = tyro.conf.subcommand(name, prefix_name=False, default=default)
        kinds.append(Annotated[met.kind, named])
    every: Any = Union[tuple(kinds)]  # noqa: UP007  # `|` takes no tuple
    tyro.cli(every, prog=program, args=arguments, config=_CONFIG)


def _lists_apart(kind: type[Any], arguments: Sequence[str]) -> list[str]:
    """The words of the command line, in which `--hidden 64,64` is `--hidden 64 64`."""
    lists = {
        f"--{name.replace('_', '-')}"
        for name, hint in get_type_hints(kind).items()
        if get_origin(hint) is tuple and get_args(hint)[1:] == (...,)
    }
    apart: list[str] = []
    of_list = False
    for word in arguments:
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            of_list = flag.replace("_", "-") in lists
            if of_list and equals and "," in value:
                apart += [flag, *filter(None, value.split(","))]
                continue
        if of_list and "," in word:
            apart += filter(None, word.split(","))
        else:
            apart.append(word)
    return apart


def _wrong_choices(kind: type[Any], arguments: Sequence[str]) -> list[str]:
    """A line for each flag with a value that is none of its choices, with the nearest of them."""
    hints = get_type_hints(kind)
    choices = {
        f"--{name.replace('_', '-')}": get_args(hint)
        for name, hint in hints.items()
        if get_origin(hint) is Literal
    }
    found = []
    for place, word in enumerate(arguments):
        flag, equals, value = word.partition("=")
        flag = flag.replace("_", "-")
        if flag not in choices or not (equals or arguments[place + 1 :]):
            continue
        value = value if equals else arguments[place + 1]
        if value not in choices[flag]:
            hint = did_you_mean(value, choices[flag])
            names = ", ".join(choices[flag])
            found.append(f"{flag} needs one of {names}, got {shown(value)}{hint}")
    return found
