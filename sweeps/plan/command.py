"""What a script's command line asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from sweeps.plan.options import Options
from sweeps.plan.sweep import Sweep
from trainables.manifest import Manifest
from trainables.result import Interval
from trainables.trial import Trial


class Plan(NamedTuple):
    """What is to be trained, and the options that it is recorded with."""

    sweep: Sweep
    options: Options
    trials: Sequence[Trial]


class SourceSweep(NamedTuple):
    """A finished sweep that another is planned from, unless `problem` says why not.

    `summaries`: of its trials, but for those that failed, by key. `code`: as in `Found`.
    """

    run_id: str = ""
    manifest: Manifest | None = None
    summaries: Mapping[str, Mapping[str, Interval]] = {}
    problem: str = ""
    code: int = 0

    @property
    def promised(self) -> Manifest:
        """The manifest, which is there unless there is a problem."""
        assert self.manifest is not None
        return self.manifest


class Command(Protocol):
    """A command line that has been read.

    `stated`: names of the options that were given and not left to their defaults, which are those
    of `usual`.
    """

    @property
    def name(self) -> str:
        """The sweep's name."""

    @property
    def options(self) -> Options: ...

    @property
    def usual(self) -> Options: ...

    @property
    def stated(self) -> Collection[str]: ...

    @property
    def asked(self) -> str:
        """The words by which it was called from Python; empty when they are the process's own."""

    @property
    def needs(self) -> str | None:
        """The run id of a recorded sweep that the plan is made from, if it is made from one."""

    def problems(self) -> list[str]:
        """A line for each thing wrong, found without starting anything."""

    def plan(self, source: SourceSweep | None = None) -> Plan:
        """The sweep of a command line without problems; `source`: the one that it `needs`.

        Raises `Refused` when they do not fit each other.
        """

    def seconds(self) -> float:
        """About how many of one core all of its training takes, found without a slow search."""

    def most_confirming(self, options: Options) -> int:
        """How many models at most try its best on fresh seeds in the end; 0 when that is not done.

        `options`: those it is run with.
        """

    def confirmation(self, options: Options, source: SourceSweep) -> Plan | None:
        """The sweep that does so, once it has ended; None when there is nothing to confirm.

        Raises `Refused` when there are no fresh seeds.
        """
