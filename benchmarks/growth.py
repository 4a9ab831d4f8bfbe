"""How a sweep's time and memory grow with the number of its trials, and where they go.

    python benchmarks/growth.py                    # 100, 1,000 and 10,000 trials
    python benchmarks/growth.py --sizes 100 1000
    python benchmarks/growth.py --quick            # does it run at all

`python sweeps/l2.py --num-samples N --seeds 1 --epochs 500` from process start to exit, in a new
folder each time. Wall time is the whole command's; the split is in CPU seconds, of all processes:

  training   what the record says that workers spent training, but at most their CPU seconds: they
             share the cores with the others
  Ray        the rest of the workers (start, imports, results sent) and Ray's daemons
  MLflow     the recorder's process
  other      the launcher: Tune's loop, the search, the report; and helpers of all of them
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from commands import check, start, sweep_command
from measure import RESULTS, print_table, save, shown
from processes import ROLES, Usage, Watch
from stores import row_counts, training_seconds


@dataclass(frozen=True)
class Run:
    """One sweep of `trials`: wall seconds, `split` in CPU seconds, and use by role of process."""

    trials: int
    epochs: int
    seconds: float
    split: dict[str, float]
    usage: Usage
    rows: dict[str, int]


def run(trials: int, epochs: int) -> Run:
    """Runs a sweep of that many trials with one seed each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        process = start(sweep_command(trials, 1, epochs), folder)
        watch = Watch(process)
        process.wait()
        seconds = time.perf_counter() - began
        usage = watch.stop()
        check(process, folder)
        training = training_seconds(folder)
        return Run(trials, epochs, seconds, _split(training, usage), usage, row_counts(folder))


def _split(training: float, usage: Usage) -> dict[str, float]:
    cpu = usage.cpu_seconds
    training = min(training, cpu["workers"])
    return {
        "training": training,
        "Ray": cpu["workers"] - training + cpu["Ray's daemons"],
        "MLflow": cpu["recorder"],
        "other": cpu["launcher"] + cpu["other"],
    }


def line(runs: Sequence[Run]) -> dict[str, str]:
    """Runs of one size as a line of a table, medians."""
    trials = runs[0].trials
    found = {
        "trials": f"{trials:,}",
        "n": str(len(runs)),
        "wall s": shown([each.seconds for each in runs]),
        "ms a trial": f"{1000 * median(each.seconds for each in runs) / trials:,.1f}",
    }
    for part in runs[0].split:
        found[f"{part}, CPU s"] = f"{median(each.split[part] for each in runs):.1f}"
    for role in ROLES[:-1]:
        most = median(each.usage.peak_bytes[role] for each in runs)
        found[f"{role}, peak MiB"] = f"{most / 2**20:,.0f}"
    found["metric rows"] = f"{runs[0].rows['metrics']:,}"
    return found


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of trials")
    parser.add_argument("--runs", type=int, help="of every size (default 3)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to try it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    options = parser.parse_args(arguments)
    if options.sizes is None:
        options.sizes = [4] if options.quick else [100, 1000, 10_000]
    if options.runs is None:
        options.runs = 1 if options.quick else 3
    if min(*options.sizes, options.runs) < 1:
        parser.error("all numbers must be at least 1")
    return options


def main() -> None:
    """Measures, prints the table and writes the JSON file."""
    options = parse()
    by_size = [
        [run(trials, 5 if options.quick else 500) for _ in range(options.runs)]
        for trials in options.sizes
    ]
    print_table("Growth, one seed a trial", [line(runs) for runs in by_size])
    content = {"runs": [asdict(each) for runs in by_size for each in runs]}
    print(f"raw results: {save('growth', options.out, sys.argv, content)}")


if __name__ == "__main__":
    main()
