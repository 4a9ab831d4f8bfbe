"""A script that is run warm is what `python script` makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.scripts import run_script
from support.warm_scripts import run_warm

SCRIPT = """
import atexit
import json
import os
import sys
from pathlib import Path

import beside

modules = {name.split(".")[0] for name in sys.modules}
if __name__ == "__main__":
    atexit.register(print, "the end")
    known = {"argv": sys.argv, "cwd": os.getcwd(), "file": __file__, "path": sys.path[0]}
    known |= {"variables": dict(os.environ), "stdin": sys.stdin.read(), "beside": beside.NUMBER}
    known |= {"ours": sorted(modules & {"analysis", "sweeps", "trainables"})}
    print(json.dumps(known, sort_keys=True))
    print("words", file=sys.stderr)
    Path("left").write_text("here")
    HOW
"""


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('words of the end')", 1),
        ("raise ValueError(beside)", 1),
        ("os.kill(os.getpid(), 9)", -9),
    ],
)
def test_it_finds_and_leaves_the_same(tmp_path: Path, how: str, code: int) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace("HOW", how))
    (tmp_path / "beside.py").write_text("NUMBER = 7")
    found = []
    for run in (run_script, run_warm):
        cwd = tmp_path / "cwd"
        cwd.mkdir()
        done = run(str(tmp_path / "script.py"), "--flag", "a value", cwd=cwd)
        assert done.returncode == code
        assert (cwd / "left").read_text() == "here"
        (cwd / "left").unlink()
        cwd.rmdir()
        # A traceback begins in other files.
        said = [line for line in done.stderr.splitlines() if not line.startswith(" ")]
        found.append((done.stdout, said))
    assert found[0] == found[1]
    assert ("the end" in found[0][0]) == (code >= 0)
