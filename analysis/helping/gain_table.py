"""The gains as a table: in the terminal, as CSV and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from analysis.helping.gains import NAMES, Gain, Without
from analysis.helping.helping_sweeps import STOPS, Stopping
from analysis.plotting.csv_files import write_csv
from analysis.plotting.files import writing_into
from analysis.plotting.terminal import new_console, new_table, print_table
from analysis.plotting.wording import (
    all_in_percent,
    beside,
    bracketed,
    counted,
    in_percent,
    number,
    p_in_two_digits,
    with_half_width,
)
from analysis.reading.connection import without_password
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.project_scripts import words

_HEADINGS = ("data", "regularizer", "chosen", "claimed", "gain", "95 % interval", "n", "p", "so it")
_TWO_POINTS = "helps, by more than 2 points"


def show(
    records: Mapping[str, SweepRecord],
    found: Sequence[Gain],
    bare: Sequence[Without],
    stopping: Mapping[str, Stopping] | None = None,
) -> None:
    """Prints both tables, what they are, and what they say."""
    console = new_console()
    first = new_table(
        "Without regularization", "data", right=("training accuracy %", "test accuracy %", "n")
    )
    for one in bare:
        levels = (with_half_width(each, ".1") for each in (one.train, one.test))
        first.add_row(one.dataset, *levels, str(one.test.n))
    print_table(console, first)
    second = new_table("What regularization gains, in points of test accuracy", *_HEADINGS)
    for column in second.columns[3:8]:
        column.justify = "right"
    for gain in found:
        second.add_row(*_cells(gain))
    print_table(console, second)
    for line in notes(records, stopping):
        console.print(line)
    console.print(summary(found), style="bold")


def summary(found: Sequence[Gain]) -> str:
    """How many help, and which by more than two points."""
    strong = [
        f"{NAMES[one.regularizer]} on {one.dataset}" for one in found if one.verdict == _TWO_POINTS
    ]
    helping = sum(one.verdict.startswith("helps") for one in found)
    harming = sum(one.verdict == "harms" for one in found)
    named = f", by more than 2 points: {'; '.join(strong)}" if strong else ", none by 2 points"
    return (
        f"Of {counted(len(found), 'pair')} of data and regularizer {helping} help{named}. "
        f"{harming} harm even at the best strength."
    )


def notes(
    records: Mapping[str, SweepRecord], stopping: Mapping[str, Stopping] | None = None
) -> list[str]:
    """What a reader of the table must know, a line each, the sweeps last."""
    folds = stopping or {}
    lines = [
        "chosen: the strength with the best mean test accuracy of the first half of the seeds; "
        "claimed: its gain on these, which flatters; gain: that on the other half.",
        "early stopping: each network stops at the epoch of its best validation accuracy, the mean "
        "over folds of its own training rows; claimed: what the validation rows gain there; gain: "
        "what the test rows do, which took no part.",
        "p: paired t-test of the gain, corrected for all rows of the table (Holm); helps and harms "
        "need p < 0.05, more than 2 points an interval above 2.",
        "All seeds draw from the same rows: what is said holds for these rows of data.",
    ]
    for data, record in records.items():
        where = without_password(record.tracking_uri)
        lines.append(f"{data}: {record.manifest.run_name}, MLflow run {record.run_id} in {where}")
        if data in folds and folds[data].record.run_id != record.run_id:
            own = folds[data].record
            lines.append(f"{data}, folds: {own.manifest.run_name}, MLflow run {own.run_id}")
    if lacking := [data for data in records if data not in folds]:
        parts = " ".join(STOPS.format(data) for data in lacking)
        lines.append(
            f"no early stopping on {', '.join(lacking)}: it needs folds, which "
            f"{words('sweeps', 'lesson')} --where-it-helps --only {parts} records, given the "
            "same --seeds"
        )
    return lines


def table(found: Sequence[Gain]) -> pd.DataFrame:
    """One row per gain, with every number and the run; shares, not points."""
    return pd.DataFrame(
        [
            {
                "dataset": one.dataset,
                "regularizer": one.regularizer,
                "chosen": one.chosen,
                "claimed": one.claimed,
                "gain": one.gain.mean,
                "low": one.gain.low,
                "high": one.gain.high,
                "n": one.gain.n,
                "p": one.p,
                "verdict": one.verdict,
                "run_id": one.run_id,
            }
            for one in found
        ]
    )


def markdown(
    records: Mapping[str, SweepRecord],
    found: Sequence[Gain],
    bare: Sequence[Without],
    stopping: Mapping[str, Stopping] | None = None,
) -> str:
    """Both tables with their notes as a Markdown page."""
    lines = ["# Where regularization helps", "", summary(found), ""]
    lines += ["| data | training accuracy % | test accuracy % | n |", "| --- | --- | --- | --- |"]
    for one in bare:
        levels = [with_half_width(each, ".1") for each in (one.train, one.test)]
        lines.append(f"| {' | '.join((one.dataset, *levels, str(one.test.n)))} |")
    lines += ["", f"| {' | '.join(_HEADINGS)} |", f"|{' --- |' * len(_HEADINGS)}"]
    lines += [f"| {' | '.join(_cells(gain))} |" for gain in found]
    return "\n".join([*lines, "", *(f"- {line}" for line in notes(records, stopping)), ""])


def save(
    records: Mapping[str, SweepRecord],
    found: Sequence[Gain],
    bare: Sequence[Without],
    out: Path,
    stopping: Mapping[str, Stopping] | None = None,
) -> list[Path]:
    """Writes `where_it_helps.csv` and `.md` into `out`; their paths."""
    files = [out / "where_it_helps.csv", out / "where_it_helps.md"]
    with writing_into(out, "the table"):
        write_csv(table(found), files[0])
        files[1].write_text(markdown(records, found, bare, stopping), encoding="utf-8")
    return files


def _cells(one: Gain) -> tuple[str, ...]:
    points = all_in_percent(one.gain[:3])
    return (
        one.dataset,
        NAMES[one.regularizer],
        one.chosen,
        number(in_percent(one.claimed), "+.1"),
        beside(points, "+.1"),
        bracketed(points[1], points[2], "+.1"),
        str(one.gain.n),
        p_in_two_digits(one.p),
        one.verdict,
    )
