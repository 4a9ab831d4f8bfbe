"""The command line that every sweep shares, as one typed record. Imports neither torch nor Ray."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import tyro

from sweeps.sweep import Sweep
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import RANGES, Hyperparameters, Range, problem, shown

SearchName = Literal["qmc", "grid", "random"]
MOST_CONFIGURATIONS = 100_000
MOST_SEEDS = 100_000
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _read_number(words: list[str]) -> Any:
    """A number where the text is one, else the text: it is refused later, with all other errors."""
    text = words[0]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and "." not in text else value  # 1e9 is whole


def _show_number(value: Any) -> list[str]:
    return ["automatic" if value is None else f"{value:g}"]


_lenient: tyro.constructors.PrimitiveConstructorSpec[Any] = (
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="N",
        instance_from_str=_read_number,
        is_instance=lambda _: True,
        str_from_instance=_show_number,
    )
)
# A flag that may stand alone. Several words are kept as one, which is refused later.
NEWEST = "newest"
_perhaps_run_id: tyro.constructors.PrimitiveConstructorSpec[str | None] = (
    tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar="[RUN_ID]",
        instance_from_str=lambda words: " ".join(words) or NEWEST,
        is_instance=lambda _: True,
        str_from_instance=lambda value: ["no"] if value is None else [value],
    )
)
# `Annotated` keeps the types for the type checker while any text passes the parser.
Whole = Annotated[int, _lenient]
Number = Annotated[float, _lenient]
MaybeWhole = Annotated[int | None, _lenient]
MaybeNumber = Annotated[float | None, _lenient]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Flags of a sweep; hyperparameters that the sweep varies are None."""

    num_samples: MaybeWhole = None
    """Number of configurations (never times seeds); without it the lesson's own values."""
    seeds: Whole = 10
    """Replicates of every configuration, each with its own split, weights and batch order."""
    first_seed: Whole = 0
    """Seeds are this one and those that follow it."""
    folds: Whole = 0
    """Cross-validate on the training rows with this many folds and choose by that; 0: do not."""
    search: SearchName = "qmc"
    """How --num-samples draws: quasi-random (qmc), evenly spaced (grid) or random."""
    search_seed: Whole = 0
    """Seeds the search, and nothing else."""

    epochs: Whole = 500
    """Passes over the training rows."""
    lr: Number = 0.005
    """Step size of SGD."""
    batch_size: MaybeWhole = 16
    """Rows per update."""
    hidden: tuple[Whole, ...] = (32,)
    """Units of each hidden layer, such as --hidden 64 64."""
    dropout: MaybeNumber = 0.0
    """Probability of dropping a hidden unit, 0 to 1."""
    l1: MaybeNumber = 0.0
    """λ of the L1 penalty λ · (1 / number of weights) · Σ|w|."""
    l2: MaybeNumber = 0.0
    """λ of the L2 penalty (λ/2) · Σw², PyTorch's weight_decay."""
    dataset: Literal["iris", "wine", "breast_cancer", "digits"] = "iris"
    """Data from scikit-learn; 80 % of the rows train, 20 % test."""
    standardize: bool = False
    """Scale features to mean 0 and deviation 1 on the training rows."""
    drop_last: bool = True
    """Leave out an epoch's last batch when it is not full, as the lesson does."""

    cpus_per_trial: Number = 1
    """CPUs that each Ray Tune trial reserves."""
    gpus_per_trial: Number = 0
    """GPUs of each Ray Tune trial: a fraction such as 0.25 (with that share of memory) or whole."""
    max_concurrent: MaybeWhole = None
    """At most this many Ray Tune trials at once."""
    pack: MaybeWhole = None
    """Configurations trained together in one Ray Tune trial; by default chosen from free slots."""

    tracking_uri: str | None = None
    """MLflow store; else MLFLOW_TRACKING_URI, else sqlite:///mlflow.db in the current folder."""
    experiment_name: str | None = None
    """MLflow experiment; by default the sweep's name."""
    log_seeds: bool = False
    """One more MLflow run for every seed of every trial."""

    store_patience: Number = 120
    """Seconds that the end waits for a store that does not answer; then results stay on disk."""

    resume: Annotated[str | None, _perhaps_run_id] = None
    """Complete a sweep that was started before: the newest unfinished one, or that of the run."""
    retry_failed: bool = False
    """With --resume: train trials that failed again."""

    dry_run: bool = False
    """Print the plan and stop; nothing is started or written."""
    smoke_test: bool = False
    """Two configurations, two seeds and few epochs, recorded in a store that is thrown away."""
    quiet: bool = False
    """No progress, only the final table and errors."""


def defaults(sweep: Sweep) -> Options:
    """The options of `python sweeps/NAME.py` without flags; None for what the sweep varies."""
    usual: dict[str, Any] = {each.name: each.default for each in fields(Hyperparameters)}
    usual |= sweep.defaults
    return Options(**{**usual, **{axis.name: None for axis in sweep.axes}})


def given(arguments: Sequence[str]) -> set[str]:
    """Names of the options that stand on the command line."""
    flags = {word[2:].split("=")[0].replace("-", "_") for word in arguments if word[:2] == "--"}
    flags |= {name.removeprefix("no_") for name in flags}
    return flags & {each.name for each in fields(Options)}


def parse(sweep: Sweep, description: str, arguments: Sequence[str] | None = None) -> Options:
    """The options of the command line; ends the process on `--help` (0) or an unknown flag (2)."""
    return tyro.cli(
        Options,
        default=defaults(sweep),
        description=description,
        prog=f"python sweeps/{sweep.name}.py",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def base_hyperparameters(options: Options, sweep: Sweep) -> Hyperparameters:
    """The configuration at the sweep's baseline, everything else as the options say."""
    baseline = {axis.name: axis.baseline for axis in sweep.axes}
    values = {each.name: getattr(options, each.name) for each in fields(Hyperparameters)}
    return Hyperparameters(**{**values, **baseline})


def _cost(options: Options, sweep: Sweep) -> str:
    from sweeps.packs import training_seconds

    try:
        models = options.seeds * (1 + options.folds)
        seconds = training_seconds(base_hyperparameters(options, sweep), models)
        days = seconds * options.num_samples / 86_400 if options.num_samples else 0
        return f" (about {days:,.0f} days of one core)"
    except (ValueError, TypeError, OverflowError):  # other options are wrong, and listed
        return ""


def _rows_of_batch(size: object) -> int:
    return size if isinstance(size, int) else 1  # what is no number is refused by itself


def _fold_problem(options: Options, largest_batch: int) -> str | None:
    """What is wrong with the number of folds beside batches of up to that many rows, or None."""
    folds, facts = options.folds, DATASETS[options.dataset]
    most = facts.train // facts.classes
    if folds == 0 and Range(0, 0, whole=True).holds(folds):
        return None
    if not Range(2, most, whole=True).holds(folds):
        return (
            f"--folds needs 0 (none) or a whole number from 2 to {most}, so that a fold of the "
            f"{facts.train} training rows of {options.dataset} has at least as many rows as there "
            f"are classes, got {shown(folds)}"
        )
    kept = facts.train - facts.train // folds
    if kept < largest_batch:
        return (
            f"--folds needs to leave the {largest_batch} rows of a batch to train on, but a fold "
            f"leaves {kept} of the {facts.train} training rows of {options.dataset}, got {folds}"
        )
    return None


def problems(options: Options, sweep: Sweep) -> list[str]:
    """All that is wrong with the options, a line each: the flag, what it needs, what came."""

    found: list[str] = []

    def check(flag: str, value: object, allowed: Range) -> None:
        if value is not None and not allowed.holds(value):
            found.append(f"--{flag} needs {allowed.describe()}, got {shown(value)}")

    if options.num_samples is not None:
        check("num-samples", options.num_samples, Range(1, MOST_CONFIGURATIONS, whole=True))
        if found and isinstance(options.num_samples, int) and options.num_samples > 0:
            found[-1] += _cost(options, sweep)
    check("seeds", options.seeds, Range(1, MOST_SEEDS, whole=True))
    check("first-seed", options.first_seed, Range(0, 2**62, whole=True))
    check("search-seed", options.search_seed, Range(0, 2**32 - 1, whole=True))
    check("cpus-per-trial", options.cpus_per_trial, Range(0, 4096, above=True))
    check("gpus-per-trial", options.gpus_per_trial, Range(0, 64))
    check("max-concurrent", options.max_concurrent, Range(1, 100_000, whole=True))
    check("pack", options.pack, Range(1, MOST_CONFIGURATIONS, whole=True))
    check("store-patience", options.store_patience, Range(0, 86_400))
    if options.resume not in (None, NEWEST) and not _RUN_ID.fullmatch(options.resume):
        found.append(
            f"--resume needs the run id of a sweep or nothing, got {shown(options.resume)}"
        )
    if options.resume is not None and options.smoke_test:
        found.append("--resume goes without --smoke-test, which records nothing that could go on")
    if options.retry_failed and options.resume is None:
        found.append("--retry-failed needs --resume, got it without")
    gpus = options.gpus_per_trial
    if Range(1, 64, above=True).holds(gpus) and gpus != int(gpus):
        found.append(f"--gpus-per-trial needs a whole number or one up to 1, got {gpus}")

    swept = {axis.name: axis for axis in sweep.axes}
    for name in RANGES:
        flag, value = name.replace("_", "-"), getattr(options, name)
        if name in swept:
            if value is not None:
                found.append(
                    f"--{flag} is what this sweep varies and cannot be set, got {shown(value)}"
                )
        elif text := problem(name, value):
            found.append(f"--{flag} {text}")
    rows = DATASETS[options.dataset].train
    sizes = swept["batch_size"].choices if "batch_size" in swept else (options.batch_size,)
    if any(isinstance(size, int) and size > rows for size in sizes):
        found.append(
            f"--batch-size needs at most the {rows} training rows of {options.dataset}, "
            f"got {max(size for size in sizes if size is not None)}"
        )
    elif text := _fold_problem(options, max(map(_rows_of_batch, sizes))):
        found.append(text)
    if options.experiment_name is not None and not _NAME.fullmatch(options.experiment_name):
        found.append(
            "--experiment-name needs 1 to 100 letters, digits, dots, dashes or underscores, "
            f"beginning with a letter or digit, got {shown(options.experiment_name)}"
        )
    return found
