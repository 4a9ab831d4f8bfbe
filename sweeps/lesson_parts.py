"""The sweeps that the lesson's claims are tested on: what `sweeps/lesson.py` runs.

`analysis/claims_of_lesson/lesson_sweeps.py` knows them by the same roles; a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import cpu_count
from typing import NamedTuple

from sweeps import batch_size, dropout, l1, l2
from sweeps.plan.command import Plan
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import given, parse
from sweeps.plan.packs import training_seconds
from sweeps.plan.seeds_options import SeedsOptions, parse_seeds
from sweeps.seeds import SeedsSweep

_HIDDEN = "--hidden"
_START_UP_SECONDS = 10  # of a sweep, measured on two cores: docs/speed.md
_DECLARED = {each.SWEEP.name: each.SWEEP for each in (dropout, l2, l1, batch_size)}


class LessonPart(NamedTuple):
    """One sweep: the role that it plays for the claims, its script and flags, and what it is for.

    The number of seeds and the store are added by `sweeps/lesson.py`.
    """

    role: str
    script: str
    flags: tuple[str, ...]
    why: str


def parts_with(hidden: Sequence[int]) -> tuple[LessonPart, ...]:
    """The parts with a network of those hidden units; without any, the lesson's own.

    The part that is about another network than the lesson's is left out of the former.
    """
    if not hidden:
        return PARTS
    flags = (_HIDDEN, *map(str, hidden))
    return tuple(
        part._replace(flags=(*part.flags, *flags)) for part in PARTS if _HIDDEN not in part.flags
    )


def planned(part: LessonPart, flags: Sequence[str]) -> Plan:
    """The sweep that the part's script would run with those flags."""
    if part.script == "seeds":
        return SeedsSweep(parse_seeds("", flags), given(flags, SeedsOptions)).plan()
    sweep = _DECLARED[part.script]
    return DeclaredSweep(sweep, parse(sweep, "", flags), given(flags)).plan()


def estimate(parts: Sequence[LessonPart], seeds: int) -> str:
    """About how long the parts take on this machine, in words, if each is trained as a whole."""
    each = [
        training_seconds(trial.hyperparameters, trial.models)
        for part in parts
        for trial in planned(part, [*part.flags, "--seeds", str(seeds)]).trials
    ]
    cores = cpu_count() or 1
    minutes = (sum(each) / cores + len(parts) * _START_UP_SECONDS) / 60
    return (
        f"an estimate: about {minutes:.1f} minutes for {len(parts)} sweeps, from "
        f"{sum(each):.0f} s of training on {cores} cores and {_START_UP_SECONDS} s to start and "
        "record each"
    )


# Of dropout and L2, chosen before any of it was run: nothing, little and much of each.
_GRID = ("--dropout", "0", "0.2", "0.5", "--l2", "0", "0.003", "0.03")

# Claims are judged on every seed that there is: nothing is chosen, so nothing has to be confirmed.
_ALONE = ("--confirm", "0")

# As many epochs as the lesson's sweeps of penalties, judged by what they come to in the end.
_LAST_TENTH = ("--epochs", "1000", "--summary", "0.9", "1")

_LESSON_L2 = ("0", "0.016667", "0.033333", "0.05", "0.066667", "0.083333", "0.1")

PARTS = (
    # Before the lesson's own, so that the newest sweep of dropout is that one.
    LessonPart(
        "dropout-stratified",
        "dropout",
        (*_ALONE, "--split", "stratified"),
        "the lesson's dropout rates where, unlike there, each class has its share of test rows",
    ),
    LessonPart("dropout", "dropout", _ALONE, "the lesson's dropout rates"),
    LessonPart("l2", "l2", _ALONE, "the lesson's L2 penalties"),
    LessonPart("l1", "l1", _ALONE, "the lesson's L1 penalties"),
    LessonPart("batch_size", "batch_size", _ALONE, "the lesson's batch sizes"),
    LessonPart(
        "small-l2",
        "seeds",
        ("--l2", "0", "0.001", "0.002", "0.005", "0.01", *_LAST_TENTH),
        "L2 penalties of at most 0.01, where the lesson sees no trend",
    ),
    LessonPart(
        "strong-l1",
        "seeds",
        ("--l1", "0", "0.1", "0.3", "1", "3", "10", *_LAST_TENTH),
        "how much L1 it takes to make weights sparse",
    ),
    LessonPart(
        "long-batch",
        "seeds",
        ("--batch-size", "16", "32", "64", "--epochs", "4000", "--lr", "0.001"),
        "the largest batches, given enough epochs",
    ),
    LessonPart(
        "init",
        "seeds",
        ("--l2", *_LESSON_L2, *_LAST_TENTH, "--vary", "init"),
        "L2 penalties where the initial weights alone change with the seed",
    ),
    LessonPart(
        "small", "seeds", (*_GRID, "--epochs", "500"), "a grid of dropout and L2, this network"
    ),
    LessonPart(
        "large",
        "seeds",
        (*_GRID, "--epochs", "500", _HIDDEN, "64", "64"),
        "the same grid, a network with 20 times the weights",
    ),
    LessonPart(
        "harder",
        "seeds",
        # As many updates as 500 epochs of Iris.
        (*_GRID, "--epochs", "40", "--dataset", "digits"),
        "the same grid on digits: more rows, more features, 10 classes",
    ),
)
