"""The verdicts on the lesson's claims as a table: in the terminal, as CSV and as Markdown."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from analysis.claims_of_lesson.lesson_sweeps import LessonSweeps
from analysis.claims_of_lesson.one_part import WORDS
from analysis.claims_of_lesson.verdict_texts import MEANING, texts, word
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.plotting.csv_files import write_csv
from analysis.plotting.files import writing_into
from analysis.plotting.terminal import new_console
from analysis.plotting.wording import NONE, counted
from analysis.reading.connection import without_password
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.mlflow_ui import MlflowUi, ui_of

WIDTH = 100
_HEADINGS = ("claim", "verdict", "effect", "95 % interval", "unit", "n", "p")
_WIDTHS = (20, 21, 8, 19, 10, 4, 10)
_RIGHT = {"effect", "95 % interval", "n", "p"}


def notes(sweeps: LessonSweeps) -> list[str]:
    """What a reader of the table must know, a line each, the sweeps last."""
    lines = [f"{name}: {meaning}." for name, meaning in MEANING.items()]
    lines += ["points: percentage points. The rules and how often they err: docs/verdicts.md."]
    for role, record in sweeps.records.items():
        count, seeds = len(record.configurations), len(record.manifest.trials[0].seeds)
        lines.append(
            f"{role}: {record.manifest.run_name}, {counted(count, 'configuration')} × "
            f"{counted(seeds, 'seed')}, run {record.run_id}"
            + (f" ({record.partial})" if record.partial else "")
        )
    return lines


def show(sweeps: LessonSweeps, verdicts: Sequence[Verdict]) -> None:
    """Prints the table, at most 100 columns wide, each claim's reason below its numbers."""
    console = new_console()
    console.print(_title(sweeps), style="bold")
    console.print(_line(_HEADINGS))
    for verdict in verdicts:
        console.print()
        console.print(_line(_cells(verdict)).rstrip(), style="bold")
        tests = texts(verdict, "").tests
        for text in (f"{verdict.claim}.", verdict.reason, f"Test: {tests}." if tests else ""):
            if text:
                console.print(_wrapped(text))
    console.print()
    for line in notes(sweeps):
        console.print(_wrapped(line, ""))
    record = next(iter(sweeps.records.values()))
    console.print(f"MLflow runs in {without_password(record.tracking_uri)}")
    console.print(_wrapped(summary(verdicts), ""), style="bold")


def _title(sweeps: LessonSweeps) -> str:
    units = " ".join(map(str, sweeps.hidden))
    network = f" of a network with hidden units {units}" if units else ""
    return f"The lesson's claims on the recorded sweeps{network}"


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many claims have which verdict, and which are contradicted."""
    counts = Counter(verdict.verdict for verdict in verdicts)
    found = ", ".join(f"{counts[one]} {one.replace(', ', ' but ')}" for one in WORDS if counts[one])
    against = [verdict.id for verdict in verdicts if verdict.verdict == "contradicted"]
    named = f" ({', '.join(against)})" if against else ""
    here = sum(verdict.beyond_rows == "no" for verdict in verdicts)
    rows = f" Of these verdicts {here} hold for these rows of data alone." if here else ""
    return f"Of {counted(len(verdicts), 'claim')}: {found}{named}.{rows}"


def table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row per claim, with every number and the runs."""
    rows = [
        {**asdict(one), "run_ids": " ".join(one.run_ids), "in_words": word(one)} for one in verdicts
    ]
    return pd.DataFrame(rows)


def markdown(sweeps: LessonSweeps, verdicts: Sequence[Verdict]) -> str:
    """The table with its reasons and notes as a Markdown page."""
    lines = [f"# {_title(sweeps)}", "", summary(verdicts), ""]
    lines += [
        "| claim | verdict | effect | 95 % interval | n | p | test |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for verdict in verdicts:
        shown = texts(verdict, NONE)
        cells = (
            f"**{verdict.id}**: {verdict.claim}",
            shown.word,
            f"{shown.effect} {verdict.unit}".strip(),
            shown.interval,
            shown.n,
            shown.p,
            shown.tests,
        )
        lines.append(f"| {' | '.join(map(_escaped, cells))} |")
    lines += ["", "## Reasons", ""]
    ui = mlflow_ui(sweeps.records)
    lines += [
        f"- **{one.id}**: {_escaped(one.reason)}"
        + "".join(f" [`{run[:8]}`]({ui.page_of_run(run)})" for run in one.run_ids)
        for one in verdicts
    ]
    lines += ["", "## Notes", "", *(f"- {_escaped(line)}" for line in notes(sweeps))]
    if ui.start:
        lines.append(f"- Run ids lead to MLflow's UI, once it is started: `{ui.start}`")
    return "\n".join([*lines, ""])


def mlflow_ui(records: Mapping[str, SweepRecord]) -> MlflowUi:
    """Where MLflow's UI shows the sweeps, which are in one store."""
    record = next(iter(records.values()))
    return ui_of(without_password(record.tracking_uri), record.run_id)


def save(sweeps: LessonSweeps, verdicts: Sequence[Verdict], out: Path) -> list[Path]:
    """Writes `claims.csv` and `claims.md` into `out`; their paths."""
    files = [out / "claims.csv", out / "claims.md"]
    with writing_into(out, "the table"):
        write_csv(table(verdicts), files[0])
        files[1].write_text(markdown(sweeps, verdicts), encoding="utf-8")
    return files


def _cells(verdict: Verdict) -> tuple[str, ...]:
    shown = texts(verdict, NONE)
    numbers = (shown.effect, shown.interval, verdict.unit, shown.n, shown.p)
    return (verdict.id, shown.word, *numbers)


def _line(cells: Sequence[str]) -> str:
    columns = zip(_HEADINGS, _WIDTHS, cells, strict=True)
    padded = (
        f"{cell:>{width}}" if name in _RIGHT else f"{cell:<{width}}"
        for name, width, cell in columns
    )
    return " ".join(padded)


def _wrapped(text: str, indent: str = "  ") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent="  ", break_on_hyphens=False
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
