"""Does the memory of launcher and recorder stay flat over a sweep of 10,000 trials?

    python benchmarks/memory.py             # 10,000 trials, packed as usual and ten in a pack
    python benchmarks/memory.py --quick     # does it run at all

`python sweeps/l2.py --num-samples N --seeds 1 --epochs 1`: models that are trained at once, so that
what grows with the number of trials is all there is. Memory is resident memory, read whenever
another tenth of the trials is recorded.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from commands import check, start
from measure import RESULTS, ROOT, print_table, save

ROLES = ("driver", "recorder")


@dataclass(frozen=True)
class Run:
    """A sweep: `recorded` trials at each look, and each process's resident bytes then.

    `together`: configurations in a pack, None for as many as the sweep takes by itself. `growth`:
    bytes a trial by process, the slope of a line through all looks but the first tenth's.
    """

    trials: int
    together: int | None
    packs: int
    recorded: list[int]
    resident: dict[str, list[float]]
    growth: dict[str, float]


def run(trials: int, together: int | None) -> Run:
    """Runs a sweep of that many trials and reads its diary."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flags = ["--num-samples", str(trials), "--seeds", "1", "--epochs", "1", "--quiet"]
        flags += ["--confirm", "0"]
        flags += ["--pack", str(together)] if together else []
        script = str(ROOT / "benchmarks/watched_sweep.py")
        process = start([sys.executable, script, "diary.json", "--", *flags], folder)
        process.wait()
        check(process, folder)
        diary = json.loads((folder / "diary.json").read_text())
    return read(diary, trials, together)


def read(diary: dict[str, Any], trials: int, together: int | None) -> Run:
    """What a diary of `watched_sweep` says of memory."""
    looks = [look for look in diary["looks"] if look.get("recorder_bytes")]
    taken, due = [], trials / 10
    for look in looks:
        if look["recorded"] >= due:
            taken.append(look)
            due = (look["recorded"] * 10 // trials + 1) * trials / 10
    later = [look for look in looks if look["recorded"] >= trials / 10] or looks
    counts = [look["recorded"] for look in later]
    growth = {}
    for role in ROLES:
        values = [look[f"{role}_bytes"] for look in later]
        growth[role] = float(np.polyfit(counts, values, 1)[0]) if len(set(counts)) > 1 else 0.0
    resident = {role: [look[f"{role}_bytes"] for look in taken] for role in ROLES}
    recorded = [int(look["recorded"]) for look in taken]
    return Run(trials, together, diary["packs"], recorded, resident, growth)


def lines(one: Run) -> list[dict[str, str]]:
    """A run as lines of a table."""
    found = []
    for number, recorded in enumerate(one.recorded):
        line = {"recorded": f"{recorded:,}"}
        for role in ROLES:
            line[f"{role}, MiB"] = f"{one.resident[role][number] / 2**20:.1f}"
        found.append(line)
    slope = {f"{role}, MiB": f"{one.growth[role]:,.0f} bytes a trial" for role in ROLES}
    return [*found, {"recorded": "growth", **slope}]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, help="of each sweep (default 10000)")
    parser.add_argument("--packs", type=int, nargs="*", help="configurations in a pack, besides")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to try it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    options = parser.parse_args(arguments)
    if options.trials is None:
        options.trials = 20 if options.quick else 10_000
    if options.packs is None:
        options.packs = [] if options.quick else [10]
    if min(options.trials, *options.packs, 1) < 1:
        parser.error("all numbers must be at least 1")
    return options


def main() -> None:
    """Measures, prints the tables and writes the JSON file."""
    options = parse()
    runs = []
    for together in (None, *options.packs):
        runs.append(run(options.trials, together))
        print_table(f"Memory, {runs[-1].packs:,} Ray Tune trials", lines(runs[-1]))
    content = {"runs": [asdict(each) for each in runs]}
    print(f"raw results: {save('memory', options.out, sys.argv, content)}")


if __name__ == "__main__":
    main()
