"""A sweep from its flags to its last line: options, configurations, packs, Ray Tune, the record."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from sweeps.exit_codes import BAD_INPUT, DONE, INTERRUPTED, STORE, TERMINATED
from sweeps.interrupts import Interrupts, Stopped, leave_at_once
from sweeps.options import Options, base_hyperparameters, given, parse, problems
from sweeps.record.mlflow_store import StoreError, resolve_uri
from sweeps.recorder import Recorder, RecorderDied
from sweeps.recorder_messages import Open, Refused
from sweeps.resume import continued, look_up
from sweeps.search import points, problem
from sweeps.sweep import Sweep
from trainables.hyperparameters import Trial

if TYPE_CHECKING:
    from sweeps.manifest import Manifest


_STOPPED = (INTERRUPTED, TERMINATED)


def main(sweep: Sweep) -> None:
    """Runs `sweep` as the command line says and exits with one of `exit_codes`."""
    options = parse(sweep, sys.modules["__main__"].__doc__ or sweep.question)
    if found := all_problems(sweep, options):
        _complain("\n".join(found))
        sys.exit(BAD_INPUT)
    code = launch(sweep, options, given(sys.argv[1:]))
    if code in _STOPPED:
        leave_at_once(code)
    sys.exit(code)


def all_problems(sweep: Sweep, options: Options) -> list[str]:
    """A line for each thing wrong in `options`, found without starting anything."""
    found = problems(options, sweep)
    if not found and (wrong := problem(sweep, options.num_samples, options.search)):
        found.append(wrong)
    return found


def plan(sweep: Sweep, options: Options) -> list[Trial]:
    """The sweep's trials. Raises `ValueError` with a line for each thing wrong in `options`."""
    if found := all_problems(sweep, options):
        raise ValueError("\n".join(found))
    if options.smoke_test:
        options = replace(options, seeds=2, epochs=5)
    seeds = tuple(range(options.first_seed, options.first_seed + options.seeds))
    base = base_hyperparameters(options, sweep)
    chosen = points(sweep, options.num_samples, options.search, options.search_seed)
    if options.smoke_test:
        others = [*sweep.lesson_points(), *chosen]
        chosen = [sweep.baseline, next(each for each in others[::-1] if each != sweep.baseline)]
    trials = [sweep.trial(base, point, seeds) for point in chosen]
    return [replace(trial, folds=options.folds) for trial in trials]


def launch(sweep: Sweep, options: Options, stated: Collection[str]) -> int:
    """Trains and records what `options` ask for, prints what a user should know; the exit code.

    `stated`: names of the options that were given and not left to their defaults.
    """
    scratch = tempfile.mkdtemp(prefix="sweep-smoke-") if options.smoke_test else None
    if scratch:
        options = replace(options, tracking_uri=f"sqlite:///{scratch}/mlflow.db")
    try:
        with Interrupts() as interrupts:
            uri = resolve_uri(options.tracking_uri)
            if options.dry_run and options.resume is None:
                from sweeps.final_report import print_plan

                print_plan(sweep, plan(sweep, options), uri)
                return DONE
            return _run(sweep, options, stated, uri, interrupts)
    except (StoreError, RecorderDied) as error:
        _complain(str(error))
        return STORE
    except Refused as error:
        _complain(str(error))
        return error.code
    except Stopped as stopped:
        print(f"stopped by {stopped} before anything was trained", file=sys.stderr)
        return stopped.code
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _run(
    sweep: Sweep, options: Options, stated: Collection[str], uri: str, interrupts: Interrupts
) -> int:
    # Most of a small sweep's time are imports and start-ups in several processes: each begins as
    # early as it can. The recorder's own go on while this process imports Ray and starts it.
    recorder = Recorder()
    run_id = None
    try:
        if options.resume is None:
            recorder.send(Open(uri, options.experiment_name or sweep.name))

            def prepare() -> Manifest:
                from sweeps.manifest import make_manifest

                return make_manifest(sweep, options, plan(sweep, options))
        else:
            recorder.send(Open(uri, None))
            found = look_up(recorder, sweep, options)
            options = continued(sweep, found, options, stated)
            if found.complete or options.dry_run:
                from sweeps.final_report import print_remainder

                print_remainder(found, uri, options.retry_failed)
                return DONE
            run_id = found.run_id

            def prepare() -> Manifest:
                return found.promised

        from sweeps.run_sweep import SweepRun

        return SweepRun(prepare, options, uri, recorder, interrupts).run(run_id)
    finally:
        recorder.join()


def _complain(text: str) -> None:
    for line in text.splitlines():
        print(f"error: {line}", file=sys.stderr)
