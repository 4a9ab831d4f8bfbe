"""From a command to a sweep under way, or to the reason why there is none."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

from sweeps.driver.exits import exit_code_of
from sweeps.driver.follow_up import FollowUp
from sweeps.driver.interrupts import Interrupts, Stopped, leave_at_once
from sweeps.driver.outcome import Done, Outcome
from sweeps.driver.resume import continued, look_up, which
from sweeps.driver.source import ask_for_source, require_store
from sweeps.driver.standing import Standing
from sweeps.plan.command import Command
from sweeps.plan.errors import BadInput
from sweeps.plan.exit_codes import DONE, INTERRUPTED, TERMINATED
from sweeps.plan.packs import seconds_together
from sweeps.record.messages import Open
from sweeps.record.store.opening import resolve_uri

if TYPE_CHECKING:
    from sweeps.plan.options import Options
    from trainables.manifest import Manifest


_STOPPED = (INTERRUPTED, TERMINATED)


def run_command(command: Command) -> NoReturn:
    """Runs the sweep that `command` asks for and exits with one of `exit_codes`."""
    code = exit_code_of(lambda: launch(command))
    if code in _STOPPED:
        leave_at_once(code)
    sys.exit(code)


def launch(command: Command) -> int:
    """Trains and records what is asked for, prints what a user should know; the exit code.

    Raises `SweepError` when nothing could be done.
    """
    options = command.options
    scratch = tempfile.mkdtemp(prefix="sweep-smoke-") if options.smoke_test else None
    try:
        with Interrupts() as interrupts, closing(Standing(stays=False)) as standing:
            uri = f"sqlite:///{scratch}/mlflow.db" if scratch else None
            done = carry_out(command, standing, interrupts, uri)
            if done is None:
                return DONE
            if isinstance(done.sweep, Outcome) or done.confirmed or done.problem:
                from sweeps.driver.final_report import print_report

                print_report(done, uri or resolve_uri(command.options.tracking_uri))
            return done.exit_code
    except Stopped as stopped:
        print(f"stopped by {stopped} before anything was trained", file=sys.stderr)
        return stopped.code
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def carry_out(
    command: Command, standing: Standing, interrupts: Interrupts, uri: str | None = None
) -> Done | None:
    """Runs the sweep that `command` asks for, and what confirms it; how they ended.

    `uri`: the store, if not that of the options. A sweep that is complete already is `Found`, of a
    dry run nothing comes; what there would be to do is printed. Raises `SweepError`, and `Stopped`
    before the first trial.
    """
    if found := command.problems():
        raise BadInput("\n".join(found))
    options = command.options
    uri = uri or resolve_uri(options.tracking_uri)
    if options.dry_run and options.resume is None and command.needs is None:
        from sweeps.driver.summary import print_plan

        print_plan(command.plan(), uri)
        return None
    # Most of a small sweep's time are imports and start-ups in several processes: each begins as
    # early as it can. The recorder's own go on while this process imports Ray and starts it.
    if command.needs is not None and options.resume is None:
        require_store(options.tracking_uri)
    recorder = standing.recorder(uri)
    run_id, note = None, ""
    if options.resume is not None:
        recorder.send(Open(uri, None))
        found_sweep = look_up(recorder, command)
        options, note = continued(command, found_sweep), which(found_sweep)
        follow_up = _follow_up(command, options)
        if found_sweep.complete or options.dry_run:
            from sweeps.driver.summary import print_remainder

            print_remainder(found_sweep, uri, options.retry_failed, follow_up is not None)
        if options.dry_run:
            return None
        if found_sweep.complete:
            if follow_up is None:
                return Done(found_sweep)
            from sweeps.driver.confirming import with_confirmation

            place = (uri, standing, recorder, interrupts)
            return with_confirmation(found_sweep, follow_up, *place, True, options.retry_failed)
        run_id = found_sweep.run_id
        more = command.most_confirming(options)
        seconds = seconds_together(found_sweep.promised.trials, more)

        def prepare() -> Manifest:
            return found_sweep.promised
    else:
        planned = None
        if command.needs is not None:
            recorder.send(Open(resolve_uri(options.tracking_uri), None))
            planned = command.plan(ask_for_source(recorder, command.needs))
            options = planned.options
            if options.dry_run:
                from sweeps.driver.summary import print_plan

                print_plan(planned, uri)
                return None
        recorder.send(Open(uri, options.experiment_name or command.name))
        seconds = seconds_together(planned.trials) if planned else command.seconds()
        follow_up = _follow_up(command, options)

        def prepare() -> Manifest:
            from sweeps.plan.new_manifest import make_manifest

            return make_manifest(*(planned or command.plan()), asked=command.asked)

    from sweeps.driver.confirming import with_confirmation
    from sweeps.driver.session import SweepRun

    place = (uri, standing, recorder, interrupts)
    ended = SweepRun(seconds, prepare, options, *place, follow_up).run(run_id, note)
    return with_confirmation(ended, follow_up, *place, run_id is not None, options.retry_failed)


def _follow_up(command: Command, options: Options) -> FollowUp | None:
    """What comes after the sweep that is run with those options, if anything."""
    if command.most_confirming(options) == 0:
        return None
    return FollowUp(lambda source: command.confirmation(options, source), options.pack)
