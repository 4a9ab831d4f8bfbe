"""A verdict as text: its word, its numbers, which tests they are of. For tables and pages."""

from __future__ import annotations

from typing import NamedTuple

from analysis.claims_of_lesson.one_part import FEWEST, MARGIN, Word
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.plotting.wording import about, beside, bracketed, fitting, from_to, p_in_two_digits

# What the words mean, for whoever reads a table.
MEANING: dict[str, str] = {
    "supported": "shown on the claimed side, p below one in a million",
    "small": f"shown, and shown to be less than what matters, {MARGIN:g} point",
    "partly": "the parts named hold, others are contradicted",
    "contradicted": (
        "shown on the other side, or shown to be as good as nothing; never with fewer than "
        f"{FEWEST} seeds"
    ),
    "inconclusive, ~1,300": "the data leave both open; about so many seeds would decide",
    "here": (
        "on these rows of data; the interval that allows for test sets sharing rows (Nadeau and "
        "Bengio) does not show it for others"
    ),
}


class Texts(NamedTuple):
    """`word`: the verdict with what qualifies it. `tests`: which test the interval and p are of."""

    word: str
    effect: str
    interval: str
    n: str
    p: str
    tests: str


def texts(verdict: Verdict, none: str, brackets: bool = True) -> Texts:
    """Those of a verdict; `none` where there is no number."""
    found = (verdict.effect, verdict.low, verdict.high)
    form = fitting(".2" if verdict.level else "+.2", *found)
    interval = bracketed if brackets else from_to
    return Texts(
        word=word(verdict),
        effect=beside(found, form, none=none),
        interval=interval(verdict.low, verdict.high, form, none),
        n=str(verdict.n) if verdict.n else none,
        p=p_in_two_digits(verdict.p, none),
        tests=_tests(verdict) or none,
    )


def word(verdict: Verdict) -> str:
    """`supported here, small`: with what is true for these rows alone, or open for how long."""
    if verdict.verdict == "inconclusive":
        needed = verdict.seeds_needed
        return f"{verdict.verdict}, {about(needed)}" if needed else verdict.verdict
    first, *rest = verdict.verdict.split(", ")
    here = f"{first} here" if verdict.beyond_rows == "no" else first
    return ", ".join([here, *rest])


def slug(verdict: Word) -> str:
    """The verdict as a name of a style: `supported-small`."""
    return verdict.replace(", ", "-")


def _tests(verdict: Verdict) -> str:
    if verdict.p_test in ("", verdict.test):
        return verdict.test
    return f"interval: {verdict.test}; p: {verdict.p_test}"
