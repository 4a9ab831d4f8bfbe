"""The command line as one typed record: flags that all sweeps have, and those that search values.

Imports neither torch nor Ray.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tyro

from sweeps.plan.flags import NEWEST, PERHAPS_RUN_ID, MaybeWhole, Number, Whole
from sweeps.plan.hyperparameter_flags import SHARED, VALUES, flags_for, one, one_or_none
from sweeps.plan.ray_choice import AUTO
from sweeps.plan.ray_choice import problem as address_problem
from sweeps.plan.sweep import Sweep
from trainables.dataset_facts import DATASETS
from trainables.declaration import Range, shown
from trainables.hyperparameters import DECLARED, Hyperparameters, default, problem

SearchName = Literal["qmc", "grid", "random"]
BOTH_DEVICES = "cpu,cuda"
MOST_CONFIGURATIONS = 100_000
MOST_SEEDS = 100_000
MOST_FIRST_SEED = 2**62
RUN_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
@flags_for(SHARED, one)
class _Models:
    """Which models every configuration has, and what all of them share."""

    seeds: Whole = 10
    """Replicates of every configuration, each with its own split, weights and batch order."""
    first_seed: Whole = 0
    """Seeds are this one and those that follow it."""
    folds: Whole = 0
    """Cross-validate on the training rows with this many folds and choose by that; 0: do not."""

    if TYPE_CHECKING:  # of the flags that are made, those that code asks for by name
        epochs: int = 0
        dataset: str = ""


@dataclass(frozen=True, kw_only=True)
class Options(_Models):
    """Flags that all sweeps have."""

    address: str = AUTO
    """Ray: auto (RAY_ADDRESS, else the cluster of this machine, else its own), local, host:port."""
    expect_nodes: MaybeWhole = None
    """Wait for so many nodes of the cluster, and start nothing when there are fewer."""
    cpus_per_trial: Number = 1
    """CPUs that each Ray Tune trial reserves."""
    gpus_per_trial: Number = 0
    """GPUs of each Ray Tune trial: a fraction such as 0.25 (with that share of memory) or whole."""
    device: Literal["auto", "cpu", "cpu,cuda"] = "auto"
    """auto: GPUs if trials have any, else CPUs; cpu: CPUs always; cpu,cuda: both at once."""
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

    resume: Annotated[str | None, PERHAPS_RUN_ID] = None
    """Complete a sweep that was started before: the newest unfinished one, or that of the run."""
    retry_failed: bool = False
    """With --resume: train trials that failed again."""

    dry_run: bool = False
    """Print the plan and stop; nothing is started or written."""
    smoke_test: bool = False
    """Two configurations, two seeds and few epochs, recorded in a store that is thrown away."""
    quiet: bool = False
    """No progress, only the final table and errors."""


@dataclass(frozen=True, kw_only=True)
@flags_for(VALUES, one_or_none)
class _Searched:
    """Which values a sweep tries, and those that it does not vary; None for what it varies."""

    num_samples: MaybeWhole = None
    """Number of configurations (never times seeds); without it the lesson's own values."""
    search: SearchName = "qmc"
    """How --num-samples draws: quasi-random (qmc), evenly spaced (grid) or random."""
    search_seed: Whole = 0
    """Seeds the search, and nothing else."""

    if TYPE_CHECKING:
        batch_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class SearchOptions(Options, _Searched):
    """Flags of a sweep that tries values of one or two hyperparameters."""


_Kind = TypeVar("_Kind", bound=Options)


def defaults(sweep: Sweep) -> SearchOptions:
    """The options of `python sweeps/NAME.py` without flags; None for what the sweep varies."""
    usual: dict[str, Any] = {name: default(name) for name in DECLARED} | dict(sweep.defaults)
    return SearchOptions(**{**usual, **{axis.name: None for axis in sweep.axes}})


def given(arguments: Sequence[str], kind: type[Options] = SearchOptions) -> set[str]:
    """Names of the options of that kind that stand on the command line."""
    flags = {word.split("=")[0] for word in arguments if word[:2] == "--"}
    flags |= {flag.replace("--no-", "--") for flag in flags}
    return {each.name for each in fields(kind) if flag_of(each.name) in flags}


def parse(sweep: Sweep, description: str, arguments: Sequence[str] | None = None) -> SearchOptions:
    """The options of the command line; ends the process on `--help` (0) or an unknown flag (2)."""
    return read(defaults(sweep), sweep.name, description, arguments)


def read(usual: _Kind, name: str, description: str, arguments: Sequence[str] | None) -> _Kind:
    """What `parse` gives, of the kind of `usual`, which are the options without flags."""
    return tyro.cli(
        type(usual),
        default=usual,
        description=description,
        prog=f"python sweeps/{name}.py",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def base_hyperparameters(options: SearchOptions, sweep: Sweep) -> Hyperparameters:
    """The configuration at the sweep's baseline, everything else as the options say."""
    baseline = {axis.name: axis.baseline for axis in sweep.axes}
    values = {name: getattr(options, name) for name in DECLARED}
    return Hyperparameters(**{**values, **baseline})


def _cost(options: SearchOptions, sweep: Sweep) -> str:
    from sweeps.plan.packs import training_seconds

    try:
        models = options.seeds * (1 + options.folds)
        seconds = training_seconds(base_hyperparameters(options, sweep), models)
        days = seconds * options.num_samples / 86_400 if options.num_samples else 0
        return f" (about {days:,.0f} days of one core)"
    except (ValueError, TypeError, OverflowError):  # other options are wrong, and listed
        return ""


def problems(options: SearchOptions, sweep: Sweep) -> list[str]:
    """All that is wrong with the options, a line each: the flag, what it needs, what came."""
    found: list[str] = []
    if options.num_samples is not None:
        found += outside(options, num_samples=Range(1, MOST_CONFIGURATIONS, whole=True))
        if found and isinstance(options.num_samples, int) and options.num_samples > 0:
            found[-1] += _cost(options, sweep)
    found += outside(options, search_seed=Range(0, 2**32 - 1, whole=True))
    swept = {axis.name: axis for axis in sweep.axes}
    for name in VALUES:
        flag, value = flag_of(name), getattr(options, name)
        if name in swept:
            if value is not None:
                found.append(
                    f"{flag} is what this sweep varies and cannot be set, got {shown(value)}"
                )
        elif text := problem(name, value):
            found.append(f"{flag} {text}")
    sizes = swept["batch_size"].choices if "batch_size" in swept else (options.batch_size,)
    return [*found, *shared_problems(options), *batch_problems(sizes, options)]


def shared_problems(options: Options) -> list[str]:
    """What `problems` gives, of those options that all sweeps have."""
    found = outside(
        options,
        seeds=Range(1, MOST_SEEDS, whole=True),
        first_seed=Range(0, MOST_FIRST_SEED, whole=True),
        expect_nodes=Range(1, 100_000, whole=True),
        cpus_per_trial=Range(0, 4096, above=True),
        gpus_per_trial=Range(0, 64),
        max_concurrent=Range(1, 100_000, whole=True),
        pack=Range(1, MOST_CONFIGURATIONS, whole=True),
        store_patience=Range(0, 86_400),
    )
    if wrong := address_problem(options.address):
        found.append(f"--address {wrong}, got {shown(options.address)}")
    if options.resume not in (None, NEWEST) and not RUN_ID.fullmatch(options.resume):
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
    if options.device == BOTH_DEVICES and gpus == 0:
        found.append("--device cpu,cuda needs --gpus-per-trial above 0, got 0")
    for name in SHARED:
        if text := problem(name, getattr(options, name)):
            found.append(f"{flag_of(name)} {text}")
    if options.experiment_name is not None and not _NAME.fullmatch(options.experiment_name):
        found.append(
            "--experiment-name needs 1 to 100 letters, digits, dots, dashes or underscores, "
            f"beginning with a letter or digit, got {shown(options.experiment_name)}"
        )
    return found


def outside(options: Options, **allowed: Range) -> list[str]:
    """A line for each option with a value that its range does not hold."""
    return [
        f"{flag_of(name)} needs {each.describe()}, got {shown(value)}"
        for name, each in allowed.items()
        if (value := getattr(options, name)) is not None and not each.holds(value)
    ]


def batch_problems(sizes: Sequence[object], options: Options) -> list[str]:
    """A line if a batch of one of the `sizes` is more than there are rows to train on.

    With folds these are fewer; or a line if folds are too many of themselves.
    """
    facts = DATASETS[options.dataset]
    largest = max((size for size in sizes if isinstance(size, int)), default=1)
    if largest > facts.train:
        return [
            f"--batch-size needs at most the {facts.train} training rows of {options.dataset}, "
            f"got {largest}"
        ]
    folds, most = options.folds, facts.train // facts.classes
    if folds == 0 and Range(0, 0, whole=True).holds(folds):
        return []
    if not Range(2, most, whole=True).holds(folds):
        return [
            f"--folds needs 0 (none) or a whole number from 2 to {most}, so that a fold of the "
            f"{facts.train} training rows of {options.dataset} has at least as many rows as there "
            f"are classes, got {shown(folds)}"
        ]
    kept = facts.train - facts.train // folds
    if kept < largest:
        return [
            f"--folds needs to leave the {largest} rows of a batch to train on, but a fold "
            f"leaves {kept} of the {facts.train} training rows of {options.dataset}, got {folds}"
        ]
    return []


def flag_of(name: str) -> str:
    """The flag of the option `name`."""
    name = "from" if name == "from_run" else name  # no name in Python
    return f"--{name.replace('_', '-')}"
