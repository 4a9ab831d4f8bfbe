"""One point of the search space, checked, with a stable name for what it is."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from trainables.dataset_facts import DATASETS
from trainables.declaration import (
    Choice,
    Declared,
    Range,
    Switch,
    Widths,
    as_text,
    declarations,
    hyperparameter,
    shown,
)

# Part of every record. Raise it whenever a change makes any model yield other numbers.
TRAINER_VERSION = 2

# What a seed stands for: data split, initial weights, batch order, dropout draws; the draws of
# input noise go with those of dropout.
SOURCES = ("split", "init", "order", "dropout")

# How the split is drawn: from all rows, or from those of each class in proportion.
RANDOM, STRATIFIED = "random", "stratified"


class UnfitValues(ValueError):
    """Values that no configuration has; `problems`: what is wrong, by the field's name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name} {text}" for name, text in problems.items()))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that one model depends on besides its seed; the trainers know what each does."""

    dropout: float = hyperparameter(
        0.0,
        Range(0, 1),
        about="probability of dropping a hidden unit in training, 0 to 1",
        label="dropout rate",
        caption="dropout {}",
        decimals=5,
        swept=True,
    )
    l1: float = hyperparameter(
        0.0,
        Range(0, math.inf),
        about="λ of the L1 penalty λ · (1 / number of weights) · Σ|w|, without biases",
        label="L1 penalty λ",
        caption="L1 λ {}",
        decimals=7,
        swept=True,
    )
    l2: float = hyperparameter(
        0.0,
        Range(0, math.inf),
        # Half of the λ · Σw² that text books write.
        about="λ of the L2 penalty (λ / 2) · Σw², PyTorch's weight_decay, biases too",
        label="L2 penalty λ (weight decay)",
        caption="L2 λ {}",
        decimals=6,
        swept=True,
    )
    label_smoothing: float = hyperparameter(
        0.0,
        Range(0, 1),
        about="share of the target that goes to all classes alike, torch's label_smoothing, 0 to 1",
        label="label smoothing",
        caption="label smoothing {}",
        decimals=6,
        swept=True,
        since="0.2",
    )
    noise: float = hyperparameter(
        0.0,
        Range(0, math.inf),
        about="deviation of Gaussian noise added to the inputs in training, anew in each epoch",
        label="noise on the inputs",
        caption="noise {}",
        decimals=5,
        swept=True,
        since="0.2",
    )
    lr: float = hyperparameter(
        0.005,
        Range(0, math.inf, above=True),
        about="step size of plain SGD",
        label="learning rate",
        caption="learning rate {}",
        always=True,
        decimals=6,
        swept=True,
    )
    batch_size: int = hyperparameter(
        16,
        Range(1, 100_000, whole=True),
        about="rows per update",
        label="batch size (rows)",
        caption="batch {}",
        always=True,
        scale="log2",
        swept=True,
        shapes=True,
    )
    hidden: tuple[int, ...] = hyperparameter(
        (32,),
        Widths(Range(1, 4096, whole=True), most=8),
        about="units of each hidden layer, such as 64 64",
        label="hidden units",
        caption="hidden {}",
        always=True,
        shapes=True,
    )
    epochs: int = hyperparameter(
        500,
        Range(1, 1_000_000, whole=True),
        about="passes over the training rows",
        label="epochs",
        caption="{} epochs",
        always=True,
        shapes=True,
    )
    split: str = hyperparameter(
        STRATIFIED,  # what all records have that say nothing of it
        Choice((RANDOM, STRATIFIED)),
        about="test rows are drawn from all (random, as in the lesson) or by class (stratified)",
        label="split of the data",
        caption="{} split",
        always=True,
        shapes=True,
        since="0.2",
    )
    hold_out: float = hyperparameter(
        0.0,
        Range(0, 1, below=True),
        about="share of the rows, the same for all seeds, that no seed trains on or chooses by",
        label="share of rows held out",
        caption="{} of the rows held out",
        shapes=True,
        since="0.2",
    )
    dataset: str = hyperparameter(
        "iris",
        Choice(tuple(DATASETS)),
        about="data; of the first four 80 % of the rows train, of those from moons on fewer",
        label="data",
        caption="{}",
        always=True,
        shapes=True,
    )
    standardize: bool = hyperparameter(
        False,
        Switch(),
        about="scale features to mean 0 and deviation 1 on the training rows",
        label="standardised features",
        caption="standardised",
        shapes=True,
    )
    drop_last: bool = hyperparameter(
        True,
        Switch(),
        about="leave out an epoch's last batch when it is not full, as the lesson does",
        label="last batch left out when not full",
        caption="last batch kept when not full",
        shapes=True,
        off="train on an epoch's last batch also when it is not full; the lesson leaves it out",
    )

    def __post_init__(self) -> None:
        _require({name: getattr(self, name) for name in DECLARED})

    def at(self, **values: Any) -> Hyperparameters:
        """The same with these values in place of its own; they alone are looked at.

        Raises `UnfitValues`.
        """
        _require(values)
        changed = copy(self)
        changed.__dict__.update(values)
        return changed

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values by field name."""
        values = {name: getattr(self, name) for name in DECLARED}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    def as_row(self) -> dict[str, Any]:
        """The same for a row of a table: a list is a text such as `64 64`."""
        return {n: as_text(v) if isinstance(v, list) else v for n, v in self.as_dict().items()}

    def captions(self) -> dict[str, str]:
        """How each value reads beside others, by field name.

        Only of those that captions always name and of those that are not at their default.
        """
        return {
            name: declared.caption.format(as_text(value))
            for name, declared in DECLARED.items()
            if (value := getattr(self, name)) != default(name) or declared.always
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Hyperparameters:
        """The inverse of `as_dict`; what a record lacks has its default.

        Raises `ValueError` that names each field which this version does not know.
        """
        if unknown := [name for name in values if name not in DECLARED]:
            named = ", ".join(map(shown, unknown))
            raise ValueError(f"hyperparameters need to be some of {[*DECLARED]}, got {named}")
        lists = {name: tuple(each) for name, each in values.items() if isinstance(each, list)}
        return cls(**{**values, **lists})

    def key(self) -> str:
        """16 hexadecimal digits that name this configuration: equal exactly for equal values."""
        # 0, 0.0 and -0.0 are one value; repr of a float is exact, so no two values share a key.
        canonical = {
            name: float(value) + 0.0  # -0.0 becomes 0.0
            if isinstance(value, int | float) and not isinstance(value, bool)
            else value
            for name, value in self.as_dict().items()
            # Older records know nothing of what was introduced later, and keep their keys.
            if not (DECLARED[name].since and getattr(self, name) == default(name))
        }
        text = json.dumps(canonical, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def shape(self) -> tuple[object, ...]:
        """The fields that fix tensor shapes and data: models of one pack must agree on them."""
        return tuple(getattr(self, name) for name, each in DECLARED.items() if each.shapes)


# What is declared of each hyperparameter, by its name, in the order of the fields.
DECLARED: Mapping[str, Declared] = declarations(Hyperparameters)


def default(name: str) -> Any:
    """The value that the hyperparameter has where nothing else is said."""
    return getattr(Hyperparameters, name)


def problem(name: str, value: object) -> str | None:
    """What is wrong with `value` as the hyperparameter `name`: required and given, or None."""
    return DECLARED[name].allowed.problem(value)


def _require(values: Mapping[str, object]) -> None:
    found = {name: problem(name, value) for name, value in values.items()}
    if wrong := {name: text for name, text in found.items() if text}:
        raise UnfitValues(wrong)
