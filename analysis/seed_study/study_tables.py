"""A robustness study as tables: in the terminal, and with every number as one for a CSV."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from analysis.figures.captions import held_fixed
from analysis.figures.comparison import value_text
from analysis.plotting.terminal import in_percent, new_table
from analysis.reading.connection import without_password
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import SOURCE_NAMES, SourceShares, Studied
from analysis.seed_study.study_captions import (
    grouped,
    interval_ways,
    seeds_text,
    shown_of,
    source_remarks,
)
from analysis.stats.bootstrap import Bootstrapped
from analysis.stats.paired import MOST_SEEDS
from analysis.stats.seeds import METHOD, Difference

_MOST_ROWS = 24  # of a table in the terminal; the CSV file has all


def show(console: Console, record: SweepRecord, studied: Sequence[Studied]) -> None:
    """Prints each configuration over its seeds, then its difference to the baseline."""
    shown, notes = shown_of(studied, _MOST_ROWS)
    fields = ", ".join(axis.field for axis in record.manifest.axes)
    table = new_table(
        record.manifest.question,
        fields,
        right=("n", "mean %", "interquartile mean %", "median %", "SD"),
    )
    table.add_column("run", no_wrap=True)
    for one in shown:
        table.add_row(
            value_text(record, one.trial),
            _n(one),
            in_percent(one.mean, ".2"),
            _interval(one.iqm),
            _interval(one.median),
            "–" if one.spread is None else f"{100 * one.spread:.2f}",
            one.run_id[:8],
        )
    console.print(table)
    for note in notes:
        console.print(note)
    console.print(_methods(studied))
    for line in interval_ways(shown)[1]:
        console.print(line)
    if text := held_fixed(record):
        console.print(text)
    where = without_password(record.tracking_uri)
    console.print(f"sweep {record.manifest.run_name}, MLflow run {record.run_id} in {where}")
    if paired := [one for one in shown if one.paired]:
        console.print()
        _show_pairs(console, record, fields, paired)


def _show_pairs(
    console: Console, record: SweepRecord, fields: str, paired: Sequence[Studied]
) -> None:
    name = record.baseline.name if record.baseline else "the baseline"
    right = ("n", "difference", "for other rows", "p Holm", "effect d", "better %", "seeds needed")
    table = new_table(f"Test accuracy minus that of {name}, seed by seed", fields, right=right)
    remarks = []
    for one in paired:
        if one.paired is None:
            continue
        found = one.paired
        better = "–" if found.improvement is None else _share(*found.improvement)
        table.add_row(
            value_text(record, one.trial),
            str(found.difference.n),
            in_percent(found.difference, "+z.2"),
            _other_rows(found.corrected),
            p_text(one.p_holm),
            "–" if found.effect_size is None else f"{found.effect_size:+.2f}",
            better,
            needed_text(found.smallest_n) if found.effect_size is not None else "–",
        )
        for remark in dict.fromkeys((found.difference.remark, found.corrected.remark)):
            remarks.append((remark, one.trial.name))
    console.print(table)
    console.print(
        f"points; difference ± {METHOD} for these rows; for other rows: Nadeau–Bengio interval, "
        "which knows that splits share rows; p: paired t-test, Holm's correction for "
        f"{len(paired)}; d: mean by standard deviation of the differences (Hedges); better: seeds "
        "with the higher accuracy, ties half, Wilson interval; seeds needed to see it in 80 % of "
        "studies at 5 %"
    )
    for line in grouped(remarks):
        console.print(line)


def show_sources(console: Console, record: SweepRecord, shares: Sequence[SourceShares]) -> None:
    """Prints how the variance of each configuration divides among the sources of randomness."""
    fields = ", ".join(axis.field for axis in record.manifest.axes)
    table = new_table("Share of the variance over seeds by source, %", fields, "source")
    for heading in ("n", "by itself", "with interactions"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in shares[:_MOST_ROWS]:
        for place, source in enumerate(one.sources):
            table.add_row(
                "" if place else value_text(record, one.trial),
                SOURCE_NAMES[source.source],
                str(source.n),
                _percent(source.first_order, source.first_low, source.first_high),
                _percent(source.total, source.total_low, source.total_high),
            )
    console.print()
    console.print(table)
    if len(shares) > _MOST_ROWS:
        console.print(f"{_MOST_ROWS} of {len(shares)} configurations; the CSV file has all.")
    console.print(
        "first-order and total shares by exchanging one source at a time (pick-freeze, Jansen's "
        "estimators), 95 % bootstrap intervals; an estimate may lie beyond 0 to 100"
    )
    for line in source_remarks(shares[:_MOST_ROWS]):
        console.print(line)


def statistics(studied: Sequence[Studied]) -> pd.DataFrame:
    """One row per configuration with every number; accuracies in %, differences in points."""
    rows = []
    for one in studied:
        row: dict[str, object] = {
            "config": one.trial.name,
            "run_id": one.run_id,
            "baseline": one.is_baseline,
            "n": one.mean.n,
            "diverged": one.mean.diverged,
            "mean": _scaled(one.mean.mean),
            "mean_low": _scaled(one.mean.low),
            "mean_high": _scaled(one.mean.high),
            "mean_method": METHOD,
            "std": _scaled(one.spread),
        }
        for name, found in (("median", one.median), ("iqm", one.iqm)):
            row |= {
                name: _scaled(found.value),
                f"{name}_low": _scaled(found.low),
                f"{name}_high": _scaled(found.high),
                f"{name}_method": found.method,
            }
        rows.append(row | _paired_row(one))
    return pd.DataFrame(rows)


def _paired_row(one: Studied) -> dict[str, object]:
    if (found := one.paired) is None:
        return {}
    row: dict[str, object] = {"pairs": found.difference.n}
    for name, each in (("difference", found.difference), ("other_rows", found.corrected)):
        row |= {
            name: _scaled(each.mean),
            f"{name}_low": _scaled(each.low),
            f"{name}_high": _scaled(each.high),
            f"{name}_p": each.p,
            f"{name}_remark": each.remark,
        }
    better = found.improvement or (None, None, None)
    return row | {
        "p_holm": one.p_holm,
        "wilcoxon_p": found.wilcoxon_p,
        "permutation_p": found.permutation_p,
        "effect_size": found.effect_size,
        "better": _scaled(better[0]),
        "better_low": _scaled(better[1]),
        "better_high": _scaled(better[2]),
        "seeds_needed": found.smallest_n,
    }


def p_text(p: float | None) -> str:
    """`0.034`, `< 0.001`, or a dash where there is no test."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def needed_text(n: int | None) -> str:
    """A number of seeds, or that no number up to the most tried is enough."""
    return f"> {MOST_SEEDS:,}" if n is None else f"{n:,}"


def _methods(studied: Sequence[Studied]) -> str:
    seeds = len(studied[0].values)
    if seeds == 1:
        return "1 seed: no intervals; accuracy in %"
    ways, _ = interval_ways(studied)
    parts = [f"{seeds_text(seeds)}; accuracy in %"]
    if ways:
        parts.append(f"mean ± {METHOD}, others with 95 % interval: {', '.join(ways)}")
        parts.append("SD: standard deviation over seeds in points")
    if any(one.mean.diverged for one in studied):
        parts.append("n: models left of those trained, the others diverged")
    return "; ".join(parts)


def _n(one: Studied) -> str:
    return f"{one.mean.n}/{len(one.values)}" if one.mean.diverged else f"{one.mean.n}"


def _interval(found: Bootstrapped) -> str:
    return _percent(found.value, found.low, found.high, 2)


def _share(value: float, low: float, high: float) -> str:
    return _percent(value, low, high)


def _percent(value: float | None, low: float | None, high: float | None, digits: int = 0) -> str:
    if value is None:
        return "–"
    text = f"{100 * value:z.{digits}f}"
    if low is None or high is None:
        return text
    return f"{text} [{100 * low:z.{digits}f}, {100 * high:z.{digits}f}]"


def _other_rows(found: Difference) -> str:
    if found.mean is None or found.low is None:
        return "–"
    return f"± {100 * (found.mean - found.low):.2f}"


def _scaled(value: float | None) -> float | None:
    return None if value is None else 100 * value
