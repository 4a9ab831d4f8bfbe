"""Trials are shared out over packs: all of them, once, by shape, the longest first."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from sweeps import batch_size, elastic_net, l2
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import parse
from sweeps.plan.packs import form_packs, seconds_together, training_seconds, useful_workers
from sweeps.plan.sweep import Sweep
from trainables.hyperparameters import Hyperparameters
from trainables.trial import Trial


def _trials(count: int, epochs: int = 500, seeds: int = 3, **shape: Any) -> list[Trial]:
    return [
        Trial(f"l2={i}", Hyperparameters(l2=i / 1000, epochs=epochs, **shape), tuple(range(seeds)))
        for i in range(count)
    ]


def _mixed(seed: int) -> list[Trial]:
    """Trials of several shapes in no order."""
    rng = random.Random(seed)
    trials = [
        trial
        for size in rng.sample([1, 2, 4, 8, 16, 32, 64, 100], rng.randint(1, 6))
        for trial in _trials(rng.randint(1, 40), batch_size=size, epochs=rng.choice([5, 500, 5000]))
    ]
    rng.shuffle(trials)
    return trials


CASES = [
    (seed, slots, pack) for seed in range(6) for slots in (1, 2, 8, 64) for pack in (None, 1, 7)
]


@pytest.mark.parametrize(("seed", "slots", "pack"), CASES)
def test_every_trial_is_in_exactly_one_pack(seed: int, slots: int, pack: int | None) -> None:
    trials = _mixed(seed)
    packs = form_packs(trials, slots, pack)
    assert Counter(trial for each in packs for trial in each) == Counter(trials)
    assert all(packs)


@pytest.mark.parametrize(("seed", "slots", "pack"), CASES)
def test_shapes_are_never_mixed(seed: int, slots: int, pack: int | None) -> None:
    for each in form_packs(_mixed(seed), slots, pack):
        assert len({trial.hyperparameters.shape() for trial in each}) == 1


@pytest.mark.parametrize(("seed", "slots", "pack"), CASES)
def test_the_longest_packs_come_first(seed: int, slots: int, pack: int | None) -> None:
    seconds = [
        sum(training_seconds(trial.hyperparameters, len(trial.seeds)) for trial in each)
        for each in form_packs(_mixed(seed), slots, pack)
    ]
    assert seconds == sorted(seconds, reverse=True)


def test_a_given_pack_size_is_kept_in_every_pack_but_the_last() -> None:
    assert [len(each) for each in form_packs(_trials(10), 4, 1)] == [1] * 10
    assert sorted(len(each) for each in form_packs(_trials(10), 4, 3)) == [1, 3, 3, 3]
    assert [len(each) for each in form_packs(_trials(10), 4, 100)] == [10]


@pytest.mark.parametrize("slots", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("epochs", [1, 500, 20_000])
def test_no_slot_stays_empty_while_there_are_enough_trials(slots: int, epochs: int) -> None:
    for count in (slots, slots + 1, 10 * slots):
        assert len(form_packs(_trials(count, epochs), slots, None)) >= slots


def test_there_are_never_more_packs_than_trials() -> None:
    assert len(form_packs(_trials(3), 16, None)) == 3


def test_short_work_is_one_pack_a_slot_and_long_work_more() -> None:
    assert len(form_packs(_trials(50, epochs=10), 4, None)) == 4
    assert len(form_packs(_trials(50, epochs=100_000), 4, None)) > 4


def test_packs_of_one_shape_are_of_equal_size_within_a_trial() -> None:
    sizes = [len(each) for each in form_packs(_trials(50, epochs=10), 4, None)]
    assert max(sizes) - min(sizes) <= 1


def test_estimates_grow_with_everything_that_takes_time() -> None:
    base = training_seconds(Hyperparameters(), 10)
    longer = [
        (Hyperparameters(), 20),
        (Hyperparameters(epochs=1000), 10),
        (Hyperparameters(batch_size=2), 10),
        (Hyperparameters(hidden=(64, 64)), 10),
        (Hyperparameters(dataset="digits"), 10),
        (Hyperparameters(drop_last=False), 10),
    ]
    assert all(training_seconds(hyperparameters, n) > base for hyperparameters, n in longer)
    assert base > 0


def test_workers_are_started_for_work_that_is_worth_their_start() -> None:
    assert useful_workers(0) == useful_workers(seconds_together(_trials(6, epochs=40), 120)) == 1
    long = _trials(50, epochs=4000)
    seconds = seconds_together(long)
    assert 1 < useful_workers(seconds) <= seconds + 1
    assert seconds_together(long, 120) > seconds
    assert seconds_together([*long, *_mixed(1)]) > seconds


@pytest.mark.parametrize("sweep", [l2.SWEEP, batch_size.SWEEP, elastic_net.SWEEP])
def test_a_sweeps_seconds_are_estimated_without_its_plan(sweep: Sweep) -> None:
    command = DeclaredSweep(sweep, parse(sweep, "", []))
    planned = seconds_together(command.plan().trials, 120)
    assert 0.5 * planned < command.seconds() < 5 * planned
