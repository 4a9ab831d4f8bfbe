"""Every sweep script declares real hyperparameters, the lesson's values and unmistakable names."""

from __future__ import annotations

import importlib
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import sweeps
from sweeps.plan.checks import check
from sweeps.plan.options import defaults
from sweeps.plan.sweep import Axis, Sweep
from trainables.hyperparameters import Hyperparameters

FOLDER = Path(sweeps.__file__).parent
SCRIPTS = sorted(
    path.stem for path in FOLDER.glob("*.py") if "\nSWEEP = " in path.read_text(encoding="utf-8")
)
FIELDS = {field.name for field in fields(Hyperparameters)}

# The lesson's own values: how many, from and to, evenly spaced.
LESSON = {
    "dropout": {"dropout": (11, 0.0, 1.0)},
    "l2": {"l2": (7, 0.0, 0.1)},
    "l1": {"l1": (10, 0.0, 0.005)},
    "elastic_net": {"l1": (5, 0.0, 0.005), "l2": (5, 0.0, 0.1)},
}
RATES = {"dropout": 0.005, "l1": 0.005, "l2": 0.005, "elastic_net": 0.005, "batch_size": 0.001}
EPOCHS = {"dropout": 500, "batch_size": 500, "l1": 1000, "l2": 1000}
SUMMARY = {"dropout": range(450, 500), "l1": range(500, 950), "l2": range(500, 950)}


def _sweep(script: str) -> Sweep:
    sweep = importlib.import_module(f"sweeps.{script}").SWEEP
    assert isinstance(sweep, Sweep)
    return sweep


def _base(sweep: Sweep) -> Hyperparameters:
    return check(defaults(sweep), sweep).fit


def test_the_lessons_sweeps_are_all_there() -> None:
    assert {"dropout", "l1", "l2", "batch_size", "elastic_net"} <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_sweep_has_its_scripts_name_and_says_what_it_asks_and_how_to_run_it(script: str) -> None:
    sweep = _sweep(script)
    assert sweep.name == script
    assert sweep.question.endswith("?")
    text = importlib.import_module(f"sweeps.{script}").__doc__ or ""
    assert f"python sweeps/{script}.py" in text


@pytest.mark.parametrize("script", SCRIPTS)
def test_axes_and_defaults_are_hyperparameters_and_no_axis_has_a_default(script: str) -> None:
    sweep = _sweep(script)
    swept = [axis.name for axis in sweep.axes]
    assert {*swept, *sweep.defaults} <= FIELDS
    assert len(set(swept)) == len(swept)
    assert not set(swept) & set(sweep.defaults)
    assert all(axis.label for axis in sweep.axes)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_sweeps_own_defaults_are_valid(script: str) -> None:
    assert check(defaults(_sweep(script)), _sweep(script)).wrong == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_ends_of_every_axis_are_valid_hyperparameters(script: str) -> None:
    sweep = _sweep(script)
    for axis in sweep.axes:
        for value in (*axis.lesson, *(axis.choices or (axis.low, axis.high))):
            change: dict[str, Any] = {axis.name: value}
            changed = replace(_base(sweep), **change)
            assert getattr(changed, axis.name) == value


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_trial_has_the_values_of_its_point_and_all_else_from_the_base(script: str) -> None:
    sweep = _sweep(script)
    base = replace(_base(sweep), hidden=(12, 12), epochs=7, standardize=True)
    for point in sweep.lesson_points():
        trial = sweep.trial(base, point, (4, 5))
        swept: dict[str, Any] = {
            axis.name: value for axis, value in zip(sweep.axes, point, strict=True)
        }
        assert trial.hyperparameters == replace(base, **swept)
        assert trial.seeds == (4, 5)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_trials_name_is_its_exact_value(script: str) -> None:
    sweep = _sweep(script)
    for point in sweep.lesson_points():
        name = sweep.trial(_base(sweep), point, (0,)).name
        read = dict(part.split("=") for part in name.split(" ")) if name else {}
        assert list(read) == [axis.name for axis in sweep.axes]
        assert [float(text) for text in read.values()] == list(point)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_lessons_points_are_different_and_contain_the_baseline(script: str) -> None:
    sweep = _sweep(script)
    points = sweep.lesson_points()
    assert len(set(points)) == len(points)
    assert sweep.baseline in points
    names = {sweep.trial(_base(sweep), point, (0,)).name for point in points}
    assert len(names) == len(points)


@pytest.mark.parametrize(
    ("script", "field"), [(script, field) for script, axes in LESSON.items() for field in axes]
)
def test_values_are_the_lessons_and_the_range_sampled_is_theirs(script: str, field: str) -> None:
    count, low, high = LESSON[script][field]
    axis = next(axis for axis in _sweep(script).axes if axis.name == field)
    expected = [low + (high - low) * i / (count - 1) for i in range(count)]
    assert axis.lesson == pytest.approx(expected, abs=0.5 * 10**-axis.decimals)
    assert (axis.low, axis.high) == (low, high)
    assert axis.baseline == 0


def test_batch_sizes_are_the_lessons() -> None:
    (axis,) = _sweep("batch_size").axes
    assert axis.lesson == axis.choices == (2, 4, 8, 16, 32, 64)
    assert axis.baseline == 16


@pytest.mark.parametrize("script", LESSON)
def test_several_axes_give_all_combinations(script: str) -> None:
    sweep = _sweep(script)
    points = sweep.lesson_points()
    assert len(points) == math.prod(count for count, _, _ in LESSON[script].values())


@pytest.mark.parametrize("script", RATES)
def test_learning_rates_are_the_lessons(script: str) -> None:
    assert _base(_sweep(script)).lr == RATES[script]


@pytest.mark.parametrize("script", EPOCHS)
def test_epochs_are_the_lessons(script: str) -> None:
    assert _base(_sweep(script)).epochs == EPOCHS[script]


@pytest.mark.parametrize("script", SUMMARY)
def test_final_numbers_are_means_over_the_lessons_epochs(script: str) -> None:
    sweep = _sweep(script)
    assert sweep.summary_epochs(_base(sweep).epochs) == SUMMARY[script]


@pytest.mark.parametrize("script", SCRIPTS)
def test_there_is_always_a_summary_epoch_and_none_beyond_the_last(script: str) -> None:
    for epochs in [*range(1, 50), 999, 1000, 1_000_000]:
        found = _sweep(script).summary_epochs(epochs)
        assert len(found) >= 1
        assert 0 <= found.start < found.stop <= epochs


def test_a_sweep_of_what_is_no_hyperparameter_is_refused() -> None:
    axis = Axis(name="momentum", label="momentum", lesson=(0.0, 0.9))
    with pytest.raises(ValueError, match=r"sweep m: no such hyperparameters: \['momentum'\]"):
        Sweep(name="m", question="?", axes=(axis,))


def test_defaults_of_what_is_no_hyperparameter_are_refused() -> None:
    axis = Axis(name="l2", label="λ", lesson=(0.0, 0.1))
    with pytest.raises(ValueError, match=r"sweep m: no such hyperparameters: \['batchsize'\]"):
        Sweep(name="m", question="?", axes=(axis,), defaults={"batchsize": 4})


def test_names_have_one_number_format() -> None:
    assert _sweep("l2").axes[0].format(0.0123) == "l2=0.012300"
    assert _sweep("batch_size").axes[0].format(16) == "batch_size=16"
    sweep = _sweep("elastic_net")
    assert sweep.trial(_base(sweep), (0.001, 0.02), (0,)).name == "l1=0.0010000 l2=0.020000"
