"""How a sweep ended: what came of it, what went wrong, and what would complete it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sweeps.driver.interrupts import Stopped
from sweeps.plan.errors import Interrupted, SweepError
from sweeps.plan.exit_codes import DONE, SOME_FAILED, STORE
from sweeps.plan.provenance import without_credentials
from sweeps.plan.ranking import Summaries
from sweeps.record.messages import Begun, Closed, Found, Problem
from sweeps.record.store.opening import resolve_uri
from trainables.commands.project_scripts import words
from trainables.manifest import Manifest

_NAMES_SHOWN = 10


class Outcome(NamedTuple):
    """A sweep that was begun, after its end. `stopped`: by whom, if it was."""

    manifest: Manifest
    uri: str
    begun: Begun
    closed: Closed
    summaries: Summaries
    problems: Sequence[Problem]
    stopped: Stopped | None

    @property
    def exit_code(self) -> int:
        """One of `exit_codes`."""
        if self.stopped:
            return self.stopped.code
        if self.problems or self.closed.missing or self.closed.problem:
            return STORE
        return SOME_FAILED if self.closed.failures else DONE

    def complaints(self, resume: str) -> list[str]:
        """What went wrong, in lines; `resume`: the words that complete the sweep."""
        closed, stopped = self.closed, self.stopped
        lines = []
        names = {trial.key: trial.name for trial in self.manifest.trials}
        if closed.failures:
            failed = [names[key] for key in closed.failures]
            lines.append(f"error: {len(failed)} trials failed: {some(failed)}")
            lines += [f"  {error}" for error in sorted(set(closed.failures.values()))]
        texts = dict.fromkeys(problem.text for problem in self.problems if stopped is None)
        lines += [f"error: not recorded: {text}" for text in texts]
        if closed.problem:
            lines.append(f"error: the sweep's run could not be closed: {closed.problem}")
        if closed.missing and stopped is None:
            lines.append(
                f"error: {len(closed.missing)} promised trials are not recorded: "
                f"{some(closed.missing)}"
            )
        lines += self._kept()
        if stopped is not None:
            known = len(self.summaries) + len(closed.failures)
            lines.append(
                f"stopped by {stopped}: {known} of {len(self.manifest.trials)} trials are recorded "
                f"in run {self.begun.run_id} ({self.manifest.run_name})"
            )
        if stopped is not None or closed.missing or closed.problem or self.problems:
            lines.append(f"complete it with:  {resume}")
        return lines

    def _kept(self) -> list[str]:
        """Where results are that could not be written, and how they get into the store."""
        folders = sorted({str(Path(each.kept).parent) for each in self.problems if each.kept})
        lines = []
        for folder in folders:
            flag, upload = uri_flag(self.uri), words("sweeps", "upload")
            lines += [
                f"their results are kept in {folder}",
                f"bring them in with:  {upload} {shlex.quote(folder)}{flag}",
            ]
        if lost := sum(not problem.kept for problem in self.problems):
            lines.append(f"error: {lost} results could not be kept on disk either: they are lost")
        return lines


class Done(NamedTuple):
    """A sweep that ran now, or was found complete, and what became of its best on fresh seeds.

    `confirmed`: how the sweep that tries them ended; `Found` if it was complete before; None
    without one. `problem`: why it could not be.
    """

    sweep: Outcome | Found
    confirmed: Outcome | Found | None = None
    problem: SweepError | None = None

    @property
    def run_id(self) -> str:
        """Of the sweep's run."""
        return self.sweep.begun.run_id if isinstance(self.sweep, Outcome) else self.sweep.run_id

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it, at whatever point."""
        ended = (each.stopped for each in (self.sweep, self.confirmed) if isinstance(each, Outcome))
        return any(ended) or isinstance(self.problem, Interrupted)

    @property
    def exit_code(self) -> int:
        """One of `exit_codes`: that of the sweep, or else of what came after it."""
        code = self.sweep.exit_code if isinstance(self.sweep, Outcome) else DONE
        if code == DONE and isinstance(self.confirmed, Outcome):
            code = self.confirmed.exit_code
        return self.problem.exit_code if code == DONE and self.problem else code


def uri_flag(uri: str) -> str:
    """The flag that names the store, empty where it is found without."""
    if uri == resolve_uri(None):
        return ""
    return f" --tracking-uri {shlex.quote(without_credentials(uri))}"


def some(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
