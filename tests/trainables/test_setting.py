"""The words on what models have in common: nothing that matters is left out, nothing swept said."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from trainables.hyperparameters import Hyperparameters
from trainables.setting import Models, setting, settings

DEFAULT = Hyperparameters()
ALWAYS = ("dataset", "split", "hidden", "epochs", "lr", "batch_size")
NAMES = [field.name for field in fields(Hyperparameters)]
PLAIN = "all models: iris, stratified split, 500 epochs, hidden 32, batch 16, learning rate 0.005"


def changed(name: str) -> Hyperparameters:
    """The defaults but for that one hyperparameter."""
    value = getattr(DEFAULT, name)
    text = {"dataset": "wine", "split": "random"}.get(name)
    values: dict[type, Any] = {str: text, tuple: (64, 64), bool: not value, int: 7, float: 0.25}
    return replace(DEFAULT, **{name: values[type(value)]})


def words(models: Models) -> set[str]:
    return set(setting(models).removeprefix("all models: ").split(", "))


def test_the_default_setting_in_full() -> None:
    assert setting(Models([DEFAULT, DEFAULT])) == PLAIN


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"lr": 0.01}, "learning rate 0.01"),
        ({"lr": 1e-7}, "learning rate 1e-07"),
        ({"hidden": (64, 8)}, "hidden 64 8"),
        ({"epochs": 1_000_000}, "1000000 epochs"),
        ({"batch_size": 7}, "batch 7"),
        ({"dataset": "digits"}, "digits"),
        ({"split": "random"}, "random split"),
        ({"split": "stratified"}, "stratified split"),
        ({"hold_out": 0.2}, "0.2 of the rows held out"),
        ({"dropout": 0.2}, "dropout 0.2"),
        ({"standardize": True}, "standardised"),
        ({"drop_last": False}, "last batch kept when not full"),
    ],
)
def test_values_are_said_in_full(values: dict[str, Any], text: str) -> None:
    assert text in words(Models([Hyperparameters(**values)]))


@pytest.mark.parametrize("name", NAMES)
def test_every_hyperparameter_is_said_where_it_is_no_default(name: str) -> None:
    plain, said = words(Models([DEFAULT])), words(Models([changed(name)]))
    assert len(said - plain) == 1
    assert len(plain - said) == (name in ALWAYS)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_swept_is_no_constant(name: str) -> None:
    expected = words(Models([DEFAULT])) & words(Models([changed(name)]))
    for configurations in ([DEFAULT, changed(name)], [changed(name)]):
        assert words(Models(configurations, {name})) == expected


def test_what_differs_without_having_been_swept_is_said_with_its_values() -> None:
    two = [Hyperparameters(lr=lr) for lr in (0.01, 0.005, 0.01)]
    assert "learning rate 0.005 or 0.01" in words(Models(two))
    many = [Hyperparameters(lr=number / 8) for number in range(8, 0, -1)]
    assert "learning rate 0.125 to 1" in words(Models(many))
    assert "dropout 0 or 0.25" in words(Models([DEFAULT, changed("dropout")]))
    assert "standardised in some" in words(Models([DEFAULT, changed("standardize")]))


def test_sweeps_side_by_side_say_what_they_share_and_where_they_differ() -> None:
    l2 = [Hyperparameters(l2=l2) for l2 in (0, 0.1)]
    other = [replace(one, dropout=0.5, lr=0.01, standardize=True) for one in l2]
    assert settings({"one": Models(l2, ["l2"]), "two": Models(other, ["l2"])}) == (
        "all models: iris, stratified split, 500 epochs, hidden 32, batch 16",
        {
            "one": {"lr": "learning rate 0.005", "dropout": "dropout 0"},
            "two": {
                "lr": "learning rate 0.01",
                "dropout": "dropout 0.5",
                "standardize": "standardised",
            },
        },
    )


def test_what_one_sweep_varies_is_said_of_the_others_alone() -> None:
    l2 = [Hyperparameters(l2=l2) for l2 in (0, 0.1)]
    batched = [Hyperparameters(batch_size=size) for size in (2, 64)]
    assert settings({"l2": Models(l2, ["l2"]), "sizes": Models(batched, ["batch_size"])}) == (
        "all models: iris, stratified split, 500 epochs, hidden 32, learning rate 0.005",
        {"l2": {"batch_size": "batch 16"}, "sizes": {}},
    )


def test_equal_sweeps_one_sweep_and_no_sweep() -> None:
    one = Models([DEFAULT])
    assert settings({"a": one, "b": one}) == (PLAIN, {"a": {}, "b": {}})
    assert settings({"a": one}) == (PLAIN, {"a": {}})
    assert settings({}) == ("", {})


def test_sweeps_that_share_nothing_have_no_line_in_common() -> None:
    other = Hyperparameters(
        lr=1, batch_size=1, hidden=(1,), epochs=1, dataset="wine", split="random"
    )
    shared, own = settings({"a": Models([DEFAULT]), "b": Models([other])})
    assert shared == ""
    assert list(own["b"]) == ["dataset", "split", "epochs", "hidden", "batch_size", "lr"]
