"""The report's answer to its title, in two sentences made from the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy.special import stdtrit

from analysis.claims_of_lesson.one_part import MARGIN
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.figures.comparison import compare
from analysis.plotting.wording import number, with_interval
from analysis.reading.sweep_record import SweepRecord

# The roles of sweeps that regularize the lesson's network on its data, and what each varies.
_ROLES = {"dropout": "dropout", "small-l2": "l2", "l2": "l2", "l1": "l1", "strong-l1": "l1"}
_NAMES = {"dropout": "dropout rate {:g}", "l2": "L2 λ {:g}", "l1": "L1 λ {:g}"}
_WHERE_MORE = {"size-matters-net": "a larger network", "size-matters-data": "with harder data"}
_NOTHING = (
    "That cannot be said: no recorded sweep of dropout, L1 or L2 has a baseline and two seeds."
)


class _Setting(NamedTuple):
    """A setting against none: `low` and `high` hold for all settings together, in points."""

    field: str
    value: float
    mean: float
    low: float
    high: float

    @property
    def said(self) -> str:
        return _NAMES[self.field].format(self.value)

    @property
    def points(self) -> str:
        return with_interval((self.mean, self.low, self.high), "+.2", " points")


def sentences(records: Mapping[str, SweepRecord], verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """Whether it helps, and what too much of it costs and where it helps more.

    The intervals hold for all settings together (Bonferroni), since the best and the worst of them
    are picked by their numbers. Something helps when its interval lies above 0; what matters is
    `MARGIN`.
    """
    found = _settings(records)
    if not found:
        return _NOTHING, "Record them: python sweeps/lesson.py."
    clauses = (_costs(found), _more(verdicts))
    return _helps(found, records), f"{'; '.join(filter(None, clauses))}."


def _helps(found: Sequence[_Setting], records: Mapping[str, SweepRecord]) -> str:
    data = next(records[role].manifest.dataset["name"] for role in _ROLES if role in records)
    above = [one for one in found if one.low > 0]
    best = max(above or found, key=lambda one: one.mean)
    many = f"of the {len(found)} settings of dropout, L1 and L2 tried on {data}"
    if best.low >= MARGIN:
        return f"Yes: {many} the best, {best.said}, changes test accuracy by {best.points}."
    small = all(one.high < MARGIN for one in found)
    matters = f"the {MARGIN:g} point that matters"
    if above:
        first = "Hardly" if small else "A little"
        less = f", and none brings {matters}" if small else ""
        return (
            f"{first}: {many} the best, {best.said}, changes test accuracy by {best.points}{less}."
        )
    if small:
        return (
            f"No: {many} none raises test accuracy by {matters}, and none is shown to raise it "
            f"at all; the best, {best.said}, changes it by {best.points}."
        )
    return (
        f"That is open: {many} none is shown to raise test accuracy, but more seeds may show it; "
        f"the best, {best.said}, changes it by {best.points}."
    )


def _costs(found: Sequence[_Setting]) -> str:
    strongest = {one.field: one for one in sorted(found, key=lambda one: one.value)}
    lost = [one for one in strongest.values() if one.high < 0]
    if not lost:
        return "Even at its strongest no loss is shown"
    said = ", ".join(f"{one.said}: {number(one.mean, '+.2')}" for one in lost)
    return f"Too much of it costs accuracy ({said} points)"


def _more(verdicts: Sequence[Verdict]) -> str:
    """What became of the claims on where it helps more, those with one verdict together."""
    where: dict[str, list[str]] = {}
    for one in verdicts:
        if one.id in _WHERE_MORE:
            where.setdefault(one.verdict, []).append(_WHERE_MORE[one.id])
    return " and ".join(
        f"that it helps {' or '.join(places)} more is {verdict.replace(', ', ' but ')}"
        for verdict, places in where.items()
    )


def _settings(records: Mapping[str, SweepRecord]) -> list[_Setting]:
    """Every setting once, all but the baseline and a dropout rate of 1, which leaves no unit."""
    found: dict[tuple[str, float], tuple[float, float, int]] = {}
    for role, field in _ROLES.items():
        for row in compare(records[role]) if role in records else ():
            value = float(getattr(row.trial.hyperparameters, field))
            one = row.difference
            if one is None or one.mean is None or one.half_width is None:
                continue
            if not (field == "dropout" and value >= 1):
                found[field, value] = (100 * one.mean, 100 * one.half_width, one.n)
    settings = []
    for (field, value), (mean, half, n) in found.items():
        wider = half * stdtrit(n - 1, 1 - 0.025 / len(found)) / stdtrit(n - 1, 0.975)
        settings.append(_Setting(field, value, mean, mean - wider, mean + wider))
    return settings
