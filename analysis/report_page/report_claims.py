"""The verdicts as the report shows them: texts, signs, and what the answer counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analysis.claims_of_lesson.one_part import Word
from analysis.claims_of_lesson.verdict_texts import slug, texts
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.plotting.file_names import file_name
from analysis.reading.sweep_record import SweepRecord
from analysis.report_page.report_topics import Exhibit, Topic, shown_by
from trainables.record_format import Curve

# Sign, word and colour each tell a verdict by itself: in grey print the first two are left.
SIGNS: Mapping[Word, str] = {
    "supported": "✓",
    "supported, small": "≈",
    "partly": "◐",
    "contradicted": "✗",
    "inconclusive": "?",
}


class ClaimLine(NamedTuple):
    """A verdict as text; `style` is its name in the page's style sheet, `runs` the ids of the runs
    that it follows from, `shown_by` the figure or chart of it.
    """

    anchor: str
    name: str
    claim: str
    verdict: Word
    word: str
    style: str
    sign: str
    effect: str
    interval: str
    n: str
    test: str
    p: str
    reason: str
    runs: tuple[str, ...]
    shown_by: Exhibit | None


class ClaimsAnswer(NamedTuple):
    """What the first lines of the report say."""

    counts: tuple[tuple[Word, str, str, int], ...]
    claims: int
    models: int
    diverged: int
    configurations: int
    sweeps: int
    seeds: str
    data: str


def claim_line(verdict: Verdict, found: Sequence[Topic]) -> ClaimLine:
    """The verdict as text, with a word for each number that there is not, and where it is shown."""
    shown = texts(verdict, "none", brackets=False)
    return ClaimLine(
        anchor=f"claim-{file_name(verdict.id)}",
        name=verdict.id,
        claim=verdict.claim,
        verdict=verdict.verdict,
        word=shown.word,
        style=slug(verdict.verdict),
        sign=SIGNS[verdict.verdict],
        effect=f"{shown.effect} {verdict.unit}".strip(),
        interval=shown.interval,
        n=shown.n,
        test=shown.tests,
        p=shown.p,
        reason=verdict.reason,
        runs=verdict.run_ids,
        shown_by=shown_by(verdict, found),
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
        counts=tuple((word, slug(word), sign, words.count(word)) for word, sign in SIGNS.items()),
        claims=len(verdicts),
        models=trained,
        diverged=lost,
        configurations=configurations,
        sweeps=len(unique),
        seeds=" or ".join(map(str, seeds)),
        data=", ".join(f"{name} ({rows} rows)" for name, rows in data.items()),
    )
