"""What the trainer benchmark trains, and what it measures of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.train_pack import Model

FULL_EPOCHS = 500
LESSON = "lesson-style loop"


@dataclass(frozen=True)
class Case:
    """What is trained: `models` of equal shapes for `epochs`."""

    models: int
    epochs: int
    batch_size: int = 16
    dropout: float = 0.0

    def members(self) -> list[Model]:
        """Ten seeds for each configuration; configurations spread evenly over (0, 0.1] in l2."""
        configurations = -(-self.models // 10)
        return [
            Model(
                Hyperparameters(
                    l2=0.1 * (number // 10 + 1) / configurations,
                    dropout=self.dropout,
                    batch_size=self.batch_size,
                    epochs=self.epochs,
                ),
                Seed.of(number % 10),
            )
            for number in range(self.models)
        ]


@dataclass(frozen=True)
class Row:
    """A measurement: `seconds` of every run, and the rate in models of 500 epochs per second."""

    section: str
    way: str
    case: Case
    seconds: list[float]
    models_a_second: float
    extrapolated: bool = False
    agreement: dict[str, float] | None = None
    memory_bytes: int | None = None


def measured(section: str, way: str, case: Case, seconds: list[float], **more: Any) -> Row:
    """The row of a `case` that took `seconds` in each run."""
    rate = case.models * case.epochs / FULL_EPOCHS / median(seconds)
    more.setdefault("extrapolated", case.epochs != FULL_EPOCHS)
    return Row(section, way, case, seconds, rate, **more)


def evenly(count: int, few: int) -> NDArray[np.int64]:
    """At most `few` numbers from 0 to `count` - 1, evenly spaced, both ends among them."""
    return np.unique(np.linspace(0, count - 1, few).round().astype(np.int64))


def agreement(found: Sequence[float] | NDArray[Any], ours: NDArray[Any]) -> dict[str, float]:
    """How last test accuracies `found` (M,) differ from `ours` (M,) for equal models."""
    difference = np.abs(np.asarray(found) - ours)
    return {
        "models": len(ours),
        "models_that_differ": int((difference > 1e-6).sum()),
        "mean_absolute_difference": float(difference.mean()),
        "mean_accuracy": float(np.mean(found)),
        "mean_accuracy_of_train_pack": float(ours.mean()),
    }


def lines(rows: Sequence[Row]) -> dict[str, list[dict[str, str]]]:
    """`rows` as the lines of a table for each section, beside the lesson-style loop at equal work.

    That loop was measured with the most epochs where several rows have it.
    """
    lesson: dict[tuple[int, float], float] = {}
    for row in sorted(rows, key=lambda each: each.case.epochs):
        if row.way == LESSON:
            lesson[row.case.batch_size, row.case.dropout] = row.models_a_second
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        its_lesson = lesson.get((row.case.batch_size, row.case.dropout))
        found.setdefault(row.section, []).append(_line(row, its_lesson))
    return found


def _line(row: Row, lesson: float | None) -> dict[str, str]:
    case = row.case
    rates = [case.models * case.epochs / FULL_EPOCHS / seconds for seconds in row.seconds]
    line = {
        "way": row.way,
        "dropout": f"{case.dropout:g}",
        "batch": str(case.batch_size),
        "models × epochs": f"{case.models:,} × {case.epochs}" if rates else "",
        "models/s": _rate(row.models_a_second),
        "min to max": f"{_rate(min(rates))} to {_rate(max(rates))}" if rates else "",
        "n": str(len(rates)) if rates else "",
        "": "computed" if not rates else "extrapolated" if row.extrapolated else "",
    }
    if row.memory_bytes is not None:
        line["peak MiB"] = f"{row.memory_bytes / 2**20:,.0f}"
    else:
        line["× lesson"] = _rate(row.models_a_second / lesson) if lesson else ""
    line["unlike ours"] = ""
    if row.agreement is not None:
        differ, of = row.agreement["models_that_differ"], row.agreement["models"]
        points = 100 * row.agreement["mean_absolute_difference"]
        line["unlike ours"] = f"{differ} of {of}, {points:.2f} points"
    return line


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
