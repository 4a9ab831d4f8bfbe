"""Names of files and folders from names that are data."""

from __future__ import annotations

import re

_LONGEST = 60


def file_name(text: str) -> str:
    """Letters, digits, dashes, underscores and inner dots of the text, all else as `_`."""
    return re.sub(r"[^A-Za-z0-9._-]|^[.-]", "_", text)[:_LONGEST] or "_"
