"""Sweeps from Python: `run` trains and records one, as its command does.

Ray and the recorder's process stay until the process ends, so that a second sweep begins at once.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sweeps.driver.interrupts import Interrupts, Stopped
from sweeps.driver.launch import carry_out
from sweeps.driver.outcome import Outcome
from sweeps.driver.result import SweepResult
from sweeps.driver.standing import Standing
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.errors import BadInput, Interrupted
from sweeps.plan.exit_codes import STORE
from sweeps.plan.named_options import read_named
from sweeps.plan.options import defaults
from sweeps.plan.provenance import without_credentials
from sweeps.plan.sweep import Sweep
from sweeps.record.store.opening import StoreError, resolve_uri

_turn = threading.Lock()
_standing: Standing | None = None


def run(sweep: Sweep, **options: Any) -> SweepResult:
    """Trains and records the sweep; waits until that is done.

    `options` are the flags of `python sweeps/l2.py --help` with underscores, such as
    `num_samples=50, seeds=10, epochs=500, hidden=(64, 64), tracking_uri="sqlite:///my.db"`;
    `resume=True` or `resume=RUN_ID` completes a sweep that was interrupted; the first digits of the
    run id, or the sweep's name, do. Only one sweep runs at a time: calls from other threads wait.

    Where the process is connected to Ray already, that is used, and stays as it is.

    Raises `SweepError` when a command would print an error: its message has the same lines, and
    `exit_code` says of which kind it is. Of these, `Interrupted` comes after Ctrl-C: what was
    recorded stays, and the message says how to complete it. When some trials failed, they are in
    the result's `failures`, and a warning is printed.
    """
    command = _command(sweep, options)
    uri = resolve_uri(command.options.tracking_uri)
    with _turn, _settings_kept(), Interrupts() as interrupts:
        standing = _stand()
        well = False
        try:
            done = carry_out(command, standing, interrupts)
            well = done is None or (done.exit_code != STORE and not done.stopped)
        except Stopped as stopped:
            text = f"stopped by {stopped} before anything was trained"
            raise Interrupted(text, stopped.code) from None
        finally:
            if not well:
                standing.close()
    assert done is not None, "only a dry run gives nothing, and it is refused"
    for each in (done.sweep, done.confirmed):
        if isinstance(each, Outcome):
            _tell(each, sweep, done.run_id)
    if done.problem:
        raise done.problem
    return SweepResult(done.run_id, uri)


def _command(sweep: Sweep, named: Mapping[str, Any]) -> DeclaredSweep:
    """The command that these options would be. Raises `BadInput` with all that is wrong."""
    if not isinstance(sweep, Sweep):
        raise BadInput(f"run needs a Sweep, such as that of sweeps.l2.SWEEP, got {sweep!r:.80}")
    options, wrong = read_named(defaults(sweep), named)
    words = [sweep.name, *(f"{name}={each!r}" for name, each in named.items())]
    asked = without_credentials(f"sweeps.run({', '.join(words)})")
    stated = {name for name, each in named.items() if each is not None}
    command = DeclaredSweep(sweep, options, stated, asked)
    # Of values that are of no use at all, ranges would only be compared with errors of their own.
    if wrong := [*wrong, *(line for line in command.problems() if line not in wrong)]:
        raise BadInput("\n".join(wrong))
    return command


def _tell(done: Outcome, sweep: Sweep, run_id: str) -> None:
    """Raises what went wrong, or prints it where there is a result all the same.

    `run_id`: of the sweep, with which what confirms it goes on, too.
    """
    store = "" if done.uri == resolve_uri(None) else f", tracking_uri={done.uri!r}"
    again = without_credentials(f'run({sweep.name}, resume="{run_id}"{store}')
    lines = [line.removeprefix("error: ") for line in done.complaints(f"{again})")]
    if done.stopped:
        raise Interrupted("\n".join(lines), done.exit_code, run_id)
    if done.exit_code == STORE:
        raise StoreError("\n".join(lines))
    if lines:
        lines.append(f"try them again with:  {again}, retry_failed=True)")
        print("\n".join(["warning: " + lines[0], *lines[1:]]), file=sys.stderr)


@contextmanager
def _settings_kept() -> Iterator[None]:
    """Takes back what a sweep sets for Tune in the environment: others of this process may use it,
    and would find their own experiments without snapshots."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            if name.startswith(("TUNE_", "PL_")):
                del os.environ[name]


def _stand() -> Standing:
    global _standing
    if _standing is None:
        _standing = Standing(stays=True)
        # Before those of multiprocessing, which waits for the recorder: last in, first out.
        atexit.register(_standing.close)
    return _standing
