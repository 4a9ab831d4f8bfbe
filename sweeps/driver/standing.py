"""What runs beside sweeps: Ray and the recorder's process, for one sweep or for those of a process.

Starting the two takes most of the time of a small sweep, so a process that runs several keeps them.
"""

from __future__ import annotations

import os

from sweeps.cluster.ray_session import RaySession
from sweeps.record.client import Recorder


class Standing:
    """Ray and a recorder. `stays`: they are kept for the next sweep, unless one ended badly."""

    def __init__(self, stays: bool) -> None:
        self.stays = stays
        self.ray = RaySession(stays)
        self._recorder: Recorder | None = None
        self._made_for: object = None

    def recorder(self, uri: str) -> Recorder:
        """A recorder for the store at `uri`: the one that stands if it was made for the same."""
        # Its process has the folder and the settings that this one had when it was made.
        settings = {name: each for name, each in os.environ.items() if name.startswith("MLFLOW_")}
        made_for = (uri, os.getcwd(), settings)
        if self._recorder is not None and self._recorder.alive() and made_for == self._made_for:
            return self._recorder
        self._dismiss()
        self._recorder, self._made_for = Recorder(), made_for
        return self._recorder

    def done(self) -> None:
        """A sweep has ended well: what is not kept may go, and is not waited for."""
        if self._recorder is not None and not self.stays:
            self._recorder.dismiss()

    def close(self) -> None:
        """Leaves Ray, and waits until the recorder has done what it was told."""
        try:
            self.ray.end()
        finally:
            self._dismiss()

    def _dismiss(self) -> None:
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            recorder.join()
