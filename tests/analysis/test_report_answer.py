"""The two sentences that the report begins with: they say what is true of the recorded sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from analysis.claims_of_lesson.verdicts import decide, untested
from analysis.reading.sweep_record import SweepRecord
from analysis.report_page.report_answer import sentences
from support.lesson_fixture import World, in_memory, made_up
from trainables.hyperparameters import Hyperparameters

SEEDS, EPOCHS = 40, 12


def _record(role: str, gain: float, luck: float = 0.002, strong: float = 0.0) -> SweepRecord:
    """A sweep where L2, L1 or dropout changes test accuracy by `gain`, or by `strong` at 0.1 up."""

    def test(hp: Hyperparameters) -> float:
        value = hp.l2 + hp.l1 + hp.dropout
        return 0.9 + (strong if value >= 0.1 and strong else gain if value else 0.0)

    return in_memory(role, made_up(role, World(test=test, luck=luck), SEEDS, EPOCHS))


@pytest.mark.parametrize(
    ("gain", "luck", "begins"),
    [
        (0.03, 0.002, "Yes: of the 4 settings"),
        (0.003, 0.002, "Hardly: of the 4 settings"),
        (0.012, 0.01, "A little: of the 4 settings"),
        (-0.003, 0.002, "No: of the 4 settings"),
        (0.0, 0.06, "That is open: of the 4 settings"),
    ],
)
def test_the_first_says_how_much_it_helps(gain: float, luck: float, begins: str) -> None:
    first, _ = sentences({"l2": _record("l2", gain, luck)}, [])
    assert first.startswith(begins)
    assert first.endswith(".")
    assert ". " not in first


def test_the_best_has_the_interval_that_holds_for_all() -> None:
    record = _record("l2", 0.03)
    finals = {one: record.final(one, "test/accuracy") for one in record.usable}
    (base, *others) = finals.values()
    best = max(others, key=np.mean) - base
    half = t.ppf(1 - 0.05 / 2 / len(others), SEEDS - 1) * best.std(ddof=1) / SEEDS**0.5
    low, high = 100 * (best.mean() - half), 100 * (best.mean() + half)
    first, _ = sentences({"l2": record}, [])
    assert f"{100 * best.mean():+.2f} points [{low:+.2f}, {high:+.2f}]" in first


def test_settings_that_two_sweeps_share_count_once_and_a_dropout_rate_of_1_not_at_all() -> None:
    some = {role: _record(role, -0.003) for role in ("dropout", "l2", "small-l2", "l1")}
    first, _ = sentences(some, [])
    # 4 rates from 0.1 to 0.9, 4 + 3 λ of L2, 3 of L1
    assert "of the 14 settings" in first


def test_the_second_says_what_too_much_costs_and_where_it_helps_more() -> None:
    some = {"dropout": _record("dropout", 0.0, strong=-0.05), "l2": _record("l2", 0.0)}
    claims = [("size-matters-net", "a claim"), ("size-matters-data", "another")]
    # Made-up final numbers are of epochs where a model is on its way: they lose less than 5 points.
    verdicts = decide(claims, [untested("no sweep"), untested("no sweep")])
    _, second = sentences(some, verdicts)
    assert second.startswith("Too much of it costs accuracy (dropout rate 0.9: -3.")
    assert "L2" not in second
    assert second.endswith(
        "that it helps a larger network or with harder data more is inconclusive."
    )
    _, second = sentences({"l2": some["l2"]}, [])
    assert second == "Even at its strongest no loss is shown."


def test_without_pairs_nothing_is_claimed() -> None:
    one = in_memory("l2", made_up("l2", None, 1, EPOCHS))
    for records in ({}, {"l2": one}):
        first, second = sentences(records, [])
        assert first.startswith("That cannot be said: ")
        assert "sweeps/lesson.py" in second
