"""Running the project's scripts as users do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Seconds until a subprocess counts as hanging. No test measures speed, and nothing that works waits
# so long: a slow machine only has to finish within it.
HANG = 900

# Five results one after the other, with time between them for a fault.
_FIVE = ("--num-samples", "5", "--seeds", "2", "--epochs", "600", "--pack", "1")
PACED = (*_FIVE, "--max-concurrent", "1")


def environment() -> dict[str, str]:
    """The environment of a user who has set nothing of MLflow's or Ray's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "RAY_", "TUNE_"))}


# Those that end by trying their best again on fresh seeds, which takes as long as another sweep.
_DECLARED = ("batch_size", "dropout", "elastic_net", "l1", "l2", "label_smoothing")


def flags_of(script: str | Path, flags: Sequence[str]) -> tuple[str, ...]:
    """The flags with which tests start the script: without a last part that few of them look at.

    A test that does gives `--confirm` itself.
    """
    other = ("--confirm", "--resume", "--dry-run", "--help", "--version")
    given = any(flag.split("=")[0] in other for flag in flags)
    if Path(script).stem not in _DECLARED or "sweeps" not in str(script) or given:
        return tuple(flags)
    return (*flags, "--confirm", "0")


def run_script(
    script: str, *flags: str, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs `python script flags` in `cwd` as a user does who has set those `variables`."""
    return subprocess.run(
        [sys.executable, str(ROOT / script), *flags_of(script, flags)],
        cwd=cwd,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


def start_script(script: str, *flags: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """Starts the same in the background, in a process group of its own as a terminal does."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *flags_of(script, flags)],
        cwd=cwd,
        env=environment() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
