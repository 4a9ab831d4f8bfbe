"""Asks rival trainers, each in a process of its own: `rivals/jobs.py` is the other end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainables.train_pack import Model

RIVALS = Path(__file__).parent / "rivals"


class Job(NamedTuple):
    """Models (M) to train together, `runs` times."""

    models: Sequence[Model]
    runs: int


@dataclass(frozen=True)
class Outcome:
    """What a job took: `seconds` of each run, and the models' last test accuracies (M,), 0 to 1.

    `first_seconds`: of runs that had to compile first; empty for trainers that do not compile.
    """

    seconds: list[float]
    first_seconds: list[float]
    accuracies: list[float]


def ask(rival: str, jobs: Sequence[Job]) -> list[Outcome]:
    """Runs `rivals/<rival>.py` over `jobs`, in order. Raises `RuntimeError` when it fails."""
    asked = [
        {
            "runs": job.runs,
            "models": [
                {"hyperparameters": model.hyperparameters.as_dict(), "seed": model.seed.split}
                for model in job.models
            ],
        }
        for job in jobs
    ]
    done = subprocess.run(
        [sys.executable, str(RIVALS / f"{rival}.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"rivals/{rival}.py failed:\n{done.stderr[-2000:]}")
    return [Outcome(**values) for values in json.loads(done.stdout)]
