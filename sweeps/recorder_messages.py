"""What the launcher and the recorder's process say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sweeps.manifest import Manifest
from trainables.data import Dataset
from trainables.hyperparameters import Trial
from trainables.result import Interval


class Open(NamedTuple):
    """Open the store."""

    uri: str
    experiment: str
    log_seeds: bool


class Begin(NamedTuple):
    """Create the sweep's run. `dataset` is the one that the manifest describes."""

    manifest: Manifest
    dataset: Dataset


class Results(NamedTuple):
    """Trials that were trained, as `trainables.result.to_bytes` gives them."""

    content: bytes


class Failed(NamedTuple):
    """Trials that could not be trained, and why in one line."""

    trials: Sequence[Trial]
    error: str


class Finish(NamedTuple):
    """No more trials: close the sweep's run with `status`. KILLED also hurries what is queued."""

    status: str


class Ready(NamedTuple):
    """The store is open, or `problem` says why not."""

    problem: str = ""


class Begun(NamedTuple):
    """The sweep's run stands, unless `problem` says why not."""

    run_id: str
    experiment_id: str
    problem: str = ""


class Recorded(NamedTuple):
    """A trial's run stands."""

    key: str
    summary: Mapping[str, Interval]


class Problem(NamedTuple):
    """Writing failed; the results are in the file `kept`."""

    text: str
    kept: str


class Closed(NamedTuple):
    """The sweep's run is closed, unless `problem` says why not.

    `missing`: names of promised trials without a run. `failures`: errors by trial key.
    """

    missing: Sequence[str]
    failures: Mapping[str, str]
    views: Mapping[str, str]
    problem: str = ""


Order = Open | Begin | Results | Failed | Finish
Event = Ready | Begun | Recorded | Problem | Closed
