"""Names of files and folders from names that are data."""

from __future__ import annotations

import re

_LONGEST = 60
_END = 24  # of what is longer: the end of a sweep's name tells it from others


def file_name(text: str) -> str:
    """Letters, digits, dashes, underscores and inner dots of the text, all else as `_`.

    Of a long text the beginning and the end.
    """
    name = re.sub(r"[^A-Za-z0-9._-]|^[.-]", "_", text) or "_"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - _END - 1]}_{name[-_END:]}"
