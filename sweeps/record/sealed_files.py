"""Files that say whether they are whole: a line with facts and a SHA-256, then the content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sweeps.plan.errors import SweepError
from sweeps.plan.exit_codes import CANNOT_RESUME


class Damaged(SweepError):
    """A file is not what was written; the message names it."""

    exit_code = CANNOT_RESUME


def write_sealed(path: Path, facts: Mapping[str, Any], content: bytes) -> None:
    """Writes `content` with `facts` (JSON values) about it; the file is there whole or not at all.

    Raises `OSError` when it cannot be written.
    """
    about = json.dumps(facts)
    seal = {"sha256": _digest(about, content), "facts": about}
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(json.dumps(seal).encode() + b"\n")
            file.write(content)
        os.replace(partial, path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise


def read_sealed(path: Path) -> tuple[dict[str, Any], bytes]:
    """The facts and the content. Raises `Damaged` when a byte has changed or is missing."""
    line, _, content = path.read_bytes().partition(b"\n")
    try:
        seal = json.loads(line)
        if seal["sha256"] == _digest(seal["facts"], content):
            return json.loads(seal["facts"]), content
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise Damaged(
        f"{path} is damaged: its content does not fit its checksum; move it away and "
        "its trials will be trained again"
    )


def _digest(about: str, content: bytes) -> str:
    return hashlib.sha256(about.encode() + b"\n" + content).hexdigest()
