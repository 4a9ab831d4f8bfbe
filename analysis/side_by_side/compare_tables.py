"""What the comparison of sweeps says, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console

from analysis.figures.comparison import Row, best, compare
from analysis.plotting.terminal import new_console, new_table, print_table
from analysis.plotting.wording import NONE, about_zero, models_left, with_half_width
from analysis.reading.connection import without_password
from analysis.side_by_side.compare_figures import Compared, window
from analysis.side_by_side.shared_configurations import Shared
from analysis.stats.seeds import METHOD
from trainables.setting import models_of, settings

_MOST_ROWS = 12  # of pairs in the terminal; the CSV file has all


def show(compared: Sequence[Compared]) -> None:
    """Prints how the sweeps' settings differ, each sweep's best configuration and baseline, and the
    shared configurations seed by seed."""
    console = new_console()
    for line in different_settings(compared):
        console.print(line, style="bold")
    table = new_table(
        "Best configuration and baseline of each sweep",
        "sweep",
        "",
        "configuration",
        right=("n", "train %", "test %", "test − baseline"),
    )
    table.add_column("run", no_wrap=True)
    for one in compared:
        rows = compare(one.record)
        for which, row in (("best", best(rows)), ("baseline", _baseline(one, rows))):
            start = one.label if which == "best" else ""
            table.add_row(start, which, *(_texts(row) if row else (NONE,) * 6))
    print_table(console, table)
    console.print(
        f"±: {METHOD} over n seeds; accuracy in %, difference in points; each best is partly luck: "
        "it was chosen on these numbers"
    )
    for one in compared:
        where = without_password(one.record.tracking_uri)
        run = f"sweep {one.record.manifest.run_name}, MLflow run {one.record.run_id} in {where}"
        console.print(f"{one.label}: {run}")
    for one in compared[1:]:
        _show_pairs(console, compared[0], one)


def different_settings(compared: Sequence[Compared]) -> list[str]:
    """What besides the swept hyperparameters is not the same in all of the sweeps, a line each.

    Nothing where that is nothing: then a difference comes from what was swept, or from luck.
    """
    swept = {axis.field for one in compared for axis in one.record.manifest.axes}
    _, own = settings({one.label: models_of(one.record.manifest) for one in compared})
    windows = {one.label: window(one.record) for one in compared}
    parts = {
        one.label: [text for name, text in own[one.label].items() if name not in swept]
        + ([windows[one.label]] if len(set(windows.values())) > 1 else [])
        for one in compared
    }
    if not any(parts.values()):
        return []
    return [
        "These sweeps differ in more than what they vary; differences below may come from that:",
        *(f"  {label}: {', '.join(texts)}" for label, texts in parts.items() if texts),
    ]


def _baseline(one: Compared, rows: Sequence[Row]) -> Row | None:
    return next((row for row in rows if row.trial == one.record.baseline), None)


def _texts(row: Row) -> tuple[str, ...]:
    difference = with_half_width(row.difference, "+.2") if row.difference else NONE
    estimates = (with_half_width(row.train, ".1"), with_half_width(row.test, ".1"))
    return (row.trial.name, models_left(row.test), *estimates, difference, row.run_id[:8])


def _show_pairs(console: Console, first: Compared, one: Compared) -> None:
    pairing = one.pairing
    if pairing is None:
        return
    between = f"{one.label} minus {first.label}"
    if pairing.obstacle:
        console.print(
            f"{between}: cannot be paired seed by seed, for {pairing.obstacle}; seeds are pairs "
            "when dataset, --first-seed and --seeds agree. Compare the intervals above.",
            style="bold",
        )
        return
    if not pairing.shared:
        console.print(
            f"{between}: no configuration is in both, so there are no pairs.", style="bold"
        )
        return
    table = new_table(
        f"{between}, the same configurations seed by seed",
        "configuration",
        right=("n", "test (points)", "train (points)"),
    )
    table.add_column("test: what the interval says", no_wrap=True)
    shown = _spread(pairing.shared)
    for each in shown:
        numbers = (with_half_width(each.test, "+.2"), with_half_width(each.train, "+.2"))
        table.add_row(each.first.name, str(each.test.n), *numbers, about_zero(each.test))
    print_table(console, table)
    if len(shown) < len(pairing.shared):
        rest = f"{len(shown)} of {len(pairing.shared)} shared configurations"
        console.print(f"{rest}; the CSV file has all.")
    console.print(_summary(one, first, pairing.shared), style="bold")


def _spread(shared: Sequence[Shared]) -> list[Shared]:
    places = np.linspace(0, len(shared) - 1, min(len(shared), _MOST_ROWS)).round().astype(int)
    return [shared[place] for place in places]


def _summary(one: Compared, first: Compared, shared: Sequence[Shared]) -> str:
    clear = [each.test for each in shared if each.test.excludes_zero]
    above = sum((difference.mean or 0) > 0 for difference in clear)
    return (
        f"Test accuracy of {one.label} against {first.label}: of {len(shared)} shared "
        f"configuration{'s' if len(shared) > 1 else ''} the interval lies above 0 for {above} and "
        f"below 0 for {len(clear) - above}, without correction for looking at {len(shared)}."
    )
