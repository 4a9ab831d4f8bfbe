"""From the evidence on a claim to its verdict: the rules that all claims share.

They were written down before the sweeps were judged by them, and tried on made-up studies, of which
the truth is known (`benchmarks/verdict_rules.py`, docs/verdicts.md).

A claim is made of parts, each a number per seed with the side of a value on which the claim puts
its mean, and, where it is in points, with the margin that matters: `MARGIN`, 1 point. Something is
shown when there are `FEW`, 30, seeds or more and the p of its t test is below `LEVEL`, one in a
million. A part is

- *supported* when its mean is shown to lie on the predicted side;
- *supported, small* when it is also shown to be less than the margin there (Schuirmann 1987);
- *contradicted* when the mean is shown to lie on the other side; or when the predicted side is not
  shown and the mean is shown to lie short of a quarter of the margin (`NOTHING`), which leaves out
  every effect that matters. Never with fewer than `FEWEST`, 300, seeds;
- *inconclusive* otherwise, with the number of seeds that would decide it in 80 % of studies if the
  mean is what it seems.

A quarter and not the whole margin, for an effect of 0.3 points would otherwise be contradicted by
some studies and supported by larger ones. A claim that something changes little is *supported* when
the mean is shown to be within ± the margin (two one-sided tests), and *contradicted* when it is
shown to be beyond, by 300 seeds or more.

A claim of several parts is *supported* when all are (intersection-union test; Berger 1982,
"Multiparameter hypothesis testing and acceptance sampling"), and *small* when one of them is;
*partly* supported when some are and others are contradicted, with the names of both;
*contradicted* when some are contradicted and none is supported; else inconclusive. What is against
one of k parts needs a p below `LEVEL` / k (Bonferroni).

*Here* is added to the word when it holds for these rows of data alone: when the 95 % interval that
allows for test sets sharing rows (Nadeau and Bengio 2003) does not say the same. More seeds cannot
change that, only more rows.

At one in a million each, the claims need no correction for their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from analysis.claims_of_lesson.one_part import FEWEST, Part, PartVerdict, Word, judge
from analysis.stats.seeds import Difference

_SHOWN = ("supported", "supported, small")


class Finding(NamedTuple):
    """What a claim's parts say together.

    `decides`: the part that the claim's numbers are of, the first of those that make it what it is,
    of an open claim the one that takes the most seeds; None when nothing could be tested. `seeds`:
    how many would decide an open claim; None when that is unknown or more than 100,000. `agrees`:
    whether the intervals for other rows say the same; None without them, or when the claim is open.
    """

    word: Word
    decides: PartVerdict | None
    agrees: bool | None
    seeds: int | None
    reason: str
    run_ids: tuple[str, ...]


class Untestable(Exception):
    """The record has not what the claim needs; the message is the reason in words."""


@dataclass(frozen=True)
class Verdict:
    """What the data say on one claim.

    `effect` with its 95 % interval `low` to `high`, in `unit`; None where there is none. `level`:
    whether it is a level and no difference. `test`: what the interval is of, and `p`, unless that
    is of `p_test`. `beyond_rows`: whether the interval corrected for test sets that share rows says
    the same, "yes", "no", or "–" without verdict. `seeds_needed`: of an open claim, how many would
    decide it. `run_ids`: the sweeps' runs.
    """

    id: str
    claim: str
    verdict: Word
    effect: float | None
    unit: str
    low: float | None
    high: float | None
    level: bool
    n: int
    test: str
    p: float | None
    p_test: str
    beyond_rows: str
    seeds_needed: int | None
    reason: str
    run_ids: tuple[str, ...]


def finding(parts: Sequence[Part], reason: str, run_ids: Sequence[str]) -> Finding:
    """What the parts of a claim say together; `reason` is what is known of their numbers."""
    judged = [judge(part, len(parts)) for part in parts]
    shown = [one for one in judged if one.word in _SHOWN]
    against = [one for one in judged if one.word == "contradicted"]
    still = [one for one in judged if one.word == "inconclusive"]
    runs = tuple(dict.fromkeys(run_ids))
    if len(shown) == len(judged):
        decides = next((one for one in shown if one.word == "supported, small"), shown[0])
        return Finding(decides.word, decides, _agree(shown), None, reason, runs)
    reason += _by_name(shown, against, still) if len(judged) > 1 else ""
    if against:
        word: Word = "partly" if shown else "contradicted"
        found = [*shown, *against] if shown else against
        return Finding(word, against[0], _agree(found), None, reason, runs)
    most = max(still, key=lambda one: one.seeds or math.inf)
    if any(one.leaning for one in still):
        reason += f" Contradicted is said from {FEWEST} seeds on."
    return Finding("inconclusive", most, None, most.seeds, reason, runs)


def untested(reason: str, run_ids: Sequence[str] = ()) -> Finding:
    """The finding on a claim that the record cannot answer."""
    return Finding("inconclusive", None, None, None, reason, tuple(run_ids))


def decide(claims: Sequence[tuple[str, str]], findings: Sequence[Finding]) -> list[Verdict]:
    """The verdicts on `claims` (id and text)."""
    return [
        _verdict(name, text, found) for (name, text), found in zip(claims, findings, strict=True)
    ]


def _by_name(
    shown: Sequence[PartVerdict], against: Sequence[PartVerdict], still: Sequence[PartVerdict]
) -> str:
    """Which parts hold, which do not, which are open."""
    groups = (("Holds", shown), ("Does not hold", against), ("Open", still))
    named = (
        f" {word}: {'; '.join(one.part.title for one in group)}." for word, group in groups if group
    )
    return "".join(named)


def _agree(judged: Sequence[PartVerdict]) -> bool | None:
    known = [one.agrees for one in judged if one.agrees is not None]
    return all(known) if known else None


def _verdict(name: str, text: str, found: Finding) -> Verdict:
    decides = found.decides
    evidence = decides.part.evidence if decides else None
    difference = evidence.difference if evidence else Difference(None, None, None, 0, None, "")
    return Verdict(
        id=name,
        claim=text,
        verdict=found.word,
        effect=_finite(difference.mean),
        unit=evidence.unit if evidence else "",
        low=_finite(difference.low),
        high=_finite(difference.high),
        level=bool(evidence and evidence.level),
        n=difference.n,
        test=evidence.test if evidence else "",
        p=decides.p if decides else None,
        p_test=decides.test if decides else "",
        beyond_rows={True: "yes", False: "no", None: "–"}[found.agrees],
        seeds_needed=found.seeds,
        reason=found.reason,
        run_ids=found.run_ids,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
