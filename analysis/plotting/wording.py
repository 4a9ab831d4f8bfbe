"""How numbers, their intervals and p-values are worded: in terminals, on figures and on pages.

What has a case to get wrong is worded here: no number, no interval, signs, brackets, rounding. A
plain number within a sentence is formatted where the sentence stands.

`form` is Python's format of a number without the last letter: `.2` two decimals, `+` a sign for
differences. It has more decimals where these would make 0 of a difference, or of a bound, that is
not 0: no sign is rounded away. What is 0 has no sign.
"""

from __future__ import annotations

from analysis.stats.seeds import ROUNDING, Difference, Estimate

NONE = "–"  # where there is no number
ONE_SEED = "one seed: no interval"
_MOST_DECIMALS = 6

# A mean or another value with the bounds of its interval, as `Estimate` and others begin.
Bounded = tuple[float | None, float | None, float | None]


def in_percent(share: float | None) -> float | None:
    """A share from 0 to 1 in %, a difference of two shares in points; None stays None."""
    return None if share is None else 100 * share


def all_in_percent(shares: Bounded) -> Bounded:
    """A share and its bounds in %, or a difference of shares in points."""
    value, low, high = shares
    return in_percent(value), in_percent(low), in_percent(high)


def fitting(form: str, value: float | None, *bounds: float | None) -> str:
    """The form with as many decimals as it takes for none of these to lose its sign.

    A number and the bounds of its interval have one form. A number that is less than a hundredth of
    half of its interval has no sign to keep: it counts as 0.
    """
    sign, digits = form.replace("z", "").split(".")
    signed = [one for one in (_seen(value, *bounds), *bounds) if one and abs(one) > ROUNDING]
    if not sign:  # a level: it has a sign to lose only below 0
        signed = [one for one in signed if one < 0]
    decimals = int(digits)
    while decimals < _MOST_DECIMALS and any(round(one, decimals) == 0 for one in signed):
        decimals += 1
    return f"{sign}.{decimals}"


def _seen(value: float | None, *bounds: float | None) -> float | None:
    known = [bound for bound in bounds if bound is not None]
    if value is None or len(known) < 2:
        return value
    low, high = min(known), max(known)
    return 0.0 if low < 0 < high and abs(value) < (high - low) / 200 else value


def number(value: float | None, form: str, unit: str = "", none: str = NONE) -> str:
    """`95.20 %`, `+0.12 points`, with the unit as it is given; `none` where there is no number."""
    if value is None:
        return none
    form = fitting(form, value)
    if round(value, int(form[-1])) == 0:
        if abs(value) > ROUNDING and (value < 0 or "+" in form):  # less than all decimals hold
            return f"{value:{form[:-2]}.0e}{unit}"
        form, value = form.lstrip("+"), 0.0
    return f"{value:{form}f}{unit}"


def beside(found: Bounded, form: str, unit: str = "", none: str = NONE) -> str:
    """The first of these, as it stands beside its interval."""
    return number(_seen(*found), fitting(form, *found), unit, none)


def bracketed(low: float | None, high: float | None, form: str, none: str = NONE) -> str:
    """`[-0.30, +0.54]`, for tables."""
    return none if low is None or high is None else f"[{', '.join(_both(low, high, form))}]"


def from_to(low: float | None, high: float | None, form: str, none: str = NONE) -> str:
    """`-0.30 to +0.54`, for sentences."""
    return none if low is None or high is None else " to ".join(_both(low, high, form))


def _both(low: float, high: float, form: str) -> tuple[str, str]:
    form = fitting(form, low, high)
    return number(low, form), number(high, form)


def half_width(width: float, digits: int | str) -> str:
    """`± 1.30`: half of an interval that is the same to both sides."""
    return f"± {width:.{digits}f}"


def with_interval(found: Bounded, form: str, unit: str = "", without: str = "") -> str:
    """`95.20 % [94.10, 96.30]`; where there is no interval, why: `95.20 % (one seed)`."""
    value, low, high = found
    text = beside(found, form, unit)
    if value is None:
        return text
    if low is None or high is None:
        return f"{text} ({without})" if without else text
    return f"{text} {bracketed(low, high, fitting(form, *found))}"


def with_half_width(found: Estimate | Difference, form: str) -> str:
    """`95.2 ± 1.3`: a mean of shares in % or points, with half of its interval, if it has one."""
    return plus_minus(all_in_percent(found[:3]), form)


def plus_minus(found: Bounded, form: str, between: str = " ") -> str:
    """The same of numbers as they are.

    An interval that was cut to what is possible is not the same to both sides: in brackets.
    """
    value, low, high = found
    text, form = beside(found, form), fitting(form, *found)
    if value is None or low is None or high is None:
        return text
    if abs(high - value - (value - low)) > 1e-6 * (high - low):
        return f"{text}{between}{bracketed(low, high, form)}"
    return f"{text}{between}{half_width(value - low, form[-1])}"


def accuracy_text(found: Estimate) -> str:
    """`95.20 % [94.10, 96.30]`, or the word for what there is not."""
    if found.mean is None:
        return "diverged"
    return with_interval(all_in_percent(found[:3]), ".2", " %", ONE_SEED)


def counted(count: int, noun: str) -> str:
    """`1 epoch`, `1,200 epochs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def about(count: int) -> str:
    """`~270`, `~1,300`: a number that is an estimate, rounded up to two digits."""
    step = 10 ** max(0, len(str(count)) - 2)
    return f"~{-(-count // step) * step:,}"


def models_left(found: Estimate) -> str:
    """`10`, or `9/10` where one of ten models diverged."""
    return f"{found.n}/{found.n + found.diverged}" if found.diverged else f"{found.n}"


def about_zero(found: Difference) -> str:
    """Whether the interval of a difference includes 0, or why none tells."""
    return found.remark or ("leaves out 0" if found.excludes_zero else "includes 0")


def p_in_two_digits(p: float | None, none: str = NONE) -> str:
    """`0.12`, `0.0034`, `< 0.000001`: short, for columns, and tells small ones apart."""
    if p is None:
        return none
    if p < 1e-4:
        return "< 0.000001" if p < 1e-6 else f"{p:.6f}"
    return f"{p:.2g}" if p < 0.01 else f"{p:.2f}"


def p_in_three_decimals(p: float | None) -> str:
    """`0.034`, `< 0.001`, or a dash where there is no test."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
