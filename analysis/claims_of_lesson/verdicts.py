"""From the evidence on a claim to its verdict: the rules that all claims share.

A claim is made of parts, each a number per seed with the side of a value on which the claim puts
its mean. It is

- *supported* when every part's interval lies on the predicted side. The claim's p is the largest
  of its parts' (intersection–union test; Berger 1982, "Multiparameter hypothesis testing and
  acceptance sampling").
- *contradicted* when one part's interval lies on the other side, or when its mean is shown to be
  within ± a negligible amount of the value (two one-sided tests; Schuirmann 1987). What is shown
  to be as predicted, however little, does not count against the claim. The p is the smallest of
  the parts', times their number (Bonferroni).
- *inconclusive* otherwise.

Claims that something changes little are tested the other way round: supported when every part is
shown to be within ± the margin, contradicted when one is shown to be outside.

All p are two-sided and corrected by Holm over the claims; a verdict needs one below 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from analysis.stats.equivalence import beyond_margin, within_margin
from analysis.stats.paired import holm
from analysis.stats.seeds import Difference

Word = Literal["supported", "contradicted", "inconclusive"]
LEVEL = 0.05
MARGIN = 1.0  # points of accuracy (or of weights) that count as little


class Evidence(NamedTuple):
    """A mean over seeds, set against the value `null` that it is tested against.

    `difference`: with the 95 % interval, in `unit`; its p is that of `test` against `null`.
    `corrected`: the same with Nadeau and Bengio's variance, for other rows than these; None where
    that does not apply.
    """

    what: str
    unit: str
    difference: Difference
    corrected: Difference | None
    test: str
    null: float = 0.0


class Part(NamedTuple):
    """Evidence with the side of its `null` that the claim predicts: 1 above, -1 below.

    `negligible`: shown to lie within ± this of `null`, the evidence counts against the claim.
    """

    evidence: Evidence
    predicted: Literal[1, -1]
    negligible: float | None = None


class Finding(NamedTuple):
    """What the parts of a claim say before the correction over all claims.

    `leaning`: the verdict if p stays below 0.05. `evidence`: the part that decides; None when
    nothing could be tested. `agrees`: whether the corrected interval says the same.
    """

    leaning: Word
    p: float | None
    evidence: Evidence | None
    agrees: bool | None
    reason: str
    run_ids: tuple[str, ...]


class Untestable(Exception):
    """The record has not what the claim needs; the message is the reason in words."""


@dataclass(frozen=True)
class Verdict:
    """What the data say on one claim.

    `effect` with its 95 % interval `low` to `high`, in `unit`; None where there is none. `p`: after
    Holm's correction over the claims. `beyond_rows`: whether the interval corrected for test sets
    that share rows says the same, "yes", "no", or "–" without verdict. `run_ids`: the sweeps' runs.
    """

    id: str
    claim: str
    verdict: Word
    effect: float | None
    unit: str
    low: float | None
    high: float | None
    n: int
    test: str
    p: float | None
    beyond_rows: str
    reason: str
    run_ids: tuple[str, ...]


def directed(parts: Sequence[Part], reason: str, run_ids: Sequence[str]) -> Finding:
    """The finding on a claim that every part lies on its predicted side.

    Its evidence is the part that decides: the weakest, or that which contradicts most clearly.
    """
    favour = [_favour(part, part.evidence.difference) for part in parts]
    against = [
        _against(part, part.evidence.difference) if p >= LEVEL else 1.0
        for part, p in zip(parts, favour, strict=True)
    ]
    weakest = max(range(len(parts)), key=favour.__getitem__)
    worst = min(range(len(parts)), key=against.__getitem__)
    support, opposition = favour[weakest], min(1.0, len(parts) * against[worst])
    if len(parts) > 1:
        place = worst if support >= LEVEL > opposition else weakest
        reason += (
            f" Shown to be as claimed: {sum(p < LEVEL for p in favour)} of {len(parts)} parts, to "
            f"be otherwise: {sum(p < LEVEL for p in against)}. What decides: "
            f"{parts[place].evidence.what}."
        )
    if support < LEVEL:
        also = [_favour(part, part.evidence.corrected) < LEVEL for part in parts if _known(part)]
        return _finding("supported", support, parts[weakest].evidence, also, reason, run_ids)
    if opposition < LEVEL:
        part = parts[worst]
        also = [_against(part, part.evidence.corrected) < LEVEL] if _known(part) else []
        one, margin = part.evidence, part.negligible
        if margin is not None and within_margin(one.difference, one.null, margin) == against[worst]:
            part = part._replace(evidence=_shown_within(one, margin))
        return _finding("contradicted", opposition, part.evidence, also, reason, run_ids)
    evidence = parts[weakest].evidence
    return _finding("inconclusive", evidence.difference.p, evidence, [], reason, run_ids)


def little(
    evidence: Sequence[Evidence], margin: float, reason: str, run_ids: Sequence[str]
) -> Finding:
    """The finding on a claim that all evidence is within ± `margin` of its `null`."""
    evidence = [_shown_within(one, margin) for one in evidence]
    within = [within_margin(one.difference, one.null, margin) for one in evidence]
    beyond = [beyond_margin(one.difference, one.null, margin) for one in evidence]
    widest = max(range(len(evidence)), key=within.__getitem__)
    worst = min(range(len(evidence)), key=beyond.__getitem__)
    support, opposition = within[widest], min(1.0, len(evidence) * beyond[worst])
    if support < LEVEL:
        also = [
            within_margin(one.corrected, one.null, margin) < LEVEL
            for one in evidence
            if one.corrected is not None
        ]
        return _finding("supported", support, evidence[widest], also, reason, run_ids)
    if opposition < LEVEL:
        one = evidence[worst]._replace(test=f"t beyond ± {margin:g}")
        also = [beyond_margin(one.corrected, one.null, margin) < LEVEL] if one.corrected else []
        return _finding("contradicted", opposition, one, also, reason, run_ids)
    p = min(support, opposition)
    return _finding("inconclusive", p, evidence[widest], [], reason, run_ids)


def untested(reason: str, run_ids: Sequence[str] = ()) -> Finding:
    """The finding on a claim that the record cannot answer."""
    return Finding("inconclusive", None, None, None, reason, tuple(run_ids))


def decide(claims: Sequence[tuple[str, str]], findings: Sequence[Finding]) -> list[Verdict]:
    """The verdicts on `claims` (id and text), with p corrected over all of them."""
    corrected = holm([finding.p for finding in findings])
    return [
        _verdict(name, text, finding, p)
        for (name, text), finding, p in zip(claims, findings, corrected, strict=True)
    ]


def _shown_within(evidence: Evidence, margin: float) -> Evidence:
    return evidence._replace(test=f"two one-sided t, ± {margin:g}")


def _favour(part: Part, difference: Difference | None) -> float:
    """p of the predicted side; 1 when the interval does not lie there."""
    return _side(difference, part.evidence.null, part.predicted)


def _against(part: Part, difference: Difference | None) -> float:
    opposite = _side(difference, part.evidence.null, -part.predicted)
    if part.negligible is None:
        return opposite
    return min(opposite, within_margin(difference, part.evidence.null, part.negligible))


def _side(difference: Difference | None, null: float, side: int) -> float:
    if difference is None or difference.low is None or difference.high is None:
        return 1.0
    bound = difference.low if side > 0 else difference.high
    if side * (bound - null) <= 0:
        return 1.0
    if difference.p is None:  # all seeds agree: the sign test
        return min(1.0, 2 * 0.5**difference.n)
    return difference.p


def _known(part: Part) -> bool:
    return part.evidence.corrected is not None


def _finding(
    leaning: Word,
    p: float | None,
    evidence: Evidence,
    agrees: Sequence[bool],
    reason: str,
    run_ids: Sequence[str],
) -> Finding:
    if p is not None and evidence.difference.p is None:
        evidence = evidence._replace(test="sign test, as all seeds agree")
    whether = all(agrees) if agrees else None
    return Finding(leaning, p, evidence, whether, reason, tuple(dict.fromkeys(run_ids)))


def _verdict(name: str, text: str, finding: Finding, p: float | None) -> Verdict:
    word, reason = finding.leaning, finding.reason
    if word != "inconclusive" and (p is None or p >= LEVEL):
        reason += f" Leans to {word}, but not after Holm's correction over the claims."
        word = "inconclusive"
    evidence = finding.evidence
    difference = evidence.difference if evidence else Difference(None, None, None, 0, None, "")
    agrees = {True: "yes", False: "no", None: "–"}[finding.agrees]
    return Verdict(
        id=name,
        claim=text,
        verdict=word,
        effect=_finite(difference.mean),
        unit=evidence.unit if evidence else "",
        low=_finite(difference.low),
        high=_finite(difference.high),
        n=difference.n,
        test=evidence.test if evidence else "",
        p=p,
        beyond_rows="–" if word == "inconclusive" else agrees,
        reason=reason,
        run_ids=finding.run_ids,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
