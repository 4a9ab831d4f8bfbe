"""Files that say whether they are whole: a line with length and SHA-256, then the content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Damaged(Exception):
    """A file is not what was written; the message names it."""


def write_sealed(path: Path, facts: Mapping[str, Any], content: bytes) -> None:
    """Writes `content` with `facts` (JSON values) about it; the file is there whole or not at all.

    Raises `OSError` when it cannot be written.
    """
    seal = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **facts}
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(json.dumps(seal).encode() + b"\n")
        file.write(content)
    os.replace(partial, path)


def read_sealed(path: Path) -> tuple[dict[str, Any], bytes]:
    """The facts and the content. Raises `Damaged` when a byte has changed or is missing."""
    line, _, content = path.read_bytes().partition(b"\n")
    try:
        facts = json.loads(line)
        whole = facts["sha256"] == hashlib.sha256(content).hexdigest()
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise Damaged(
            f"{path} is damaged: its content does not fit its checksum; move it away and "
            "its trials will be trained again"
        )
    return facts, content
