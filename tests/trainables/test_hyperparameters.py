"""Configurations are checked, and named by a key that fits their values and nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from trainables.declaration import Range
from trainables.hyperparameters import Hyperparameters
from trainables.trial import Trial

# One other valid value of every field.
OTHER: dict[str, Any] = {
    "dropout": 0.5,
    "l1": 0.001,
    "l2": 0.01,
    "label_smoothing": 0.1,
    "noise": 0.2,
    "lr": 0.1,
    "batch_size": 32,
    "hidden": (64, 64),
    "epochs": 1000,
    "split": "random",
    "hold_out": 0.2,
    "dataset": "wine",
    "standardize": True,
    "drop_last": False,
}
DATA_FIELDS = {"split", "hold_out", "dataset", "standardize"}
SHAPE_FIELDS = {"batch_size", "hidden", "epochs", "drop_last"} | DATA_FIELDS


@pytest.mark.parametrize(
    ("field", "value", "requirement"),
    [
        ("dropout", -0.1, "a number from 0 to 1"),
        ("dropout", 1.5, "a number from 0 to 1"),
        ("dropout", math.nan, "a number from 0 to 1"),
        ("dropout", "much", "a number from 0 to 1"),
        ("dropout", None, "a number from 0 to 1"),
        ("dropout", True, "a number from 0 to 1"),
        ("l1", -1e-9, "a number of at least 0"),
        ("l1", math.inf, "a number of at least 0"),
        ("l2", -1, "a number of at least 0"),
        ("l2", math.nan, "a number of at least 0"),
        ("label_smoothing", -0.1, "a number from 0 to 1"),
        ("label_smoothing", 1.1, "a number from 0 to 1"),
        ("noise", -0.1, "a number of at least 0"),
        ("hold_out", -0.1, "a number of at least 0 and below 1"),
        ("hold_out", 1, "a number of at least 0 and below 1"),
        ("hold_out", math.nan, "a number of at least 0 and below 1"),
        ("lr", 0, "a number above 0"),
        ("lr", -0.1, "a number above 0"),
        ("lr", math.nan, "a number above 0"),
        ("lr", math.inf, "a number above 0"),
        ("batch_size", 0, "a whole number from 1 to"),
        ("batch_size", 2.5, "a whole number from 1 to"),
        ("batch_size", 100_001, "a whole number from 1 to"),
        ("epochs", 0, "a whole number from 1 to"),
        ("epochs", math.inf, "a whole number from 1 to"),
        ("epochs", False, "a whole number from 1 to"),
    ],
)
def test_an_invalid_number_is_refused_with_requirement_and_value(
    field: str, value: Any, requirement: str
) -> None:
    with pytest.raises(ValueError, match=rf"^{field} needs {requirement}") as caught:
        Hyperparameters(**{field: value})
    assert str(caught.value).endswith(f", got {value}")


@pytest.mark.parametrize(
    ("hidden", "given"),
    [
        ((), "nothing"),
        ((0,), "0"),
        ((32, -1), "32 -1"),
        ((2.5,), "2.5"),
        ((4097,), "4097"),
        ((8,) * 9, "8 8 8 8 8 8 8 8 8"),
    ],
)
def test_invalid_layer_widths_are_refused_with_requirement_and_value(
    hidden: tuple[Any, ...], given: str
) -> None:
    with pytest.raises(ValueError, match=r"^hidden needs 1 to 8 layer widths, each a whole") as got:
        Hyperparameters(hidden=hidden)
    assert str(got.value).endswith(f", got {given}")


def test_all_invalid_values_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"^dropout needs") as caught:
        Hyperparameters(dropout=2, l1=-1, lr=0, batch_size=0, hidden=(0,), epochs=0)
    named = [part.split()[0] for part in str(caught.value).split("; ")]
    assert named == ["dropout", "l1", "lr", "batch_size", "hidden", "epochs"]


@pytest.mark.parametrize(
    "values",
    [
        {"dropout": 0},
        {"dropout": 1},
        {"label_smoothing": 1},
        {"l1": 0, "l2": 0},
        {"lr": 5e-324},
        {"batch_size": 1},
        {"hidden": (1,)},
        {"hidden": (4096,) * 8},
        {"epochs": 1},
    ],
)
def test_the_ends_of_every_range_are_allowed(values: dict[str, Any]) -> None:
    made = Hyperparameters(**values)
    assert {name: getattr(made, name) for name in values} == values


def test_an_excluded_end_is_described_as_such() -> None:
    assert Range(0, 1).describe() == "a number from 0 to 1"
    assert Range(0, 64, above=True).describe() == "a number above 0 and at most 64"
    assert Range(1, math.inf, whole=True).describe() == "a whole number of at least 1"


def test_hyperparameters_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Hyperparameters().lr = 1.0  # type: ignore[misc]


def test_the_defaults_are_the_lessons() -> None:
    assert Hyperparameters() == Hyperparameters(
        dropout=0.0, l1=0.0, l2=0.0, lr=0.005, batch_size=16, hidden=(32,), dataset="iris"
    )
    assert Hyperparameters().drop_last
    assert not Hyperparameters().standardize


def test_equal_values_have_equal_keys_whatever_their_number_type() -> None:
    assert Hyperparameters(dropout=0, l1=0, l2=1).key() == Hyperparameters(l2=1.0).key()


def test_the_example_values_cover_every_field() -> None:
    assert list(OTHER) == [field.name for field in fields(Hyperparameters)]


def test_changing_any_field_changes_the_key() -> None:
    keys = {replace(Hyperparameters(), **{name: value}).key() for name, value in OTHER.items()}
    assert len(keys | {Hyperparameters().key()}) == len(OTHER) + 1


def test_the_smallest_change_of_a_number_changes_the_key() -> None:
    above = math.nextafter(0.1, 1)
    assert Hyperparameters(l2=0.1).key() != Hyperparameters(l2=above).key()


def test_equal_numbers_in_other_fields_have_other_keys() -> None:
    assert Hyperparameters(l1=0.01).key() != Hyperparameters(l2=0.01).key()


def test_layer_widths_are_told_apart_by_order() -> None:
    assert Hyperparameters(hidden=(7, 9)).key() != Hyperparameters(hidden=(9, 7)).key()


def test_keys_are_those_of_earlier_records() -> None:
    # Records are found by these: a change would make every trial look new.
    assert Hyperparameters().key() == "5c06a5238321a100"
    later: dict[str, Any] = {"label_smoothing": 0, "noise": 0, "split": "stratified", "hold_out": 0}
    before = {name: value for name, value in OTHER.items() if name not in later}
    assert Hyperparameters(**before).key() == "4bd65ca030262d6b"
    assert Hyperparameters(**before, **later).key() == "4bd65ca030262d6b"
    for name in later:
        assert Hyperparameters(**before, **{name: OTHER[name]}).key() != "4bd65ca030262d6b"
    assert Hyperparameters(**OTHER).key() != "4bd65ca030262d6b"


def test_a_record_from_before_a_hyperparameter_was_introduced_is_read() -> None:
    recorded = {
        "key": "5c06a5238321a100",
        "name": "l2=0.000000",
        "hyperparameters": {
            "dropout": 0.0,
            "l1": 0.0,
            "l2": 0.0,
            "lr": 0.005,
            "batch_size": 16,
            "hidden": [32],
            "epochs": 500,
            "dataset": "iris",
            "standardize": False,
            "drop_last": True,
        },
        "seeds": [0, 1],
    }
    assert Trial.from_dict(recorded) == Trial("l2=0.000000", Hyperparameters(), (0, 1))


@pytest.mark.parametrize("values", [{}, OTHER])
def test_a_configuration_survives_json(values: dict[str, Any]) -> None:
    made = Hyperparameters(**values)
    again = Hyperparameters.from_dict(json.loads(json.dumps(made.as_dict())))
    assert again == made
    assert again.key() == made.key()


def test_unknown_fields_are_refused_by_name() -> None:
    values = Hyperparameters().as_dict()
    with pytest.raises(ValueError, match=r"hyperparameters need .*'lr'.*, got momentum, wd$"):
        Hyperparameters.from_dict({**values, "momentum": 0.9, "wd": 0})


@pytest.mark.parametrize("name", OTHER)
def test_what_a_record_lacks_has_its_default(name: str) -> None:
    values = Hyperparameters(**OTHER).as_dict()
    del values[name]
    usual = getattr(Hyperparameters(), name)
    assert Hyperparameters.from_dict(values) == Hyperparameters(**{**OTHER, name: usual})


def test_a_trial_that_has_lost_a_value_is_refused() -> None:
    values = Trial("l2=0.01", Hyperparameters(l2=0.01), (0,)).as_dict()
    del values["hyperparameters"]["l2"]
    with pytest.raises(ValueError, match=r"trial l2=0\.01: key .* is not that of its values"):
        Trial.from_dict(values)


def test_values_read_back_are_checked_too() -> None:
    with pytest.raises(ValueError, match="dropout needs a number from 0 to 1, got 2"):
        Hyperparameters.from_dict({**Hyperparameters().as_dict(), "dropout": 2})


@pytest.mark.parametrize("name", OTHER)
def test_the_shape_changes_with_fields_of_tensor_shapes_and_no_others(name: str) -> None:
    changed = replace(Hyperparameters(), **{name: OTHER[name]})
    assert (changed.shape() != Hyperparameters().shape()) == (name in SHAPE_FIELDS)


@pytest.mark.parametrize("seeds", [(), (1, 1), (0, 1, 2, 0)])
def test_a_trial_needs_distinct_seeds(seeds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a trial needs seeds, all different, got"):
        Trial("l2=0", Hyperparameters(), seeds)


def test_a_trial_survives_json() -> None:
    trial = Trial("l2=0.010000", Hyperparameters(l2=0.01, hidden=(12, 12)), (3, 1, 2))
    assert Trial.from_dict(json.loads(json.dumps(trial.as_dict()))) == trial


def test_a_trials_key_is_that_of_its_configuration() -> None:
    configuration = Hyperparameters(l2=0.01)
    assert Trial("a", configuration, (0,)).key == Trial("b", configuration, (1, 2)).key
    assert Trial("a", configuration, (0,)).key == configuration.key()


@pytest.mark.parametrize("change", [{"key": "0" * 16}, {"hyperparameters": {"l2": 0.02}}])
def test_a_trial_whose_key_does_not_fit_its_values_is_refused(change: dict[str, Any]) -> None:
    values = Trial("l2=0.010000", Hyperparameters(l2=0.01), (0,)).as_dict()
    for name, value in change.items():
        values[name] = {**values[name], **value} if isinstance(value, dict) else value
    with pytest.raises(ValueError, match=r"trial l2=0\.010000: key .* is not that of its values"):
        Trial.from_dict(values)
