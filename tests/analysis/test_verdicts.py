"""The rules for verdicts: what is true of a study decides its word, and seeds turn none over."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.random import default_rng

from analysis.claims_of_lesson.claims_table import summary
from analysis.claims_of_lesson.one_part import FEW, FEWEST, LEVEL, Evidence, Part, judge
from analysis.claims_of_lesson.verdict_texts import texts, word
from analysis.claims_of_lesson.verdicts import Verdict, decide, finding
from analysis.stats.paired import compare_paired, smallest_n
from analysis.stats.seeds import Difference, paired_difference
from support.iris_like import Floats

SPREAD = 1.5  # points: of a paired difference of test accuracies


def difference(values: Floats) -> Difference:
    return paired_difference(values, np.zeros_like(values))


def above_zero(found: Difference, name: str = "", other_rows: Difference | None = None) -> Part:
    """The claim that an effect in points is above 0."""
    return Part(Evidence("an effect", "points", found, other_rows, "paired t"), 1, 1.0, name)


def exactly(mean: float, n: int, spread: float = SPREAD) -> Difference:
    """A study that has found just that mean and that spread."""
    values = np.tile([-1.0, 1.0], n // 2)
    return difference(mean + spread * values / values.std(ddof=1))


def verdict(*parts: Part) -> Verdict:
    (found,) = decide([("a", "A")], [finding(parts, "Because.", ["run"])])
    return found


@pytest.mark.parametrize(
    ("mean", "n", "expected"),
    [
        (1.5, 300, "supported"),
        (0.5, 300, "supported, small"),
        (0.5, 30, "inconclusive"),
        (2.0, 30, "supported"),
        (2.0, FEW - 2, "inconclusive"),
        (-1.5, 300, "contradicted"),
        (-1.5, 298, "inconclusive"),
        (-0.2, 300, "contradicted"),  # as good as nothing, though no fall is shown
        (0.0, 300, "inconclusive"),
        (0.0, 1000, "contradicted"),
        (0.3, 300, "inconclusive"),  # within a point for certain, but not nothing
        (0.3, 1000, "supported, small"),
    ],
)
def test_a_word_follows_from_mean_and_number_of_seeds(mean: float, n: int, expected: str) -> None:
    found = verdict(above_zero(exactly(mean, n)))
    assert found.verdict == expected
    assert (found.seeds_needed is None) == (expected != "inconclusive" or n < 3)
    if expected != "inconclusive":
        assert found.p is not None
        assert found.p < LEVEL
    if expected == "inconclusive" and mean < 0:
        assert found.seeds_needed == FEWEST


def test_thirty_seeds_that_see_little_leave_the_claim_open_and_say_how_many_it_takes() -> None:
    # λ of L2 = 0.1 on 30 seeds: once called contradicted, and −1.06 on 500 others.
    seen = difference(0.37 + 1.473 * _standard(30))
    found = verdict(above_zero(seen))
    assert seen.low == pytest.approx(-0.18, abs=0.005)
    assert seen.high == pytest.approx(0.92, abs=0.005)
    assert found.verdict == "inconclusive"
    assert found.seeds_needed == smallest_n(0.37 / 1.473, LEVEL)
    assert word(found) == "inconclusive, ~540"


def _standard(n: int) -> Floats:
    values = default_rng(1).normal(size=n)
    found: Floats = (values - values.mean()) / values.std(ddof=1)
    return found


@pytest.mark.parametrize("n", [30, 300])
def test_a_true_effect_of_a_third_of_a_point_is_not_contradicted(n: int) -> None:
    draws = default_rng(n)
    words = [judge(above_zero(difference(draws.normal(0.36, SPREAD, n)))).word for _ in range(300)]
    assert "contradicted" not in words


@pytest.mark.parametrize("effect", [-0.36, 0.0, 0.1, 0.25, 0.36, 1.0])
def test_a_study_that_grows_is_not_both_supported_and_contradicted(effect: float) -> None:
    draws = default_rng(3)
    for values in draws.normal(effect, SPREAD, (25, 1000)):
        words = [
            judge(above_zero(difference(values[:n]))).word for n in (10, 30, 100, 300, 500, 1000)
        ]
        assert not ("contradicted" in words and {"supported", "supported, small"} & {*words})
        if effect >= 1:
            assert "contradicted" not in words
        if effect <= 0:
            assert not {"supported", "supported, small"} & {*words}


def test_the_seeds_that_it_takes_decide_four_studies_in_five() -> None:
    needed = judge(above_zero(exactly(0.6, 30))).seeds
    assert needed is not None
    draws = default_rng(4)
    shown = [
        judge(above_zero(difference(one))).word != "inconclusive"
        for one in draws.normal(0.6, SPREAD, (400, needed))
    ]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


def test_seeds_that_all_agree_are_counted_as_signs() -> None:
    few, enough = (verdict(above_zero(difference(np.full(n, 2.0)))) for n in (29, 30))
    assert (few.verdict, few.seeds_needed) == ("inconclusive", 30)
    assert (enough.verdict, enough.p_test) == ("supported", "sign test, as all seeds agree")
    nothing = verdict(above_zero(difference(np.zeros(300))))
    assert nothing.verdict == "contradicted"


def little(found: Difference) -> Part:
    return Part(Evidence("a change", "points", found, None, "paired t"), 0, 1.0)


@pytest.mark.parametrize(
    ("mean", "n", "expected"),
    [
        (0.3, 300, "supported"),
        (-0.3, 300, "supported"),
        (0.9, 300, "inconclusive"),
        (2.0, 30, "inconclusive"),
        (-2.0, 300, "contradicted"),
    ],
)
def test_that_something_changes_little_is_shown_from_both_sides(
    mean: float, n: int, expected: str
) -> None:
    assert verdict(little(exactly(mean, n))).verdict == expected


HOLDS = above_zero(exactly(2.0, 300), "it rises")
SMALL = above_zero(exactly(0.5, 300), "it rises a little")
FAILS = above_zero(exactly(-2.0, 300), "it does not fall")
OPEN = above_zero(exactly(0.3, 300), "who knows")


@pytest.mark.parametrize(
    ("parts", "expected", "said"),
    [
        ((HOLDS, HOLDS), "supported", "Because."),
        ((HOLDS, SMALL), "supported, small", "Because."),
        ((HOLDS, FAILS), "partly", "Because. Holds: it rises. Does not hold: it does not fall."),
        (
            (FAILS, OPEN),
            "contradicted",
            "Because. Does not hold: it does not fall. Open: who knows.",
        ),
        ((HOLDS, OPEN), "inconclusive", "Because. Holds: it rises. Open: who knows."),
        ((FAILS,), "contradicted", "Because."),
    ],
)
def test_parts_make_a_claim_and_are_named_where_they_differ(
    parts: tuple[Part, ...], expected: str, said: str
) -> None:
    found = verdict(*parts)
    assert (found.verdict, found.reason) == (expected, said)


def test_what_is_against_one_of_many_parts_has_to_be_clearer() -> None:
    borderline = above_zero(difference(-0.437 + SPREAD * _standard(300)))._replace(margin=None)
    assert judge(borderline).word == "contradicted"
    assert judge(borderline, of=12).word == "inconclusive"


def test_what_holds_for_these_rows_alone_says_so_in_its_word() -> None:
    values = 0.6 + 0.5 * _standard(300)
    paired = compare_paired(values, np.zeros(300), 0.25, default_rng(0), 1)
    here = verdict(above_zero(paired.difference, "", paired.corrected))
    assert (here.verdict, here.beyond_rows) == ("supported, small", "no")
    assert word(here) == "supported here, small"
    wide = replace(here, beyond_rows="yes")
    assert word(wide) == "supported, small"
    assert "Of these verdicts 1 hold for these rows" in summary([here, wide])


def test_the_test_of_the_interval_and_that_of_p_are_both_named() -> None:
    assert texts(verdict(HOLDS), "none").tests == "paired t"
    small, nothing, within = (
        texts(verdict(one), "none").tests
        for one in (SMALL, above_zero(exactly(-0.2, 300)), little(exactly(0.3, 300)))
    )
    assert small == "interval: paired t; p: paired t, against 1 too"
    assert nothing == "interval: paired t; p: one-sided t below 0.25"
    assert within == "interval: paired t; p: two one-sided t, ± 1"


def test_a_level_has_no_plus_and_a_difference_has_its_sign() -> None:
    level = Evidence("accuracy", "%", exactly(95.0, 300), None, "t against 90", 90.0, level=True)
    assert texts(verdict(Part(level, 1)), "none")[1:3] == ("95.00", "[94.83, 95.17]")
    assert texts(verdict(HOLDS), "none")[1] == "+2.00"


def test_no_p_is_0_however_clear() -> None:
    for n in (50, 1000):
        found = verdict(above_zero(exactly(1e6, n, 1e-3)))
        assert found.p is not None
        assert found.p > 0
        assert texts(found, "none").p == "< 0.000001"


def test_words_do_not_depend_on_the_unit_of_the_sign() -> None:
    """What supports that an effect is above 0 contradicts that it is below."""
    for mean in (-2.0, 2.0):
        found = exactly(mean, 300)
        evidence = Evidence("an effect", "points", found, None, "paired t")
        words = {judge(Part(evidence, side, 1.0)).word for side in (-1, 1)}
        assert words == {"supported", "contradicted"}


def test_more_of_an_effect_never_makes_a_claim_worse() -> None:
    order = ["contradicted", "inconclusive", "supported, small", "supported"]
    for n in (30, 300, 1000):
        found = [judge(above_zero(exactly(mean, n))).word for mean in np.arange(-2, 2.1, 0.05)]
        ranks = [order.index(one) for one in found]
        assert all(a <= b for a, b in pairwise(ranks))
