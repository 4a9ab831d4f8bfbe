"""How numbers and intervals are worded, value by value."""

from __future__ import annotations

from math import nan

import pytest

from analysis.plotting.wording import (
    ONE_SEED,
    Bounded,
    about,
    about_zero,
    accuracy_text,
    all_in_percent,
    bracketed,
    counted,
    from_to,
    half_width,
    models_left,
    number,
    p_in_three_decimals,
    p_in_two_digits,
    with_half_width,
    with_interval,
)
from analysis.stats.seeds import Difference, Estimate
from sweeps.record.pages.words import percent
from trainables.result import Interval

ALL = Estimate(0.952, 0.941, 0.963, 10, 0)
SOME = Estimate(0.952, 0.941, 0.963, 9, 1)
ONE = Estimate(0.952, None, None, 1, 0)
LOST = Estimate(None, None, None, 0, 10)


@pytest.mark.parametrize(
    ("value", "form", "unit", "text"),
    [
        (95.2, ".1", " %", "95.2 %"),
        (1.3, "+.2", " points", "+1.30 points"),
        (-1.3, "+.2", "", "-1.30"),
        (-0.001, "+.2", "", "-0.001"),
        (0.001, "+.2", " points", "+0.001 points"),
        (-0.001, ".2", "", "-0.001"),
        (0.001, ".2", " %", "0.00 %"),  # a level: no sign to lose
        (-2e-9, "+.2", "", "-2e-09"),
        (0.0, "+.2", "", "0.00"),
        (-1e-15, "+.2", "", "0.00"),  # rounding alone
        (None, "+.2", " points", "–"),
    ],
)
def test_a_number_has_its_sign_and_its_unit(
    value: float | None, form: str, unit: str, text: str
) -> None:
    assert number(value, form, unit) == text


def test_what_is_said_without_a_number_can_be_chosen() -> None:
    assert number(None, ".2", " %", "none") == "none"
    assert bracketed(None, None, ".2", "none") == from_to(None, 1.0, ".2", "none") == "none"


@pytest.mark.parametrize(
    ("low", "high", "form", "brackets", "words"),
    [
        (-0.3, 0.54, "+.2", "[-0.30, +0.54]", "-0.30 to +0.54"),
        (-0.004, 0.008, "+.2", "[-0.004, +0.008]", "-0.004 to +0.008"),
        (-2.0, -0.001, "+.2", "[-2.000, -0.001]", "-2.000 to -0.001"),
        (0.0, 0.54, "+.2", "[0.00, +0.54]", "0.00 to +0.54"),
        (94.1, 100.4, ".1", "[94.1, 100.4]", "94.1 to 100.4"),
        (None, None, ".1", "–", "–"),
    ],
)
def test_an_interval_stands_in_brackets_or_in_words(
    low: float | None, high: float | None, form: str, brackets: str, words: str
) -> None:
    assert (bracketed(low, high, form), from_to(low, high, form)) == (brackets, words)


@pytest.mark.parametrize(
    ("found", "without", "text"),
    [
        ((0.12, -0.3, 0.54), "", "+0.12 points [-0.30, +0.54]"),
        ((-0.001, -0.004, 0.002), "", "-0.001 points [-0.004, +0.002]"),
        ((0.12, -0.002, 0.242), "", "+0.120 points [-0.002, +0.242]"),
        ((-0.004, -0.3, 0.292), "", "-0.004 points [-0.300, +0.292]"),
        ((-0.00002, -0.3, 0.3), "", "0.00 points [-0.30, +0.30]"),  # no sign to speak of
        ((0.12, None, None), "", "+0.12 points"),
        ((0.12, None, None), ONE_SEED, "+0.12 points (one seed: no interval)"),
        ((None, None, None), ONE_SEED, "–"),
    ],
)
def test_a_number_is_followed_by_its_interval(found: Bounded, without: str, text: str) -> None:
    assert with_interval(found, "+.2", " points", without) == text


def test_shares_become_percent_and_nothing_stays_nothing() -> None:
    assert all_in_percent((0.5, None, 0.75)) == (50.0, None, 75.0)


@pytest.mark.parametrize(
    ("found", "form", "text"),
    [
        (ALL, ".1", "95.2 ± 1.1"),
        (ONE, ".2", "95.20"),
        (LOST, ".1", "–"),
        (Difference(-0.0002, -0.0122, 0.0118, 3, 0.9, ""), "+.2", "-0.02 ± 1.20"),
        (Difference(-0.00001, -0.00025, 0.00023, 3, 0.9, ""), "+.2", "-0.001 ± 0.024"),
        (Difference(0.01, 0.01, 0.01, 3, None, "equal"), "+.2", "+1.00 ± 0.00"),
        (Difference(-0.01, None, None, 1, None, "one pair"), "+.2", "-1.00"),
        (Estimate(0.99, 0.962, 1.0, 4, 0), ".1", "99.0 [96.2, 100.0]"),  # cut to what can be
    ],
)
def test_in_tables_half_of_the_interval_follows(
    found: Estimate | Difference, form: str, text: str
) -> None:
    assert with_half_width(found, form) == text


def test_half_of_an_interval_has_no_sign() -> None:
    assert (half_width(1.304, 2), half_width(0.0, 1)) == ("± 1.30", "± 0.0")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (ALL, "95.20 % [94.10, 96.30]"),
        (ONE, "95.20 % (one seed: no interval)"),
        (LOST, "diverged"),
    ],
)
def test_an_accuracy_has_its_interval_or_the_word_for_what_lacks(
    found: Estimate, text: str
) -> None:
    assert accuracy_text(found) == text


@pytest.mark.parametrize("found", [ALL, ONE, LOST])
def test_the_sweep_words_an_accuracy_as_the_report_does(found: Estimate) -> None:
    # One decimal there, two here. Neither side may import the other, so each words its own.
    mean = nan if found.mean is None else found.mean
    by_sweep = percent(Interval(mean=mean, std=None, low=found.low, high=found.high))
    by_report = accuracy_text(found)
    if found.mean is not None:
        by_report = with_interval(all_in_percent(found[:3]), ".1", " %", ONE_SEED)
    assert by_sweep == by_report


def test_an_accuracy_that_the_sweep_has_not_recorded_is_said_to_lack() -> None:
    assert percent(None) == "not recorded"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (1200, "1,200 epochs")]
)
def test_one_is_not_several(count: int, text: str) -> None:
    assert counted(count, "epoch") == text


@pytest.mark.parametrize(
    ("count", "text"), [(7, "~7"), (99, "~99"), (268, "~270"), (270, "~270"), (1_234, "~1,300")]
)
def test_an_estimated_number_has_two_digits_and_is_not_too_low(count: int, text: str) -> None:
    assert about(count) == text


@pytest.mark.parametrize("high", [1.0, 1.012])
def test_no_accuracy_of_the_sweep_is_above_100_percent(high: float) -> None:
    assert percent(Interval(mean=0.99, std=0.01, low=0.968, high=high)) == "99.0 % [96.8, 100.0]"


@pytest.mark.parametrize(("found", "text"), [(ALL, "10"), (SOME, "9/10"), (LOST, "0/10")])
def test_models_that_diverged_show_in_their_number(found: Estimate, text: str) -> None:
    assert models_left(found) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Difference(0.1, 0.05, 0.15, 5, 0.01, ""), "leaves out 0"),
        (Difference(0.1, -0.05, 0.25, 5, 0.2, ""), "includes 0"),
        (Difference(0.1, 0.1, 0.1, 5, None, "all are equal"), "all are equal"),
    ],
)
def test_an_interval_is_said_to_include_zero_or_not(found: Difference, text: str) -> None:
    assert about_zero(found) == text


@pytest.mark.parametrize(
    ("p", "two_digits", "three_decimals"),
    [
        (None, "–", "–"),
        (1.0, "1.00", "1.000"),
        (0.034, "0.03", "0.034"),
        (0.01, "0.01", "0.010"),
        (0.0034, "0.0034", "0.003"),
        (0.001, "0.001", "0.001"),
        (0.00099, "0.00099", "< 0.001"),
        (0.0001, "0.0001", "< 0.001"),
        (0.0000123, "0.000012", "< 0.001"),
        (0.0000009, "< 0.000001", "< 0.001"),
        (0.0, "< 0.000001", "< 0.001"),
    ],
)
def test_p_values_keep_what_counts(p: float | None, two_digits: str, three_decimals: str) -> None:
    assert (p_in_two_digits(p), p_in_three_decimals(p)) == (two_digits, three_decimals)
