"""Which Ray a sweep uses: a cluster that is there, or one of its own.

Every sweep that starts its own Ray runs beside all others, so one that looks for a cluster must not
take a neighbour's. `ray start`, and so `ray up`, writes the address of the cluster that a machine
belongs to into a file, and `ray.init` does not: only that file counts here. Ray's own search
(`address="auto"`) takes any Ray that it finds among the machine's processes when there is no file.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import RESOURCES
from sweeps.plan.ray_choice import AUTO, LOCAL, Address, parsed, problem

_CONNECT_SECONDS = 5.0


class ResourceError(SweepError):
    """There is no Ray to use, or it has not what the sweep asks for; a line for each reason."""

    exit_code = RESOURCES


def find_cluster(asked: str, note: Callable[[str], None]) -> str | None:
    """`host:port` of the cluster to use, None to start an own Ray; nothing is started.

    `asked`: `auto`, `local` or `host:port`. `auto` is what the variable RAY_ADDRESS says, else the
    cluster that `ray start` made this machine a node of, if it still runs, else an own Ray. `note`
    is told when a cluster should be there but has gone. Raises `ResourceError` when a cluster that
    was named cannot be reached from here.
    """
    if asked == LOCAL:
        return None
    if asked != AUTO:
        return _usable(asked, "--address")
    named = os.environ.get("RAY_ADDRESS", "")
    if named == LOCAL:
        return None
    if named not in ("", AUTO):
        return _usable(named, "RAY_ADDRESS")
    return _started_for_all(note)


def follow_authentication(address: str) -> None:
    """Lets Ray show its token to the cluster at `address` if that asks for one, and only then.

    Ray itself decides this for clusters that it finds itself. A driver that shows a token where
    none is asked for, or none where one is, cannot start a single trial. To be called before Ray is
    imported; RAY_AUTH_MODE, where it is set, stays what it is.
    """
    port = int(address.rpartition(":")[2])
    for each, folder in (_clusters_of_this_machine() or {}).items():
        if each.port != port or "RAY_AUTH_MODE" in os.environ:
            continue
        with suppress(OSError):  # another user's process
            settings = (folder / "environ").read_bytes().split(b"\0")
            if b"RAY_AUTH_MODE=token" in settings:
                os.environ["RAY_AUTH_MODE"] = "token"


def _usable(text: str, source: str) -> str:
    """`text` itself, if a cluster answers there that this machine is a node of."""
    address = parsed(text)
    if address is None:
        raise ResourceError(f"{source} {problem(text)}, got {text!r}")
    try:
        socket.create_connection(address, timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise ResourceError(
            f"no Ray cluster answers at {text} ({source}): {error.strerror or error}; start one "
            "there, or use --address local"
        ) from error
    here = _clusters_of_this_machine()
    # Ports alone: a machine has several addresses, and a cluster is known by one of them. Ray ends
    # a process that finds no node of the cluster beside it.
    if here is not None and address.port not in {each.port for each in here}:
        raise ResourceError(
            f"this machine is no node of the Ray cluster at {text} ({source}): run the sweep on "
            "one of its nodes, or send it there with `ray job submit`"
        )
    return text


def _started_for_all(note: Callable[[str], None]) -> str | None:
    temporary = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    file = Path(temporary) / "ray" / "ray_current_cluster"
    try:
        # Whoever can write there could have this sweep run in a Ray of theirs.
        if file.stat().st_uid != os.getuid():
            return None
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    address = parsed(text)
    if address is None:
        return None
    here = _clusters_of_this_machine()
    if here is None:
        with suppress(OSError):
            socket.create_connection(address, timeout=_CONNECT_SECONDS).close()
            return text
    elif address in here:
        return text
    note(
        f"the Ray cluster at {text} that {file} names does not run any more: "
        "the sweep starts its own Ray"
    )
    return None


def _clusters_of_this_machine() -> dict[Address, Path] | None:
    """Addresses of the clusters that this machine has a node of, with that process in /proc.

    None where there is no /proc to look into.
    """
    processes = Path("/proc")
    if not (processes / "self" / "cmdline").exists():
        return None
    found = {}
    for path in processes.glob("[0-9]*/cmdline"):
        with suppress(OSError):
            program, *arguments = path.read_bytes().decode(errors="replace").split("\0")
            if Path(program).name != "raylet":
                continue
            for each in arguments:
                if address := parsed(each.removeprefix("--gcs-address=")):
                    found[address] = path.parent
    return found
