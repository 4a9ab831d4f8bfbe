"""When models first reach an accuracy: worked out by hand, and the same in report and figure."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.claims_of_lesson.learning_claims import batch_final
from analysis.figures.readings import speed_reading
from analysis.stats.reaching import by_half, by_half_text, first_epochs
from support.lesson_fixture import World, in_memory, made_up

NEVER = np.inf


def test_the_moving_average_has_to_get_there() -> None:
    sudden = np.repeat([[0.0, 1.0]], [20, 20], axis=1)  # from epoch 21 on
    at_once = np.ones((1, 40))
    late = np.repeat([[0.0, 1.0]], [35, 5], axis=1)
    lost = np.where(np.arange(40) < 30, at_once, np.nan)
    found = first_epochs(np.concatenate([sudden, at_once, late, lost]), 0.9)
    assert found == pytest.approx([29, 1, NEVER, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("epochs", "epoch", "text"),
    [
        ([3, 9, 5], 5, "epoch 5"),
        ([3, 5, NEVER, NEVER], 5, "epoch 5"),
        ([3, NEVER, NEVER], NEVER, "never"),
        ([np.nan, 7], 7, "epoch 7"),
        ([np.nan], np.nan, "diverged"),
    ],
)
def test_by_half_of_those_that_did_not_diverge(
    epochs: list[float], epoch: float, text: str
) -> None:
    assert by_half(np.array(epochs)) == pytest.approx(epoch, nan_ok=True)
    assert by_half_text(np.array(epochs)) == text


def test_the_claim_and_the_figure_name_the_same_epochs() -> None:
    # At 64 four of nine models get there and the mean of their curves does not.
    sweep = made_up("batch_size", World(pace=lambda hp: 4 + hp.batch_size / 8, luck=0.001), 9, 60)
    last = sweep[-1]
    curves = {name: values.copy() for name, values in last.curves.items()}
    curves["test/accuracy"][4:] = 0.7
    sweep[-1] = replace(last, curves=curves)
    record = in_memory("batch_size", sweep)
    reason, reading = batch_final(record, None).reason, speed_reading(record)
    by_claim = dict(re.findall(r"(\d+): [\d.]+ % \((epoch \d+|never)\)", reason))
    by_figure = dict(re.findall(r"(\d+)(?: \(baseline\))?: (epoch \d+|never)", reading))
    assert by_claim == by_figure
    assert by_claim["64"] == "never"
    assert len(by_claim) == 6
