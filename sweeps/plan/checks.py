"""Whether the options of a sweep can be carried out: where their values are looked at, once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sweeps.plan.flags import NEWEST
from sweeps.plan.hyperparameter_flags import SHARED, VALUES
from sweeps.plan.options import BOTH_DEVICES, Options, SearchOptions, flag_of
from sweeps.plan.ray_choice import problem as address_problem
from sweeps.plan.sweep import Sweep
from trainables.commands.run_ids import NEEDED, may_be_meant
from trainables.dataset_facts import DATASETS, Facts
from trainables.declaration import Range, shown
from trainables.hyperparameters import DECLARED, STRATIFIED, Hyperparameters, UnfitValues

MOST_CONFIGURATIONS = 100_000
MOST_SEEDS = 100_000
MOST_FIRST_SEED = 2**62
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Checked(NamedTuple):
    """What came out of looking at the options.

    `base`: the configuration that the others are made from, which is the baseline; None where a
    value of it is wrong. `wrong`: a line for each thing that is, with the flag, what it needs and
    what came.
    """

    base: Hyperparameters | None
    wrong: list[str]

    @property
    def fit(self) -> Hyperparameters:
        """The base, which is there unless something is wrong."""
        assert self.base is not None
        return self.base


def check(options: SearchOptions, sweep: Sweep) -> Checked:
    """Looks at all options of a declared sweep, which has its own values and range already."""
    baseline = {axis.name: axis.baseline for axis in sweep.axes}
    base, unfit = made({name: getattr(options, name) for name in DECLARED} | baseline)
    found: list[str] = []
    if options.num_samples is not None:
        found += outside(options, num_samples=Range(1, MOST_CONFIGURATIONS, whole=True))
        if found and isinstance(options.num_samples, int) and options.num_samples > 0:
            found[-1] += _cost(options, base)
    found += outside(
        options,
        search_seed=Range(0, 2**32 - 1, whole=True),
        confirm=Range(0, MOST_SEEDS, whole=True),
    )
    swept = {axis.name: axis for axis in sweep.axes}
    for name in VALUES:
        flag, value = flag_of(name), getattr(options, name)
        if name in swept and value is not None:
            found.append(f"{flag} is what this sweep varies and cannot be set, got {shown(value)}")
        elif name in unfit:
            found.append(f"{flag} {unfit[name]}")
    sizes = swept["batch_size"].choices if "batch_size" in swept else (options.batch_size,)
    found += [*shared_problems(options, unfit), *batch_problems(sizes, options)]
    return Checked(base, found)


def made(values: Mapping[str, Any]) -> tuple[Hyperparameters | None, Mapping[str, str]]:
    """The configuration with these values, or what is wrong with them by name."""
    try:
        return Hyperparameters(**values), {}
    except UnfitValues as unfit:
        return None, unfit.problems


def _cost(options: SearchOptions, base: Hyperparameters | None) -> str:
    from sweeps.plan.packs import training_seconds

    if base is None:
        return ""
    try:
        seconds = training_seconds(base, options.seeds * (1 + options.folds))
        days = seconds * options.num_samples / 86_400 if options.num_samples else 0
        return f" (about {days:,.0f} days of one core)"
    except (ValueError, TypeError, OverflowError):  # other options are wrong, and listed
        return ""


def shared_problems(options: Options, unfit: Mapping[str, str]) -> list[str]:
    """A line for each thing wrong in the options that all sweeps have.

    `unfit`: what is wrong with hyperparameters, by name.
    """
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
    if options.resume not in (None, NEWEST) and not may_be_meant(options.resume):
        found.append(f"--resume needs {NEEDED}, or nothing, got {shown(options.resume)}")
    if options.resume is not None and options.smoke_test:
        found.append("--resume cannot be used with --smoke-test, whose record is thrown away")
    if options.retry_failed and options.resume is None:
        found.append("--retry-failed needs --resume, which is missing")
    gpus = options.gpus_per_trial
    if Range(1, 64, above=True).holds(gpus) and gpus != int(gpus):
        found.append(f"--gpus-per-trial needs a whole number or one up to 1, got {gpus}")
    if options.device == BOTH_DEVICES and gpus == 0:
        found.append("--device cpu,cuda needs --gpus-per-trial above 0, got 0")
    found += [f"{flag_of(name)} {unfit[name]}" for name in SHARED if name in unfit]
    found += _summary_problems(options.summary)
    if options.experiment_name is not None and not _NAME.fullmatch(options.experiment_name):
        found.append(
            "--experiment-name needs 1 to 100 letters, digits, dots, dashes or underscores, "
            f"beginning with a letter or digit, got {shown(options.experiment_name)}"
        )
    return found


def _summary_problems(span: object) -> list[str]:
    """A line if it is no part of the epochs."""
    if span is None:
        return []
    numbers = span if isinstance(span, tuple | list) else (span,)
    share = Range(0, 1)
    if len(numbers) == 2 and all(map(share.holds, numbers)) and numbers[0] < numbers[1]:
        return []
    given = " ".join(map(shown, numbers))
    return [f"--summary needs two numbers from 0 to 1, the first the lower one, got {given}"]


def outside(options: object, **allowed: Range) -> list[str]:
    """A line for each option with a value that its range does not hold."""
    return [
        f"{flag_of(name)} needs {each.describe()}, got {shown(value)}"
        for name, each in allowed.items()
        if (value := getattr(options, name)) is not None and not each.holds(value)
    ]


def batch_problems(sizes: Sequence[object], options: Options) -> list[str]:
    """A line if a batch of one of the `sizes` is more than there are rows to train on.

    With rows held out and with folds these are fewer; or a line if either leaves too few.
    """
    if DECLARED["hold_out"].allowed.problem(options.hold_out):
        return []  # a line of its own
    facts = DATASETS[options.dataset].without(options.hold_out)
    if line := _too_little_left(facts, options):
        return [line]
    largest = max((size for size in sizes if isinstance(size, int)), default=1)
    if largest > facts.train:
        return [
            f"--batch-size needs at most the {facts.train} training rows of {options.dataset}, "
            f"got {largest}"
        ]
    folds, by_class = options.folds, options.split == STRATIFIED
    if folds == 0 and Range(0, 0, whole=True).holds(folds):
        return []
    most = facts.train // facts.classes if by_class else facts.train
    if not Range(2, most, whole=True).holds(folds):
        # Only folds of a stratified split are to have rows of every class.
        rows = "at least as many rows as there are classes" if by_class else "a row"
        return [
            f"--folds needs 0 (none) or a whole number from 2 to {most}, so that a fold of the "
            f"{facts.train} training rows of {options.dataset} has {rows}, got {shown(folds)}"
        ]
    kept = facts.train - facts.train // folds
    if kept < largest:
        return [
            f"--folds needs to leave the {largest} rows of a batch to train on, but a fold "
            f"leaves {kept} of the {facts.train} training rows of {options.dataset}, got {folds}"
        ]
    return []


def _too_little_left(facts: Facts, options: Options) -> str:
    """A line if holding out rows leaves too few in the parts, see `facts`, or holds none."""
    held_out = facts.rows - facts.train - facts.test
    by_class = options.split == STRATIFIED
    least = facts.classes if by_class else 1
    if options.hold_out == 0 or (held_out and min(facts.train, facts.test) >= least):
        return ""
    # As with folds, only a stratified split is to have rows of every class.
    each = f"{least} rows, one of each class," if by_class else "a row"
    return (
        f"--hold-out needs 0 (none) or a share that holds out a row and leaves {each} to train on "
        f"and as many for the test, got {options.hold_out:g}, which of the {facts.rows} rows of "
        f"{options.dataset} holds out {held_out} and leaves {facts.train} and {facts.test}"
    )
