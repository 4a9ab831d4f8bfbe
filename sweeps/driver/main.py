"""The one line of a sweep's script."""

from __future__ import annotations

import sys

from sweeps.driver.launch import run_command
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import given, parse
from sweeps.plan.sweep import Sweep


def main(sweep: Sweep) -> None:
    """Runs `sweep` as the command line says and exits with one of `exit_codes`."""
    options = parse(sweep, sys.modules["__main__"].__doc__ or sweep.question)
    run_command(DeclaredSweep(sweep, options, given(sys.argv[1:])))
