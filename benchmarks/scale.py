"""At how many workers and trials per second a cluster's parts are full: costs, model, check.

    python benchmarks/scale.py             # costs, model and check: much longer than the others
    python benchmarks/scale.py --quick     # does it run at all
    python benchmarks/scale_chart.py       # docs/scale.png from the results

Measured on this machine: training, the driver (the product's launcher with trials that sleep), the
recorder with a store in a file and at servers, and what goes over the network. From these costs
`queueing` computes where each part is full. Costs are CPU seconds, which others on the machine
change least. The model is checked against real sweeps of sleeping
trials on clusters of 1, 2 and 4 nodes, all of which share this machine's cores; the model gives
each part a core of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from measure import RESULTS, print_table, save
from prepared_results import train
from queueing import DriverCosts, Pack, limits
from recording_costs import Recording
from scale_checks import lines as check_lines
from scale_checks import measure, predict
from scale_costs import (
    EPOCHS,
    NETWORKS,
    SEEDS,
    Training,
    driver_costs,
    large_recorder_costs,
    recorder_costs,
    recording,
    seconds_a_trial,
    sleeping,
    training,
)
from sleeping_runs import Shape, SleepingRun

PACK_SECONDS = 20.0  # about as long as the product's packs are in long sweeps
SWEEP_TRIALS = 2000  # of a long sweep: so many that curves have their fewest points
SWEEPS = 4  # at once, in the column on several recorders
NOTE = """\
Trials of 10 seeds and 500 epochs. Workers: one core each, so many that the part is full. Of a part
that several sweeps at once do not share, that many sweeps reach that many times the rate."""


def limit_rows(
    trained: Sequence[Training], driver: DriverCosts, found: Sequence[Recording]
) -> list[dict[str, Any]]:
    """For each network, kind of store and size of sweep, where each part is full."""
    rows = []
    kinds = [each for each in dict.fromkeys(one.store for one in found) if "digits" not in each]
    for network in NETWORKS:
        a_trial = seconds_a_trial(trained, network.name)
        large = network is NETWORKS[-1]
        together = max(1, round(PACK_SECONDS / a_trial))
        for kind in kinds:
            for trials in (50, SWEEP_TRIALS):
                recorder = recorder_costs(found, kind, trials, EPOCHS)
                if large:
                    recorder = large_recorder_costs(found, kind, recorder)
                size = min(together, max(1, trials // 10))
                pack = Pack(size, size * a_trial)
                # Recorders at one file wait for each other, which is not in the model.
                for sweeps in (1, SWEEPS) if recorder.server else (1,):
                    rows.append(
                        {
                            "network": network.name,
                            "store": kind,
                            "trials": trials,
                            "together": size,
                            "seconds_a_trial": a_trial,
                            "sweeps": sweeps,
                            "recorder": asdict(recorder),
                            "limits": [
                                each._asdict() for each in limits(pack, driver, recorder, sweeps)
                            ],
                        }
                    )
    return rows


def limit_lines(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The rows as lines of a table."""
    found = []
    for row in rows:
        by_part = {each["part"]: each for each in row["limits"]}
        line = {
            "network": row["network"],
            "store": row["store"],
            "trials": f"{row['trials']:,}",
            "in a pack": str(row["together"]),
            "s a trial": f"{row['seconds_a_trial']:.3g}",
            "sweeps": str(row["sweeps"]),
        }
        for part in ("driver", "recorder", "server"):
            each = by_part.get(part)
            line[f"{part}: trials/s (workers)"] = (
                f"{each['trials_a_second']:.3g} ({each['workers']:,.0f})" if each else "–"
            )
        line["first"] = row["limits"][0]["part"]
        found.append(line)
    return found


def training_line(one: Training) -> dict[str, str]:
    """A line of the table of training."""
    micro = [1e6 * each for each in one.seconds_a_model_epoch]
    return {
        "network": one.network,
        "models in a pack": str(one.models),
        "µs a model and epoch": f"{median(micro):.1f} ({min(micro):.1f} to {max(micro):.1f})",
        "as packs are planned": f"{1e6 * one.estimated:.1f}",
        "kB a trial to the driver": f"{one.bytes_a_trial / 1000:,.0f}",
        "n": str(len(micro)),
    }


def recording_line(one: Recording) -> dict[str, str]:
    """A line of the table of recording."""
    cpu = ", ".join(f"{part} {1000 * s:.1f}" for part, s in sorted(one.cpu_a_trial.items()))
    return {
        "store": one.store,
        "recorders": str(one.recorders),
        "sweep's trials": str(one.promised),
        "in a delivery": str(one.together),
        "recorded": str(one.trials),
        "ms a trial": f"{1000 * one.seconds_a_trial:.1f}",
        "trials/s": f"{1 / one.seconds_a_trial:.1f}",
        "CPU ms a trial": cpu,
        "load": f"{one.load:.1f}",
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, help="of every sweep that is checked (default 3)")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        help="seconds to wait before each measurement while others use the machine (default 0)",
    )
    parser.add_argument(
        "--go-on", action="store_true", help="keep the results there; measure checks that lack"
    )
    parser.add_argument(
        "--again", action="store_true", help="measure nothing: the model of the results there are"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to try it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    options = parser.parse_args(arguments)
    if options.runs is None:
        options.runs = 1 if options.quick else 3
    if options.runs < 1:
        parser.error("all numbers must be at least 1")
    return options


class Bench:
    """What was measured, and what the model makes of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._trained: list[Training] = []
        self._recorded: list[Recording] = []
        self._network: dict[str, Any] = {}
        self._slept: list[SleepingRun] = []
        self._checks: list[list[SleepingRun]] = []

    def measure_costs(self) -> None:
        """Measures what each part costs."""
        quick, patience = self._options.quick, self._options.patience
        for network in NETWORKS[:1] if quick else NETWORKS:
            for trials in (1,) if quick or network is NETWORKS[-1] else (1, 5, 25):
                self._trained.append(training(network, trials, 1 if quick else 5))
        with tempfile.TemporaryDirectory(prefix="scale-") as name:
            self._recorded, self._network = recording(Path(name), quick, patience)
            self._slept = sleeping(self._prepared(name), quick, patience)
        self.save()

    def measure_checks(self) -> None:
        """Measures what the model is checked against, and saves what there is after each."""
        quick, patience = self._options.quick, self._options.patience
        there = [runs[0] for runs in self._checks]
        with tempfile.TemporaryDirectory(prefix="scale-") as name:
            prepared = self._prepared(name)
            runs_of_each = self._options.runs
            for runs in measure(prepared, _epochs(quick), quick, runs_of_each, patience, there):
                self._checks.append(runs)
                self.save()

    def _prepared(self, folder: str) -> Path:
        quick = self._options.quick
        flags = ("--seeds", str(SEEDS), "--epochs", str(_epochs(quick)))
        return train(4 if quick else 50, flags, Path(folder) / "prepared.arrow")

    def read(self, path: Path) -> None:
        """Takes what an earlier call measured."""
        found = json.loads(path.read_text())
        self._trained = [Training(**one) for one in found["training"]]
        self._recorded = [Recording(**one) for one in found["recording"]]
        self._network = found["network_bytes_a_trial"]
        self._slept = [_run(one) for one in found["sleeping"]]
        self._checks = [[_run(one) for one in check["runs"]] for check in found["checks"]]

    def save(self) -> Path:
        """Writes all into the JSON file; its path."""
        driver = driver_costs(self._slept)
        content: dict[str, Any] = {
            "training": [asdict(one) for one in self._trained],
            "recording": [asdict(one) for one in self._recorded],
            "network_bytes_a_trial": self._network,
            "sleeping": [asdict(one) for one in self._slept],
            "driver": asdict(driver),
            "limits": self._limits(driver),
            "checks": [
                {
                    "runs": [asdict(one) for one in runs],
                    "predicted": predict(runs[0], driver, self._recorded)._asdict(),
                }
                for runs in self._checks
            ],
        }
        return save("scale", self._options.out, sys.argv, content)

    def print(self) -> None:
        """Prints the tables."""
        driver = driver_costs(self._slept)
        milli = {key: f"{1000 * value:.2f}" for key, value in asdict(driver).items()}
        print_table("Training, one core", [training_line(one) for one in self._trained])
        print_table("Recording", [recording_line(one) for one in self._recorded])
        print_table("Driver, ms of its main thread", [milli])
        checks = [(runs, predict(runs[0], driver, self._recorded)) for runs in self._checks]
        print_table("Model against sweeps of sleeping trials", check_lines(checks))
        if rows := self._limits(driver):
            print_table("Where each part is full", limit_lines(rows), NOTE)

    def _limits(self, driver: DriverCosts) -> list[dict[str, Any]]:
        everything = len({one.network for one in self._trained}) == len(NETWORKS)
        return limit_rows(self._trained, driver, self._recorded) if everything else []


def _epochs(quick: bool) -> int:
    return 5 if quick else EPOCHS


def _run(values: dict[str, Any]) -> SleepingRun:
    return SleepingRun(**{**values, "shape": Shape(*values["shape"])})


def main() -> None:
    """Measures or reads, prints the tables and writes the JSON file."""
    options = parse()
    bench = Bench(options)
    if options.go_on or options.again:
        bench.read(options.out / "scale.json")
    else:
        bench.measure_costs()
    if not options.again:
        bench.measure_checks()
    bench.print()
    print(f"raw results: {bench.save()}")


if __name__ == "__main__":
    main()
