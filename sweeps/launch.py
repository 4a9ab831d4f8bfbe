"""A sweep from its flags to its last line: options, configurations, packs, Ray Tune, the record."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace

from sweeps.exit_codes import BAD_INPUT, DONE, STORE
from sweeps.interrupts import Interrupts, Stopped
from sweeps.options import Options, base_hyperparameters, parse, problems
from sweeps.search import points
from sweeps.sweep import Sweep
from trainables.hyperparameters import Trial


def main(sweep: Sweep) -> None:
    """Runs `sweep` as the command line says and exits with one of `exit_codes`."""
    options = parse(sweep, sys.modules["__main__"].__doc__ or sweep.question)
    try:
        trials = plan(sweep, options)
    except ValueError as error:
        _complain(str(error))
        sys.exit(BAD_INPUT)
    sys.exit(launch(sweep, options, trials))


def plan(sweep: Sweep, options: Options) -> list[Trial]:
    """The sweep's trials. Raises `ValueError` with a line for each thing wrong in `options`."""
    found = problems(options, sweep)
    if found:
        raise ValueError("\n".join(found))
    if options.smoke_test:
        options = replace(options, seeds=2, epochs=5)
    seeds = tuple(range(options.first_seed, options.first_seed + options.seeds))
    base = base_hyperparameters(options, sweep)
    chosen = points(sweep, options.num_samples, options.search, options.search_seed)
    if options.smoke_test:
        chosen = [sweep.baseline, next(point for point in chosen[::-1] if point != sweep.baseline)]
    return [sweep.trial(base, point, seeds) for point in chosen]


def launch(sweep: Sweep, options: Options, trials: Sequence[Trial]) -> int:
    """Trains and records `trials` and prints what a user should know; the exit code."""
    scratch = tempfile.mkdtemp(prefix="sweep-smoke-") if options.smoke_test else None
    if scratch:
        options = replace(options, tracking_uri=f"sqlite:///{scratch}/mlflow.db")
    try:
        with Interrupts() as interrupts:
            return _launch(sweep, options, trials, interrupts)
    except Stopped as stopped:
        print(f"stopped by {stopped}", file=sys.stderr)
        return stopped.code
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _launch(sweep: Sweep, options: Options, trials: Sequence[Trial], interrupts: Interrupts) -> int:
    from sweeps.manifest import make_manifest
    from sweeps.mlflow_store import StoreError, resolve_uri

    try:
        uri = resolve_uri(options.tracking_uri)
    except StoreError as error:
        _complain(str(error))
        return STORE
    if options.dry_run:
        from sweeps.final_report import print_plan

        print_plan(sweep, trials, uri)
        return DONE
    from sweeps.recorder import Recorder, RecorderDied
    from sweeps.run_sweep import SweepRun

    recorder = Recorder(uri, options.experiment_name or sweep.name, options.log_seeds)
    try:
        manifest = make_manifest(sweep, options, trials)
        return SweepRun(manifest, options, uri, recorder, interrupts).run()
    except (StoreError, RecorderDied) as error:
        _complain(str(error))
        return STORE
    finally:
        recorder.join()


def _complain(text: str) -> None:
    for line in text.splitlines():
        print(f"error: {line}", file=sys.stderr)
