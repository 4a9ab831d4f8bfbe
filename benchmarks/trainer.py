"""Models trained per second on one core, against other ways and against the arithmetic.

    python benchmarks/trainer.py                  # one core, about 10 minutes
    python benchmarks/trainer.py --device cuda    # this project's trainer on a GPU
    python benchmarks/trainer.py --quick          # seconds: does it run at all

The lesson's network (4-32-3, Iris), train and test accuracy of every epoch, as in a sweep over l2
with ten seeds. Every rate is in models of 500 epochs; one from fewer epochs, or on a few of the
models that the others train together, is marked extrapolated. Every trainer is bound to the same
core, set-up of data and weights counts, imports do not. Neither Ray nor MLflow is needed, and JAX
only to be compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from asking import Job, ask
from cases import FULL_EPOCHS, LESSON, Case, Row, agreement, evenly, lines, measured
from floor import flops_a_model_epoch, peak_flops
from measure import RESULTS, pin_to_one_core, print_table, save, time_runs
from trainables import data
from trainables.train_pack import train_pack

WAY, MODELS, BATCH = "way", "number of models", "batch size"  # the sections
DROPOUT = (0.0, 0.3)
CPU_MODELS = (1, 4, 16, 64, 128, 256, 512, 1024)
CUDA_MODELS = (128, 1024, 10_000, 100_000)
BATCHES = (2, 4, 8, 16, 32, 64)
NO_DEVICE = 5  # exit code, as when a sweep does not get the resources that it asks for
NOTE = """\
Median rates, in models of 500 epochs. Unlike ours: how many models' last test accuracy differs from
train_pack's, and all models' mean difference. Dropout masks are each trainer's own, except in
train_one: with dropout only means can agree."""


class Bench:
    """The measurements of one command."""

    def __init__(self, device: str, runs: int) -> None:
        self._device, self._runs = device, runs
        self._dataset = data.load("iris")
        self.rows: list[Row] = []
        self._accuracies: dict[Case, NDArray[Any]] = {}

    def ours(self, section: str, case: Case) -> None:
        """Measures `train_pack`; calls of `rivals` compare with what it found."""
        members, cuda = case.members(), self._device == "cuda"
        train_pack(Case(min(case.models, 16), 2).members(), self._dataset, self._device)
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        seconds, trained = time_runs(
            lambda: train_pack(members, self._dataset, self._device),
            self._runs,
            torch.cuda.synchronize if cuda else lambda: None,
        )
        accuracies = self._accuracies[case] = trained.curves["test/accuracy"][:, -1]
        more: dict[str, Any] = {}
        if cuda:
            more["memory_bytes"] = torch.cuda.max_memory_allocated()
            few = evenly(case.models, 16)
            on_cpu = train_pack([members[number] for number in few], self._dataset)
            more["agreement"] = agreement(accuracies[few], on_cpu.curves["test/accuracy"][:, -1])
        self.rows.append(measured(section, "train_pack", case, seconds, **more))

    def rivals(self, way: str, script: str, asked: Sequence[tuple[str, Case, int]]) -> None:
        """Measures a rival, for each section and case on few of its models (on all when 0)."""
        taken = [evenly(case.models, few or case.models) for _, case, few in asked]
        jobs = []
        for (_, case, _), numbers in zip(asked, taken, strict=True):
            members = case.members()
            jobs.append(Job([members[number] for number in numbers], self._runs))
        for (section, case, _), numbers, outcome in zip(
            asked, taken, ask(script, jobs), strict=True
        ):
            done = replace(case, models=len(numbers))
            more = {
                "extrapolated": done.models != case.models or case.epochs != FULL_EPOCHS,
                "agreement": agreement(outcome.accuracies, self._accuracies[case][numbers]),
            }
            warm = ", warm" if outcome.first_seconds else ""
            self.rows.append(measured(section, way + warm, done, outcome.seconds, **more))
            if warm:
                name = f"{way}, with compiling"
                self.rows.append(measured(section, name, done, outcome.first_seconds, **more))

    def floor(self, section: str, case: Case, peak: float) -> None:
        """Adds what the arithmetic alone would take at `peak` operations a second."""
        operations = flops_a_model_epoch(case.members()[0].hyperparameters)
        rate = peak / (operations * FULL_EPOCHS)
        way = f"floor: {operations:,} FLOP an epoch"
        self.rows.append(Row(section, way, replace(case, models=1), [], rate, True))


def on_one_core(options: argparse.Namespace) -> tuple[list[Row], dict[str, float]]:
    """All measurements of one core, and the core's peak."""
    pin_to_one_core()
    torch.set_num_threads(1)
    quick = options.quick
    bench = Bench("cpu", options.runs)
    peak = peak_flops(256 if quick else 2048)
    by_way = [
        Case(models, 10 if quick else FULL_EPOCHS, 16, p)
        for p in DROPOUT
        for models in ([16] if quick else [128, 256])
    ]
    by_models = [Case(models, options.epochs, 16, p) for models in options.models for p in DROPOUT]
    by_batch = [
        Case(16 if quick else 128, options.epochs, batch, p)
        for batch in ([64] if quick else BATCHES)
        for p in DROPOUT
    ]
    for section, cases in ((WAY, by_way), (MODELS, by_models), (BATCH, by_batch)):
        for case in cases:
            bench.ours(section, case)

    smallest = [case for case in by_way if case.models == by_way[0].models]
    singly = [(WAY, case, options.rival_models) for case in smallest]
    bench.rivals("train_one", "oracle", singly)
    bench.rivals(LESSON, "lesson_loop", [*singly, *((BATCH, case, 1) for case in by_batch)])
    bench.rivals("torch.func", "torch_func", [(WAY, case, 0) for case in smallest])
    if find_spec("jax"):
        bench.rivals("JAX vmap + scan", "jax_vmap", [(WAY, case, 0) for case in by_way])
    for section, cases in ((WAY, smallest), (BATCH, by_batch)):
        for case in cases:
            bench.floor(section, case, peak)
    return bench.rows, {"peak_gflops_of_one_core": peak / 1e9}


def on_cuda(options: argparse.Namespace) -> tuple[list[Row], dict[str, str]]:
    """All measurements of the GPU, and its name."""
    bench = Bench("cuda", options.runs)
    for models in options.models:
        for p in DROPOUT:
            bench.ours(
                "number of models", Case(models, 10 if options.quick else FULL_EPOCHS, 16, p)
            )
    together = min(10_000, max(options.models))
    for batch in [64] if options.quick else BATCHES:
        for p in DROPOUT:
            bench.ours(BATCH, Case(together, options.epochs, batch, p))
    return bench.rows, {"gpu": torch.cuda.get_device_name()}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--models", type=int, nargs="+", help="numbers of models (M) to train")
    parser.add_argument("--epochs", type=int, help="where 500 are not trained (default 100)")
    parser.add_argument("--runs", type=int, help="of every measurement (default 3)")
    parser.add_argument(
        "--rival-models", type=int, help="models given to rivals that train singly (default 4)"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to try it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    options = parser.parse_args(arguments)
    usual = CUDA_MODELS if options.device == "cuda" else CPU_MODELS
    defaults = {"models": [*usual], "epochs": 100, "runs": 3, "rival_models": 4}
    if options.quick:
        defaults = {"models": [1, 16], "epochs": 5, "runs": 1, "rival_models": 2}
    for name, value in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if min(*options.models, options.epochs, options.runs, options.rival_models) < 1:
        parser.error("all numbers must be at least 1")
    return options


def main() -> None:
    """Measures, prints the tables and writes the JSON file."""
    options = parse()
    cuda = options.device == "cuda"
    if cuda and not torch.cuda.is_available():
        print(f"error: torch {torch.__version__} finds no CUDA device", file=sys.stderr)
        sys.exit(NO_DEVICE)
    rows, facts = on_cuda(options) if cuda else on_one_core(options)
    for section, of_section in lines(rows).items():
        print_table(f"By {section}, {facts.get('gpu', 'one core')}", of_section)
    print(NOTE)
    if not cuda and not find_spec("jax"):
        print("JAX is left out: pip install -e '.[bench]'")
    name = "trainer_cuda" if cuda else "trainer"
    path = save(name, options.out, sys.argv, {**facts, "rows": [asdict(row) for row in rows]})
    print(f"raw results: {path}")


if __name__ == "__main__":
    main()
