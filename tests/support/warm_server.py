"""Runs scripts one after the other, each in a fork of a Python that has heavy packages loaded.

`python warm_server.py`, then a line of JSON a script on stdin: `argv` (script and flags), `cwd`,
`environment`, `out` and `err` (files for what it prints). Its exit code comes back on stdout,
negative for a signal. Ends when stdin does.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

# What the analysis takes seconds to load. None of the project's own modules.
HEAVY = (
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "mlflow",
    "mlflow.tracking",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "sqlalchemy",
    "tyro",
)
HANG = 300  # seconds until a script is ended


def _become(job: dict[str, Any]) -> None:
    """Makes this process what `python script flags` would be, but for what is loaded."""
    signal.alarm(HANG)
    for number, name, mode in (
        (0, os.devnull, os.O_RDONLY),
        (1, job["out"], os.O_WRONLY | os.O_CREAT),
        (2, job["err"], os.O_WRONLY | os.O_CREAT),
    ):
        file = os.open(name, mode)
        os.dup2(file, number)
        os.close(file)
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.argv = job["argv"]
    sys.path[0] = str(Path(job["argv"][0]).parent)


def main() -> None:
    for name in HEAVY:
        importlib.import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(job)
            runpy.run_path(job["argv"][0], run_name="__main__")
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
