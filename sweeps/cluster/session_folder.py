"""The folder that a Ray leaves behind, such as /tmp/ray/session_2026-11-30_17-32-20_836921_4981.

Ray removes none, ever: logs of its processes, sockets and ports, some 300 kB for every sweep.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

_LATEST = "session_latest"  # Ray's link to the folder of the newest session
_TRIES, _PAUSE = 20, 0.05  # seconds: Ray's processes are told to end, and end a little later


def remove_session(folder: Path) -> None:
    """Removes the folder of a Ray that has ended, and the link to it; what cannot go stays.

    Only ever to be called for a Ray that this process started.
    """
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        time.sleep(_PAUSE)
    latest = folder.parent / _LATEST
    with suppress(OSError):  # no link, or by now another session's
        if os.readlink(latest) in (folder.name, str(folder)):
            latest.unlink()
