"""Running the project's scripts as users do, but for the seconds in which packages are loaded."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from support.scripts import ROOT, environment

_SERVER = Path(__file__).with_name("warm_server.py")


@cache
def _server() -> subprocess.Popen[str]:
    """Ends with this process, which holds the other end of its stdin."""
    return subprocess.Popen(
        [sys.executable, str(_SERVER)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_warm(script: str, *flags: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`run_script` in a fork of a Python that has pandas, matplotlib, MLflow … loaded.

    The script's file, its arguments, its exit code and what it prints are as there. Not for tests
    of what a script loads, nor of what differs between two starts of Python, such as hashes.
    """
    server = _server()
    assert server.stdin
    assert server.stdout
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        argv = [str(ROOT / script), *flags]
        job = {"argv": argv, "cwd": str(cwd), "environment": environment()}
        server.stdin.write(json.dumps({**job, "out": str(out), "err": str(err)}) + "\n")
        server.stdin.flush()
        code = server.stdout.readline()
        assert code, "the server of warm scripts has ended"
        return subprocess.CompletedProcess(argv, int(code), out.read_text(), err.read_text())
