"""From a command line to a sweep under way, or to the line that says why there is none."""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import TYPE_CHECKING, NoReturn

from sweeps.driver.exits import exit_code_of
from sweeps.driver.interrupts import Interrupts, Stopped, leave_at_once
from sweeps.driver.resume import continued, look_up
from sweeps.driver.source import ask_for_source, require_store
from sweeps.plan.command import Command
from sweeps.plan.errors import BadInput
from sweeps.plan.exit_codes import DONE, INTERRUPTED, TERMINATED
from sweeps.record.client import Recorder
from sweeps.record.messages import Open
from sweeps.record.store.opening import resolve_uri

if TYPE_CHECKING:
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
    if found := command.problems():
        raise BadInput("\n".join(found))
    options = command.options
    scratch = tempfile.mkdtemp(prefix="sweep-smoke-") if options.smoke_test else None
    try:
        with Interrupts() as interrupts:
            uri = f"sqlite:///{scratch}/mlflow.db" if scratch else resolve_uri(options.tracking_uri)
            if options.dry_run and options.resume is None and command.needs is None:
                from sweeps.driver.summary import print_plan

                print_plan(command.plan(), uri)
                return DONE
            return _run(command, uri, interrupts)
    except Stopped as stopped:
        print(f"stopped by {stopped} before anything was trained", file=sys.stderr)
        return stopped.code
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _run(command: Command, uri: str, interrupts: Interrupts) -> int:
    # Most of a small sweep's time are imports and start-ups in several processes: each begins as
    # early as it can. The recorder's own go on while this process imports Ray and starts it.
    if command.needs is not None and command.options.resume is None:
        require_store(command.options.tracking_uri)
    recorder = Recorder()
    options = command.options
    run_id = None
    try:
        if options.resume is not None:
            recorder.send(Open(uri, None))
            found = look_up(recorder, command)
            options = continued(command, found)
            if found.complete or options.dry_run:
                from sweeps.driver.summary import print_remainder

                print_remainder(found, uri, options.retry_failed)
                return DONE
            run_id = found.run_id

            def prepare() -> Manifest:
                return found.promised
        else:
            planned = None
            if command.needs is not None:
                recorder.send(Open(resolve_uri(options.tracking_uri), None))
                planned = command.plan(ask_for_source(recorder, command.needs))
                options = planned.options
                if options.dry_run:
                    from sweeps.driver.summary import print_plan

                    print_plan(planned, uri)
                    return DONE
            recorder.send(Open(uri, options.experiment_name or command.name))

            def prepare() -> Manifest:
                from sweeps.plan.new_manifest import make_manifest

                return make_manifest(*(planned or command.plan()))

        from sweeps.driver.session import SweepRun

        return SweepRun(prepare, options, uri, recorder, interrupts).run(run_id)
    finally:
        recorder.join()
