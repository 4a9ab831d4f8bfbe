"""How numbers, their intervals and p-values are worded: in terminals, on figures and on pages.

What has a case to get wrong is worded here: no number, no interval, signs, brackets, rounding. A
plain number within a sentence is formatted where the sentence stands.

`form` is Python's format of a number without the last letter: `.2` two decimals, `+` a sign in
any case, `z` no minus before what rounds to zero.
"""

from __future__ import annotations

from analysis.stats.seeds import Difference, Estimate

NONE = "–"  # where there is no number
ONE_SEED = "one seed: no interval"

# A mean or another value with the bounds of its interval, as `Estimate` and others begin.
Bounded = tuple[float | None, float | None, float | None]


def in_percent(share: float | None) -> float | None:
    """A share from 0 to 1 in %, a difference of two shares in points; None stays None."""
    return None if share is None else 100 * share


def all_in_percent(shares: Bounded) -> Bounded:
    """A share and its bounds in %, or a difference of shares in points."""
    value, low, high = shares
    return in_percent(value), in_percent(low), in_percent(high)


def number(value: float | None, form: str, unit: str = "", none: str = NONE) -> str:
    """`95.20 %`, `+0.12 points`, with the unit as it is given; `none` where there is no number."""
    return none if value is None else f"{value:{form}f}{unit}"


def bracketed(low: float | None, high: float | None, form: str, none: str = NONE) -> str:
    """`[-0.30, +0.54]`, for tables."""
    return none if low is None or high is None else f"[{low:{form}f}, {high:{form}f}]"


def from_to(low: float | None, high: float | None, form: str, none: str = NONE) -> str:
    """`-0.30 to +0.54`, for sentences."""
    return none if low is None or high is None else f"{low:{form}f} to {high:{form}f}"


def half_width(width: float, digits: int | str) -> str:
    """`± 1.30`: half of an interval that is the same to both sides."""
    return f"± {width:.{digits}f}"


def with_interval(found: Bounded, form: str, unit: str = "", without: str = "") -> str:
    """`95.20 % [94.10, 96.30]`; where there is no interval, why: `95.20 % (one seed)`."""
    value, low, high = found
    text = number(value, form, unit)
    if value is None:
        return text
    if low is None or high is None:
        return f"{text} ({without})" if without else text
    return f"{text} {bracketed(low, high, form)}"


def with_half_width(found: Estimate | Difference, form: str) -> str:
    """`95.2 ± 1.3`: a mean in % or points with half of its interval, if it has one."""
    text = number(in_percent(found.mean), form)
    if found.mean is None or found.low is None:
        return text
    return f"{text} {half_width(100 * (found.mean - found.low), form[-1])}"


def accuracy_text(found: Estimate) -> str:
    """`95.20 % [94.10, 96.30]`, or the word for what there is not."""
    if found.mean is None:
        return "diverged"
    return with_interval(all_in_percent(found[:3]), ".2", " %", ONE_SEED)


def models_left(found: Estimate) -> str:
    """`10`, or `9/10` where one of ten models diverged."""
    return f"{found.n}/{found.n + found.diverged}" if found.diverged else f"{found.n}"


def about_zero(found: Difference) -> str:
    """Whether the interval of a difference includes 0, or why none tells."""
    return found.remark or ("leaves out 0" if found.excludes_zero else "includes 0")


def p_in_two_digits(p: float | None, none: str = NONE) -> str:
    """`0.12`, `0.0034`, `<0.0001`: short, for columns, and tells small ones apart."""
    if p is None:
        return none
    return "<0.0001" if p < 1e-4 else f"{p:.2g}" if p < 0.01 else f"{p:.2f}"


def p_in_three_decimals(p: float | None) -> str:
    """`0.034`, `< 0.001`, or a dash where there is no test."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
