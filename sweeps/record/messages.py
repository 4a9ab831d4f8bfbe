"""What the launcher and the recorder's process say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sweeps.plan.against_baseline import BaselineDifference
from sweeps.plan.command import SourceSweep
from trainables.data import Dataset
from trainables.manifest import Manifest
from trainables.result import Interval
from trainables.trial import Trial


class Open(NamedTuple):
    """Open the store, and the experiment unless it is None. After questions perhaps another."""

    uri: str
    experiment: str | None


class Look(NamedTuple):
    """Find a sweep called `name` that was started before: see `recorded_sweep.find_sweep`."""

    name: str
    run_id: str | None
    retry_failed: bool
    experiment: str | None


class LookForConfirmation(NamedTuple):
    """Find the sweep that tries the best of that run's on fresh seeds: `Found`, without a run where
    there is none."""

    run_id: str
    retry_failed: bool


class Read(NamedTuple):
    """Read a finished sweep: see `source_sweep.read_source`."""

    run_id: str


class Begin(NamedTuple):
    """Create the sweep's run, or take up `resume_run_id`. `dataset`: as the manifest describes it.

    `launcher`: number of the launcher's process. `patience`: seconds to wait at the end for a store
    that does not answer.
    """

    manifest: Manifest
    dataset: Dataset
    launcher: int
    patience: float
    resume_run_id: str | None = None
    retry_failed: bool = False


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


class Found(NamedTuple):
    """The sweep that was looked for, unless `problem` says why not, with its exit code.

    `recorded`, `failed`: keys of trials that stand. `complete`: nothing is left to do. `others`:
    names of other unfinished sweeps that it might have been.
    """

    run_id: str = ""
    manifest: Manifest | None = None
    recorded: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    complete: bool = False
    others: Sequence[str] = ()
    problem: str = ""
    code: int = 0

    @property
    def promised(self) -> Manifest:
        """The manifest, which is there unless there is a problem."""
        assert self.manifest is not None
        return self.manifest


class Begun(NamedTuple):
    """The sweep's run stands, unless `problem` says why not, with its exit code.

    `summaries`, `failures`: of trials that were recorded before, by key.
    """

    run_id: str = ""
    experiment_id: str = ""
    summaries: Mapping[str, Mapping[str, Interval]] = {}
    failures: Mapping[str, str] = {}
    problem: str = ""
    code: int = 0


class Recorded(NamedTuple):
    """A trial's run stands."""

    key: str
    summary: Mapping[str, Interval]


class Writing(NamedTuple):
    """So many of the trials that are being written have their runs; `Recorded` follows for each."""

    trials: int


class Waiting(NamedTuple):
    """The store does not answer because of `text`; empty: it does again."""

    text: str


class Problem(NamedTuple):
    """Writing was given up; the results are in the file `kept`, empty if there is none."""

    text: str
    kept: str


class Lost(NamedTuple):
    """Another process records this sweep: stop."""

    text: str


class Closed(NamedTuple):
    """The sweep's run is closed, unless `problem` says why not.

    `missing`: names of promised trials without a run. `failures`: errors by trial key.
    `differences`: to the baseline, of the configurations that `ranking.shown` gives, by trial key.
    `held_out`: a sentence on the rows that are held out, empty where there are none.
    """

    missing: Sequence[str]
    failures: Mapping[str, str]
    views: Mapping[str, str]
    problem: str = ""
    differences: Mapping[str, BaselineDifference] = {}
    held_out: str = ""


Order = Open | Look | LookForConfirmation | Read | Begin | Results | Failed | Finish
Event = Ready | Found | SourceSweep | Begun | Recorded | Writing | Waiting | Problem | Lost | Closed
