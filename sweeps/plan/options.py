"""The command line as one typed record: flags that all sweeps have, and those that search values.

Imports neither torch nor Ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sweeps.plan.command_line import read_options
from sweeps.plan.flags import MAYBE_SPAN, PERHAPS_RUN_ID, MaybeNumber, MaybeWhole, Number, Whole
from sweeps.plan.hyperparameter_flags import SHARED, VALUES, flags_for, one, one_or_none
from sweeps.plan.ray_choice import AUTO
from sweeps.plan.sweep import Sweep
from trainables.hyperparameters import DECLARED, default

SearchName = Literal["qmc", "grid", "random"]
BOTH_DEVICES = "cpu,cuda"


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
    summary: Annotated[tuple[float, float] | None, MAYBE_SPAN] = None
    """Which part of the epochs, from 0 to 1, final numbers are the mean of, such as 0.9 1; by
    default that of the sweep."""

    if TYPE_CHECKING:  # of the flags that are made, those that code asks for by name
        epochs: int = 0
        split: str = ""
        hold_out: float = 0.0
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
    """Complete a sweep that was started before: the newest unfinished one, or that of the run,
    which its id, the first digits of that, or the sweep's name tells."""
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
    values: tuple[Number, ...] = ()
    """These values of what is varied, and its baseline, in place of the lesson's."""
    low: MaybeNumber = None
    """Lower end of the range in place of the lesson's; without --num-samples evenly spaced."""
    high: MaybeNumber = None
    """Upper end of the range in place of the lesson's."""
    log: bool = False
    """Space and draw own values and ranges on a log scale."""
    search: SearchName = "qmc"
    """How --num-samples draws: quasi-random (qmc), evenly spaced (grid) or random."""
    search_seed: Whole = 0
    """Seeds the search, and nothing else."""
    confirm: Whole = 30
    """Then train the 3 best and the baseline on so many seeds that had no part in choosing them,
    and report the gain that is left; 0: do not."""

    if TYPE_CHECKING:
        batch_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class SearchOptions(Options, _Searched):
    """Flags of a sweep that tries values of one or two hyperparameters."""


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
    return read_options(SearchOptions, description, defaults(sweep), arguments)


def flag_of(name: str) -> str:
    """The flag of the option `name`."""
    name = "from" if name == "from_run" else name  # no name in Python
    return f"--{name.replace('_', '-')}"
