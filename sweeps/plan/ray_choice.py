"""Which Ray a command line asks for: the words and the form that `--address` takes."""

from __future__ import annotations

import re
from typing import NamedTuple

AUTO, LOCAL = "auto", "local"
_HOST_AND_PORT = re.compile(r"(?P<host>[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})")


class Address(NamedTuple):
    """Where the head of a cluster answers."""

    host: str
    port: int


def problem(asked: str) -> str:
    """What is wrong with `asked` as an address, empty if nothing is."""
    if asked in (AUTO, LOCAL) or parsed(asked) is not None:
        return ""
    return "needs auto, local or host:port of a cluster's head, such as 10.0.0.1:6379"


def parsed(text: str) -> Address | None:
    """The address that `text` names as `host:port`, None if it is none."""
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        return None
    return Address(match["host"].strip("[]"), int(match["port"]))
