"""What a sweep would take without each of the private interfaces of Ray and MLflow that save time.

    python benchmarks/private_hooks.py             # about 10 minutes
    python benchmarks/private_hooks.py --quick     # does it run at all

A small sweep from a copy of the project in which one function does nothing, as if what it uses had
moved, and the same from an unchanged copy, in turns; what the runs differ by, pair by pair.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import sys
import tempfile
from pathlib import Path

from commands import seconds_of
from measure import RESULTS, ROOT, print_table, save, shown

RAY, MLFLOW = "sweeps/cluster/ray_private.py", "sweeps/record/store/mlflow_private.py"
SMALL = ("--num-samples", "10", "--seeds", "10", "--epochs", "500", "--confirm", "0")
TINY = ("--num-samples", "1", "--seeds", "1", "--epochs", "2", "--confirm", "0")
# Each with the flags of a sweep to which it makes a difference.
HOOKS = {
    "start_no_helpers": (RAY, SMALL),
    "no_environment_asked": (RAY, SMALL),
    "cpus_found": (RAY, (*SMALL, "--max-concurrent", "1")),
    "trust_requirements": (MLFLOW, SMALL),
}
NOTE = "Median seconds (min to max) of whole commands in turns; saved: of the pairs' differences."


def copy_without(hook: str | None, copy: Path) -> Path:
    """`copy`, a copy of what a sweep runs in which the function `hook` does nothing."""
    for name in ("sweeps", "trainables"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    if hook is not None:
        file = copy / HOOKS[hook][0]
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for each in tree.body:
            if isinstance(each, ast.FunctionDef) and each.name == hook:
                gives = "yield" if each.decorator_list else "return 0"
                each.body = ast.parse(f"def moved():\n {gives}").body[0].body  # type: ignore[attr-defined]
        file.write_text(ast.unparse(tree), encoding="utf-8")
    return copy


def seconds_in(copy: Path, flags: tuple[str, ...]) -> float:
    """Seconds of a sweep that runs the code of `copy`, recorded in a new folder."""
    os.environ["PYTHONPATH"] = str(copy)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        return seconds_of([sys.executable, str(copy / "sweeps/l2.py"), *flags], Path(folder))


def main() -> None:
    """Times a sweep with and without each, prints and saves what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs for each")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for raw results")
    parser.add_argument("--quick", action="store_true", help="one pair of one, tiny")
    options = parser.parse_args()
    hooks, runs = (list(HOOKS)[:1], 1) if options.quick else (list(HOOKS), options.runs)
    found, rows = {}, []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        whole = copy_without(None, Path(scratch) / "whole")
        if not options.quick:
            seconds_in(whole, SMALL)  # compiles what all runs use
        for hook in hooks:
            without = copy_without(hook, Path(scratch) / hook)
            flags = TINY if options.quick else HOOKS[hook][1]
            if not options.quick:
                seconds_in(without, flags)
            pairs = [(seconds_in(without, flags), seconds_in(whole, flags)) for _ in range(runs)]
            lacking, having = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            saved = [pair[0] - pair[1] for pair in pairs]
            found[hook] = {"without": lacking, "with": having}
            rows.append(
                {
                    "hook": hook,
                    "without": shown(lacking, 1),
                    "with": shown(having, 1),
                    "saved": shown(saved, 1),
                }
            )
    print_table("Private interfaces", rows, NOTE)
    print(save("private_hooks", options.out, sys.argv, {"seconds": found}))


if __name__ == "__main__":
    main()
