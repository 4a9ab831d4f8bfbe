"""Whole sweeps, from process start to exit with everything recorded, against other ways.

    python benchmarks/sweep.py             # about 20 minutes, most of them stock Ray Tune's
    python benchmarks/sweep.py --quick     # does it run at all

`python sweeps/l2.py` for 50 values of λ with 10 seeds and with 1, each run in a new folder, against
stock Ray Tune with `MLflowLoggerCallback` and against joblib with `log_batch` (see `rivals/`), all
with the lesson's network, equal λ and equal seeds. The rivals would take minutes to hours: they run
some of the models, in two sizes; the difference between the sizes gives the time of a model, the
rest is start-up, and the time of all models is extrapolated from the two and marked so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from commands import RIVALS, seconds_of, sweep_command
from measure import RESULTS, print_table, save, shown
from stores import Accuracies, rival_accuracies, row_counts, sweep_accuracies
from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import parse as parse_sweep

STOCK, JOBLIB = "stock Ray Tune + MLflowLoggerCallback", "joblib + log_batch"
SCRIPTS = {STOCK: "stock_ray_tune.py", JOBLIB: "joblib_log_batch.py"}
NOTE = """\
Median seconds (min to max) from process start to exit, with what the store then holds. Unlike ours:
how many models' last test accuracy differs. Extrapolated: start-up + models × seconds a model."""


@dataclass(frozen=True)
class Row:
    """One size of one way: `seconds` of each run, and the rows that its store then held.

    `agreement`: how many models' last test accuracies differ from those of our largest sweep.
    """

    way: str
    configurations: int
    seeds: int
    epochs: int
    seconds: list[float]
    rows: dict[str, int]
    agreement: dict[str, float] | None = None


@dataclass(frozen=True)
class Extrapolation:
    """What all `models` would take: `startup_seconds` + `models` · `seconds_a_model`.

    From the medians at two sizes.
    """

    way: str
    models: int
    startup_seconds: float
    seconds_a_model: float
    seconds: float
    times_ours: float


class Bench:
    """The measurements of one command."""

    def __init__(self, configurations: int, seeds: int, epochs: int, runs: int) -> None:
        flags = ["--num-samples", str(configurations), "--seeds", str(seeds)]
        trials = (
            DeclaredSweep(SWEEP, parse_sweep(SWEEP, "", [*flags, "--epochs", str(epochs)]))
            .plan()
            .trials
        )
        self._l2_by_key = {trial.key: trial.hyperparameters.l2 for trial in trials}
        self._configurations, self._seeds, self._epochs = configurations, seeds, epochs
        self._runs = runs
        self._accuracies: Accuracies = {}
        self.rows: list[Row] = []

    def ours(self, seeds: int) -> None:
        """Measures the sweep with that many seeds; the first call is what rivals compare with."""
        command = sweep_command(self._configurations, seeds, self._epochs)
        seconds, rows, accuracies = [], {}, {}
        for _ in range(self._runs):
            with tempfile.TemporaryDirectory() as folder:
                seconds.append(seconds_of(command, Path(folder)))
                rows = row_counts(Path(folder))
                accuracies = sweep_accuracies(Path(folder), self._l2_by_key)
        self._accuracies = self._accuracies or accuracies
        way = "python sweeps/l2.py"
        self.rows.append(Row(way, self._configurations, seeds, self._epochs, seconds, rows))

    def rival(self, way: str, models: int) -> None:
        """Measures a rival on the first seed of `models` configurations, evenly taken."""
        values = list(self._l2_by_key.values())
        taken = np.linspace(0, len(values) - 1, models).round().astype(int)
        l2 = [str(values[number]) for number in taken]
        command = [sys.executable, str(RIVALS / SCRIPTS[way]), "--l2", *l2]
        command += ["--seeds", "0", "--epochs", str(self._epochs)]
        seconds, rows, agrees = [], {}, None
        for _ in range(self._runs):
            with tempfile.TemporaryDirectory() as folder:
                seconds.append(seconds_of(command, Path(folder)))
                rows = row_counts(Path(folder))
                agrees = self._agreement(rival_accuracies(Path(folder)))
        self.rows.append(Row(way, models, 1, self._epochs, seconds, rows, agrees))

    def _agreement(self, found: Accuracies) -> dict[str, float]:
        gaps = [abs(accuracy - self._accuracies[model]) for model, accuracy in found.items()]
        return {
            "models": len(gaps),
            "models_that_differ": sum(gap > 1e-6 for gap in gaps),
            "mean_absolute_difference": float(np.mean(gaps)),
        }


def extrapolate(way: str, rows: Sequence[Row]) -> list[Extrapolation]:
    """What a rival would take for all models of our sweep, the first row; nothing from one size."""
    ours = rows[0]
    sizes = [
        (row.configurations * row.seeds, median(row.seconds)) for row in rows if row.way == way
    ]
    if len(sizes) < 2:
        return []
    (fewest, shortest), (most, longest) = min(sizes), max(sizes)
    a_model = (longest - shortest) / (most - fewest)
    startup = longest - most * a_model
    models = ours.configurations * ours.seeds
    total = startup + models * a_model
    return [Extrapolation(way, models, startup, a_model, total, total / median(ours.seconds))]


def lines(rows: Sequence[Row], extrapolations: Sequence[Extrapolation]) -> list[dict[str, str]]:
    """The measurements and what is extrapolated from them as lines of a table."""
    found = []
    for row in rows:
        agrees = row.agreement
        found.append(
            {
                "way": row.way,
                "models": f"{row.configurations} × {row.seeds}",
                "epochs": str(row.epochs),
                "seconds": shown(row.seconds),
                "n": str(len(row.seconds)),
                "": "",
                "× ours": "",
                **{name: f"{count:,}" for name, count in row.rows.items()},
                "unlike ours": f"{agrees['models_that_differ']} of {agrees['models']}"
                if agrees
                else "",
            }
        )
    for each in extrapolations:
        line = dict.fromkeys(found[0], "")
        line |= {"way": each.way, "models": f"{each.models:,}", "epochs": str(rows[0].epochs)}
        line["seconds"] = (
            f"{each.seconds:,.0f} = {each.startup_seconds:.1f} + "
            f"{each.models} × {each.seconds_a_model:.3f}"
        )
        found.append({**line, "": "extrapolated", "× ours": f"{each.times_ours:,.1f}"})
    return found


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, help="of every measurement (default 3)")
    parser.add_argument(
        "--rival-models",
        type=int,
        help="largest size of stock Ray Tune, joblib's is six times that; the smaller size is half "
        "(default 4)",
    )
    parser.add_argument(
        "--rivals", nargs="*", choices=("stock", "joblib"), default=["stock", "joblib"]
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to try it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    options = parser.parse_args(arguments)
    for name, usual, quick in (("runs", 3, 1), ("rival_models", 4, 1)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    if min(options.runs, options.rival_models) < 1:
        parser.error("all numbers must be at least 1")
    return options


def main() -> None:
    """Measures, prints the table and writes the JSON file."""
    options = parse()
    bench = Bench(2, 2, 5, options.runs) if options.quick else Bench(50, 10, 500, options.runs)
    for seeds in (2,) if options.quick else (10, 1):
        bench.ours(seeds)
    extrapolations: list[Extrapolation] = []
    for rival, way, times in (("stock", STOCK, 1), ("joblib", JOBLIB, 1 if options.quick else 6)):
        if rival in options.rivals:
            most = options.rival_models * times
            for models in sorted({max(1, most // 2), most}):
                bench.rival(way, models)
            extrapolations += extrapolate(way, bench.rows)
    print_table("Sweeps, process start to exit", lines(bench.rows, extrapolations), NOTE)
    content: dict[str, Any] = {
        "rows": [asdict(row) for row in bench.rows],
        "extrapolations": [asdict(each) for each in extrapolations],
    }
    print(f"raw results: {save('sweep', options.out, sys.argv, content)}")


if __name__ == "__main__":
    main()
