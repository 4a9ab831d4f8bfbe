"""Running the project's scripts at a terminal of 80 columns, and what stands on it line by line."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from support.scripts import HANG, ROOT, environment, flags_of

COLUMNS = 80
PASTED = re.compile(r"^[a-z0-9., ]+:  ")  # a line with a command or a link, which stays whole
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Shown(NamedTuple):
    """What a terminal has shown: every line, those that were written over among them."""

    exit_code: int
    lines: list[str]


def run_at_terminal(script: str | Path, *flags: str, cwd: Path) -> Shown:
    """Runs `python script flags` in `cwd` with all of its input and output at a terminal."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / script), *flags_of(script, flags)],
        cwd=cwd,
        env=environment() | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    content = b""
    with suppress(OSError):  # raised once nobody has the other end
        while part := os.read(ours, 65536):
            content += part
    os.close(ours)
    code = process.wait(HANG)
    text = _CONTROLS.sub("", content.decode(errors="replace"))
    return Shown(code, [line for line in re.split(r"[\r\n]+", text) if line])
