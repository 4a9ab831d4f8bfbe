"""One point of the search space, checked, with a stable name for what it is."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from trainables.dataset_facts import DATASETS

# Part of every record. Raise it whenever a change makes any model yield other numbers.
TRAINER_VERSION = 2

# What a seed stands for: data split, initial weights, batch order, dropout draws.
SOURCES = ("split", "init", "order", "dropout")


class Range(NamedTuple):
    """Allowed values of a field: `low` to `high`, both included unless `above` excludes `low`."""

    low: float
    high: float
    whole: bool = False
    above: bool = False

    def describe(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.high == math.inf:
            return f"{kind} {'above' if self.above else 'of at least'} {self.low:g}"
        if self.above:
            return f"{kind} above {self.low:g} and at most {self.high:g}"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        try:
            if not math.isfinite(value):
                return False
        except OverflowError:  # a whole number that no float can hold
            return False
        return (value > self.low if self.above else value >= self.low) and value <= self.high


RANGES: Mapping[str, Range] = {
    "dropout": Range(0, 1),
    "l1": Range(0, math.inf),
    "l2": Range(0, math.inf),
    "lr": Range(0, math.inf, above=True),
    "batch_size": Range(1, 100_000, whole=True),
    "hidden": Range(1, 4096, whole=True),
    "epochs": Range(1, 1_000_000, whole=True),
}


def problem(field: str, value: object) -> str | None:
    """What is wrong with `value` as the hyperparameter `field`: required and given, or None."""
    allowed = RANGES[field]
    if field == "hidden":
        widths = value if isinstance(value, tuple) else (value,)
        if widths is value and 1 <= len(widths) <= 8 and all(map(allowed.holds, widths)):
            return None
        given = " ".join(map(shown, widths)) or "nothing"
        return f"needs 1 to 8 layer widths, each {allowed.describe()}, got {given}"
    return None if allowed.holds(value) else f"needs {allowed.describe()}, got {shown(value)}"


def shown(value: object) -> str:
    """A value from outside, fit for one line of an error message."""
    return ascii(value)[1:-1][:60] if isinstance(value, str) else str(value)[:60]


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that one model depends on besides its seed.

    `dropout`: probability of dropping a hidden unit in training, 0 to 1, both included.
    `l1`: λ of the penalty λ · (1 / number of weights) · Σ|w|; weights only, no biases.
    `l2`: λ as PyTorch's `weight_decay`, so the penalty is (λ / 2) · Σw², half of the λ · Σw² that
    text books write; biases are decayed too, as PyTorch does.
    `lr`: step size of plain SGD. `batch_size`: rows. `hidden`: units per hidden layer.
    `drop_last`: leave out an epoch's last batch when it is not full.
    `standardize`: scale features to mean 0 and standard deviation 1 on the training rows.
    """

    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    lr: float = 0.005
    batch_size: int = 16
    hidden: tuple[int, ...] = (32,)
    epochs: int = 500
    dataset: str = "iris"
    standardize: bool = False
    drop_last: bool = True

    def __post_init__(self) -> None:
        found = [(name, problem(name, getattr(self, name))) for name in RANGES]
        for name in ("standardize", "drop_last"):
            if not isinstance(getattr(self, name), bool):
                found.append((name, f"needs True or False, got {shown(getattr(self, name))}"))
        if self.dataset not in DATASETS:
            found.append(("dataset", f"needs one of {', '.join(DATASETS)}, got {self.dataset}"))
        if wrong := [f"{name} {text}" for name, text in found if text]:
            raise ValueError("; ".join(wrong))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values by field name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Hyperparameters:
        """The inverse of `as_dict`; unknown or missing fields raise `ValueError`."""
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(f"hyperparameters need exactly {sorted(names)}, got {sorted(values)}")
        return cls(**{**values, "hidden": tuple(values["hidden"])})

    def key(self) -> str:
        """16 hexadecimal digits that name this configuration: equal exactly for equal values."""
        # 0, 0.0 and -0.0 are one value; repr of a float is exact, so no two values share a key.
        canonical = {
            name: float(value) + 0.0  # -0.0 becomes 0.0
            if isinstance(value, int | float) and not isinstance(value, bool)
            else value
            for name, value in self.as_dict().items()
        }
        text = json.dumps(canonical, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def shape(self) -> tuple[object, ...]:
        """The fields that fix tensor shapes and data: models of one pack must agree on them."""
        return (
            self.batch_size,
            self.hidden,
            self.epochs,
            self.dataset,
            self.standardize,
            self.drop_last,
        )
