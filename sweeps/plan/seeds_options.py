"""The command line of `sweeps/seeds.py`: its own flags beside those that all sweeps have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from sweeps.plan.checks import (
    MOST_CONFIGURATIONS,
    Checked,
    batch_problems,
    made,
    outside,
    shared_problems,
)
from sweeps.plan.command_line import read_options
from sweeps.plan.flags import MaybeWhole, Whole
from sweeps.plan.hyperparameter_flags import SHARED, VALUES, Flag, flags_for, one, several
from sweeps.plan.options import Options, flag_of
from sweeps.plan.own_axes import values_problems
from trainables.commands.run_ids import NEEDED, may_be_meant
from trainables.declaration import Range, shown
from trainables.hyperparameters import RANDOM, SOURCES, default, problem


def _read_sources(words: list[str]) -> tuple[str, ...]:
    """The names in their usual order; those that are none are refused later."""
    names = [name for word in words for name in word.replace(",", " ").split()]
    return tuple(sorted(names, key=lambda name: (*SOURCES, name).index(name)))


_sources: tyro.constructors.PrimitiveConstructorSpec[Any] = (
    tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar="{" + ",".join(SOURCES) + "}",
        instance_from_str=_read_sources,
        is_instance=lambda _: True,
        str_from_instance=lambda names: [",".join(names)],
    )
)


@dataclass(frozen=True, kw_only=True)
@flags_for(VALUES, several)
class _Configurations:
    """Which configurations; empty values are those of the other sweeps, or of the source."""

    from_run: Annotated[str | None, tyro.conf.arg(name="from", metavar="RUN_ID")] = None
    """Instead of values: the best configurations, and the baseline, of this recorded sweep: its run
    id, the first digits of that, or its name."""
    top: MaybeWhole = None
    """With --from: how many of the best; by default 5, or all if there are fewer."""

    vary: Annotated[tuple[str, ...], _sources] = SOURCES
    """Sources of randomness that change with the seed; the others stay those of the first."""
    by_source: bool = False
    """Train every configuration again with one source at a time taken from the next seed."""
    one_at_a_time: bool = False
    """Each flag's values with the first of all others, in place of all combinations."""

    if TYPE_CHECKING:  # of the flags that are made, the one that code asks for by name
        batch_size: tuple[int, ...] = ()


def _as_the_sweeps(name: str) -> Flag:
    """The flag of the split, whose default is that of the sweeps of single hyperparameters.

    `--l2 0 0.1` asks the question of `sweeps/l2.py` on more seeds, so it is to have the same data.
    """
    return one(name)._replace(default=RANDOM)


@dataclass(frozen=True, kw_only=True)
@flags_for(("split",), _as_the_sweeps)
class SeedsOptions(Options, _Configurations):
    """Flags of `sweeps/seeds.py`."""

    seeds: Whole = 100
    """Replicates of every configuration, each with its own split, weights and batch order."""
    first_seed: Whole = 0
    """Seeds are this one and those that follow it; with --from, by default the first fresh one."""


def parse_seeds(description: str, arguments: Sequence[str] | None = None) -> SeedsOptions:
    """The options of the command line; ends the process on `--help` (0) or an unknown flag (2)."""
    return read_options(SeedsOptions, description, arguments=arguments)


def check_seeds(options: SeedsOptions, stated: Collection[str]) -> Checked:
    """Looks at all options; the base has the first of the values of each hyperparameter.

    Whether batches and folds fit the rows is seen later where a source says which rows there are.
    """
    values = {name: getattr(options, name) for name in VALUES}
    first = {name: (each or (default(name),))[0] for name, each in values.items()}
    base, unfit = made({name: getattr(options, name) for name in SHARED} | first)
    found: list[str] = []
    for name, each in values.items():
        texts = (unfit.get(name), *(problem(name, value) for value in each[1:]))
        found += values_problems(flag_of(name), each, texts, name in stated)
    count = prod(max(1, len(each)) for each in values.values())
    if not found and count > MOST_CONFIGURATIONS and not options.one_at_a_time:
        found.append(f"all combinations need to be at most {MOST_CONFIGURATIONS}, got {count}")
    if options.one_at_a_time and options.from_run is not None:
        found.append("--one-at-a-time cannot be used with --from, which has configurations already")
    found += outside(options, top=Range(1, MOST_CONFIGURATIONS, whole=True))
    if options.from_run is None and options.top is not None and options.resume is None:
        found.append("--top needs --from, which is missing")
    if options.from_run is not None and not may_be_meant(options.from_run):
        found.append(f"--from needs {NEEDED}, got {shown(options.from_run)}")
    if not options.vary or set(options.vary) - set(SOURCES):
        given = " ".join(map(shown, options.vary)) or "nothing"
        found.append(f"--vary needs some of {', '.join(SOURCES)}, got {given}")
    elif len(set(options.vary)) < len(options.vary):
        found.append(f"--vary needs each source once, got {' '.join(options.vary)}")
    elif options.by_source and options.vary != SOURCES:
        found.append("--by-source cannot be used with --vary: it exchanges each source in turn")
    if options.by_source and options.seeds == 1:
        found.append("--by-source needs at least 2 --seeds, got 1: sources come from the next one")
    found += shared_problems(options, unfit)
    if options.from_run is None:
        found += batch_problems(options.batch_size or (default("batch_size"),), options)
    return Checked(base, found)
