"""Values and ranges of a user's own: the baseline is always among them, names are exact."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.claims_of_lesson.lesson_sweeps import SETTINGS
from sweeps import batch_size, dropout, elastic_net, l1, l2
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import given, parse
from sweeps.plan.seeds_options import parse_seeds
from sweeps.plan.sweep import Sweep
from sweeps.seeds import SeedsSweep
from trainables.manifest import Manifest


def _command(sweep: Sweep, flags: str) -> DeclaredSweep:
    return DeclaredSweep(sweep, parse(sweep, "", flags.split()), given(flags.split()))


def _values(sweep: Sweep, flags: str) -> list[float]:
    """What the sweep's trials have, each found exactly in its trial's name."""
    command, name = _command(sweep, flags), sweep.axes[0].name
    assert command.problems() == []
    trials = command.plan().trials
    values = [getattr(trial.hyperparameters, name) for trial in trials]
    assert [float(trial.name.removeprefix(f"{name}=")) for trial in trials] == values
    assert len(set(values)) == len(values)
    baseline = make_manifest(*command.plan()).baseline_trial.hyperparameters
    assert getattr(baseline, name) == sweep.axes[0].baseline
    return values


@pytest.mark.parametrize(
    ("sweep", "flags", "expected"),
    [
        (l2.SWEEP, "--values 0 0.01 0.1 1", [0, 0.01, 0.1, 1]),
        (l2.SWEEP, "--values 1 0.01", [0, 0.01, 1]),
        (l2.SWEEP, "--values 0.1,1e-9 --log", [0, 1e-9, 0.1]),
        (dropout.SWEEP, "--values=0.123456789", [0, 0.123456789]),
        (batch_size.SWEEP, "--values 8 24", [8, 16, 24]),
    ],
)
def test_own_values_and_the_baseline_are_all_that_is_tried(
    sweep: Sweep, flags: str, expected: list[float]
) -> None:
    assert _values(sweep, flags) == expected


@pytest.mark.parametrize("search", ["qmc", "random", "grid"])
@pytest.mark.parametrize(("low", "high"), [(1e-5, 10), (1e-8, 1e-7)])
def test_an_own_range_is_sampled_by_factors_with_the_baseline(
    search: str, low: float, high: float
) -> None:
    flags = f"--low {low} --high {high} --log --num-samples 41 --search {search}"
    baseline, *others = _values(l1.SWEEP, flags)
    assert baseline == 0
    assert len(others) == 40
    assert low <= min(others) < max(others) <= high
    middle = np.sqrt(low * high)
    assert 10 <= sum(value < middle for value in others) <= 30


def test_one_end_alone_moves_and_the_range_stays_linear() -> None:
    assert _values(l2.SWEEP, "--high 3") == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert _values(l2.SWEEP, "--low 0.05 --num-samples 3 --search grid") == [0, 0.05, 0.075]


def test_without_a_number_there_are_as_many_values_as_the_lesson_has() -> None:
    found = _values(l1.SWEEP, "--low 0.001 --high 10 --log")
    assert len(found) == len(l1.SWEEP.lesson_points())
    assert found[1] == 0.001
    assert found[-1] == 10


@pytest.mark.parametrize(
    ("sweep", "flags", "line"),
    [
        (l2.SWEEP, "--values", "--values needs at least one value, got none"),
        (l2.SWEEP, "--values x", "--values needs a number of at least 0, got x"),
        (dropout.SWEEP, "--values 0.5 1.5", "--values needs a number from 0 to 1, got 1.5"),
        (l2.SWEEP, "--values 1 1", "--values needs different values, got 1 more than once"),
        (l2.SWEEP, "--values 1e-13", "at most 12 decimals, got 1e-13"),
        (l2.SWEEP, "--values 0 --log", "--log needs one of the --values above 0, got 0"),
        (l2.SWEEP, "--values 1 --low 1", "--values cannot be used with --low and --high"),
        (l2.SWEEP, "--values 1 --num-samples 2", "--values cannot be used with --num-samples"),
        (batch_size.SWEEP, "--values 1.5", "--values needs a whole number from 1"),
        (batch_size.SWEEP, "--values 200", "at most the 120 training rows of iris, got 200"),
        (batch_size.SWEEP, "--low 2", "batch_size has none: use --values 2 4 8"),
        (l2.SWEEP, "--low 1 --high 1", "--low needs to be below --high, got 1 and 1"),
        (l2.SWEEP, "--low 1", "--low needs to be below --high, got 1 and 0.1"),
        (l2.SWEEP, "--log", "--log needs --low above 0, got 0.0"),
        (l2.SWEEP, "--low nan", "--low needs a number of at least 0, got nan"),
        (dropout.SWEEP, "--high 2", "--high needs a number from 0 to 1, got 2"),
        (l2.SWEEP, "--low 1e-10 --high 1", "--low needs at most 9 decimals, got 1e-10"),
        (elastic_net.SWEEP, "--values 1", "use sweeps/seeds.py --l1 0 0.1 --l2 0 0.1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(sweep: Sweep, flags: str, line: str) -> None:
    (found,) = _command(sweep, flags).problems()
    assert line in found


@pytest.mark.parametrize(
    ("flags", "plays"),
    [
        ("", True),
        ("--num-samples 20", True),
        ("--values 0.001 0.002 0.005", False),
        ("--high 10", False),
        ("--low 0.001 --num-samples 20", False),
    ],
)
def test_the_lessons_claims_are_not_judged_by_values_of_ones_own(flags: str, plays: bool) -> None:
    manifest = make_manifest(*_command(l1.SWEEP, flags).plan())
    for each in (manifest, Manifest.from_json(manifest.to_json())):
        assert SETTINGS["l1"].fits(each) == plays


@pytest.mark.parametrize("words", ["--hidden 64,32", "--hidden=64,32", "--hidden 64 32"])
def test_a_list_may_have_commas(words: str) -> None:
    (base, *_) = _command(l2.SWEEP, words).plan().trials
    assert base.hyperparameters.hidden == (64, 32)
    options = parse_seeds("", [*words.split(), "--l2", "0,0.1"])
    assert len(SeedsSweep(options, {"hidden", "l2"}).plan().trials) == 2
