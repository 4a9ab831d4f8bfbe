"""The verdicts as the report shows them: texts, signs, and what the answer counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analysis.claims_of_lesson.verdicts import Verdict, Word
from analysis.plotting.file_names import file_name
from analysis.plotting.wording import from_to, number, p_in_two_digits
from analysis.reading.sweep_record import SweepRecord
from trainables.record_format import Curve

# Sign, word and colour each tell a verdict by itself: in grey print the first two are left.
SIGNS: Mapping[Word, str] = {"supported": "✓", "contradicted": "✗", "inconclusive": "?"}


class ClaimLine(NamedTuple):
    """A verdict as text; `runs`: the ids of the runs that it follows from."""

    anchor: str
    name: str
    claim: str
    verdict: Word
    sign: str
    effect: str
    interval: str
    n: str
    test: str
    p: str
    beyond_rows: str
    reason: str
    runs: tuple[str, ...]


class ClaimsAnswer(NamedTuple):
    """What the first lines of the report say."""

    counts: tuple[tuple[Word, str, int], ...]
    claims: int
    models: int
    diverged: int
    configurations: int
    sweeps: int
    seeds: str
    data: str


def claim_line(verdict: Verdict) -> ClaimLine:
    """The verdict as text, with a word for each number that there is not."""
    return ClaimLine(
        anchor=f"claim-{file_name(verdict.id)}",
        name=verdict.id,
        claim=verdict.claim,
        verdict=verdict.verdict,
        sign=SIGNS[verdict.verdict],
        effect=number(verdict.effect, "+z.2", f" {verdict.unit}", "none").strip(),
        interval=from_to(verdict.low, verdict.high, "+z.2", "none"),
        n=str(verdict.n) if verdict.n else "none",
        test=verdict.test or "none",
        p=p_in_two_digits(verdict.p, "no test"),
        beyond_rows=verdict.beyond_rows,
        reason=verdict.reason,
        runs=verdict.run_ids,
    )


def answer(records: Mapping[str, SweepRecord], verdicts: Sequence[Verdict]) -> ClaimsAnswer:
    """The counts behind the first lines: verdicts, models, seeds, data."""
    words = [verdict.verdict for verdict in verdicts]
    unique = {record.run_id: record for record in records.values()}.values()
    lost = trained = configurations = 0
    for record in unique:
        for trial in record.usable:
            finals = record.final(trial, Curve.TEST_ACCURACY)
            trained += len(finals)
            lost += int((finals != finals).sum())
        configurations += len(record.configurations)
    seeds = sorted({len(record.manifest.trials[0].seeds) for record in unique})
    data = {
        str(record.manifest.dataset["name"]): int(record.manifest.dataset["rows"])
        for record in unique
    }
    return ClaimsAnswer(
        counts=tuple((word, sign, words.count(word)) for word, sign in SIGNS.items()),
        claims=len(verdicts),
        models=trained,
        diverged=lost,
        configurations=configurations,
        sweeps=len(unique),
        seeds=" or ".join(map(str, seeds)),
        data=", ".join(f"{name} ({rows} rows)" for name, rows in data.items()),
    )
