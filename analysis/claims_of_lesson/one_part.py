"""One number of a claim, judged: `verdicts.py` says by which rules, and what becomes of several."""

from __future__ import annotations

from math import ceil, log2
from typing import Literal, NamedTuple, get_args

from scipy.special import stdtrit

from analysis.stats.equivalence import beyond_margin, short_of, within_margin
from analysis.stats.paired import smallest_n
from analysis.stats.seeds import ROUNDING, Difference

Word = Literal["supported", "supported, small", "partly", "contradicted", "inconclusive"]
WORDS: tuple[Word, ...] = get_args(Word)
LEVEL = 1e-6  # p below which something counts as shown
MARGIN = 1.0  # points of accuracy (or of weights): a smaller effect does not matter
NOTHING = 0.25  # of the margin: an effect shown to be below this share counts as none
FEW = 30  # seeds before there is any verdict: of few, a skewed spread misleads the t test
FEWEST = 300  # seeds before anything is called contradicted


class Evidence(NamedTuple):
    """A mean over seeds, set against the value `null` that it is tested against.

    `difference`: with the 95 % interval, in `unit`; its p is that of `test` against `null`, which
    the interval is of, too. `corrected`: the same with Nadeau and Bengio's variance, for other rows
    than these; None where that does not apply. `level`: whether it is a level, such as an accuracy,
    and no difference.
    """

    what: str
    unit: str
    difference: Difference
    corrected: Difference | None
    test: str
    null: float = 0.0
    level: bool = False


class Part(NamedTuple):
    """Evidence with what the claim predicts of its mean: above `null` (1), below (-1), or at most
    `margin` away from it (0).

    `margin`: what matters, None where nothing is too small to matter. `name`: what the claim says
    in this part, for sentences; the evidence's own words if empty.
    """

    evidence: Evidence
    predicted: Literal[1, 0, -1]
    margin: float | None = None
    name: str = ""

    @property
    def title(self) -> str:
        return self.name or self.evidence.what


class PartVerdict(NamedTuple):
    """What is shown of a part.

    `p` is that of `test`. `agrees`: whether the interval for other rows says the same; None without
    one, or when the part is open. `leaning`: whether it would be contradicted with `FEWEST` seeds.
    """

    part: Part
    word: Word
    p: float | None
    test: str
    agrees: bool | None = None
    leaning: bool = False

    @property
    def seeds(self) -> int | None:
        """How many would decide an open part in 80 % of studies, if its mean is what it seems.

        None when 100,000 are too few.
        """
        if self.leaning:
            return FEWEST
        return (_seeds_for_a_side if self.part.predicted else _seeds_for_a_margin)(self.part)


def judge(part: Part, of: int = 1) -> PartVerdict:
    """The verdict on that part alone; what is against it must hold for one out of `of` parts."""
    evidence = part.evidence
    if evidence.difference.n < FEW:
        return PartVerdict(part, "inconclusive", evidence.difference.p, _named(evidence))
    return _on_a_side(part, of) if part.predicted else _within(part, of)


def _on_a_side(part: Part, of: int) -> PartVerdict:
    evidence, margin = part.evidence, part.margin
    found, null, side = evidence.difference, evidence.null, part.predicted
    favour = _sided(found, null, side)
    if favour < LEVEL:
        test = _named(evidence)
        agrees = _clear_of(evidence.corrected, null, side)
        if margin is None or (near := short_of(found, null, side, margin)) >= LEVEL:
            return PartVerdict(part, "supported", favour, test, agrees)
        agrees = agrees and not _reaches(evidence.corrected, null, side, margin)
        p = max(favour, near)
        return PartVerdict(part, "supported, small", p, f"{test}, against {margin:g} too", agrees)
    against = _sided(found, null, -side)
    if of * against < LEVEL:
        agrees = _clear_of(evidence.corrected, null, -side)
        return _against(part, of * against, _named(evidence), agrees)
    if margin is not None:
        least = NOTHING * margin
        nothing = short_of(found, null, side, least)
        if of * nothing < LEVEL:
            agrees = _known(evidence.corrected, not _reaches(evidence.corrected, null, side, least))
            return _against(part, of * nothing, f"one-sided t below {least:g}", agrees)
    return PartVerdict(part, "inconclusive", found.p, _named(evidence))


def _within(part: Part, of: int) -> PartVerdict:
    evidence, margin = part.evidence, part.margin or MARGIN
    found, null = evidence.difference, evidence.null
    near = within_margin(found, null, margin)
    test = f"two one-sided t, ± {margin:g}"
    both = [_reaches(evidence.corrected, null, side, margin) for side in (1, -1)]
    if near < LEVEL:
        agrees = _known(evidence.corrected, not any(both))
        return PartVerdict(part, "supported", near, test, agrees)
    far = of * beyond_margin(found, null, margin)
    if far < LEVEL:
        side = 1 if (found.mean or 0.0) > null else -1
        agrees = _clear_of(evidence.corrected, null + side * margin, side)
        return _against(part, far, f"t beyond ± {margin:g}", agrees)
    return PartVerdict(part, "inconclusive", near, test)


def _against(part: Part, p: float, test: str, agrees: bool | None) -> PartVerdict:
    if part.evidence.difference.n < FEWEST:
        return PartVerdict(part, "inconclusive", p, test, leaning=True)
    return PartVerdict(part, "contradicted", p, test, agrees)


def _sided(difference: Difference, null: float, side: int) -> float:
    """Two-sided p where the mean lies on that side of `null`, 1 where it does not."""
    if difference.mean is None or side * (difference.mean - null) <= ROUNDING:
        return 1.0
    if difference.p is not None:
        return difference.p
    if difference.low is None or difference.n < 2:
        return 1.0
    return min(1.0, 2 * 0.5**difference.n)  # all seeds agree: the sign test


def _named(evidence: Evidence) -> str:
    agree = evidence.difference.p is None and evidence.difference.low is not None
    return "sign test, as all seeds agree" if agree else evidence.test


def _clear_of(corrected: Difference | None, null: float, side: int) -> bool | None:
    """Whether the 95 % interval for other rows lies on that side of `null`."""
    if corrected is None or corrected.low is None or corrected.high is None:
        return None
    return side * ((corrected.low if side > 0 else corrected.high) - null) > 0


def _reaches(corrected: Difference | None, null: float, side: int, distance: float) -> bool:
    """Whether the 95 % interval for other rows reaches as far as that from `null`."""
    if corrected is None or corrected.low is None or corrected.high is None:
        return False
    return side * ((corrected.high if side > 0 else corrected.low) - null) >= distance


def _known(corrected: Difference | None, agrees: bool) -> bool | None:
    return None if corrected is None or corrected.low is None else agrees


def _seeds_for_a_side(part: Part) -> int | None:
    """Seeds with which one side or the other is shown, or that nothing is there."""
    found, null = part.evidence.difference, part.evidence.null
    if (spread := _spread(found)) is None or found.mean is None:
        return None
    ahead = part.predicted * (found.mean - null)
    ways = [_enough(ahead, spread, LEVEL, FEW if ahead > 0 else FEWEST)]
    if part.margin is not None and ahead < (least := NOTHING * part.margin):
        ways.append(_enough(least - ahead, spread, 2 * LEVEL, FEWEST))
    return min((n for n in ways if n is not None), default=None)


def _seeds_for_a_margin(part: Part) -> int | None:
    """Seeds with which the mean is shown to be within the margin, or beyond it."""
    found, margin = part.evidence.difference, part.margin or MARGIN
    if (spread := _spread(found)) is None or found.mean is None:
        return None
    inside = margin - abs(found.mean - part.evidence.null)
    if inside > 0:
        return _enough(inside, spread, 2 * LEVEL, FEW)
    return _enough(inside, spread, LEVEL, FEWEST)


def _enough(distance: float, spread: float, level: float, fewest: int) -> int | None:
    """Seeds, `fewest` or more, with two-sided p below `level` for a mean `distance` from 0."""
    if abs(distance) <= ROUNDING:
        return None
    if spread <= ROUNDING:  # all seeds agree: as many as the sign test needs
        return max(fewest, 1 + ceil(-log2(level)))
    n = smallest_n(distance / spread, level)
    return None if n is None else max(fewest, n)


def _spread(difference: Difference) -> float | None:
    """Standard deviation of the seeds' values, from the t interval of their mean."""
    n, half = difference.n, difference.half_width
    if half is None or n < 2:
        return None
    return float(half / stdtrit(n - 1, 0.975) * n**0.5)
