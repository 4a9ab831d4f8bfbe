"""A robustness study as tables: in the terminal, and with every number as one for a CSV."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from analysis.figures.captions import held_fixed
from analysis.figures.comparison import value_text
from analysis.plotting.terminal import new_table, print_origin, print_table
from analysis.plotting.wording import (
    NONE,
    Bounded,
    all_in_percent,
    bracketed,
    half_width,
    in_percent,
    models_left,
    number,
    p_in_three_decimals,
    with_half_width,
    with_interval,
)
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import SOURCE_NAMES, SourceShares, Studied
from analysis.seed_study.study_captions import (
    grouped,
    interval_ways,
    seeds_text,
    shown_of,
    source_remarks,
)
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
            models_left(one.mean),
            with_half_width(one.mean, ".2"),
            _share(one.iqm[:3], 2),
            _share(one.median[:3], 2),
            number(in_percent(one.spread), ".2"),
            one.run_id[:8],
        )
    print_table(console, table)
    for note in notes:
        console.print(note)
    console.print(_methods(studied))
    for line in interval_ways(shown)[1]:
        console.print(line)
    if text := held_fixed(record):
        console.print(text)
    print_origin(console, record, "robustness")
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
        better = NONE if found.improvement is None else _share(found.improvement)
        table.add_row(
            value_text(record, one.trial),
            str(found.difference.n),
            with_half_width(found.difference, "+.2"),
            _other_rows(found.corrected),
            p_in_three_decimals(one.p_holm),
            number(found.effect_size, "+.2"),
            better,
            needed_text(found.smallest_n) if found.effect_size is not None else NONE,
        )
        for remark in dict.fromkeys((found.difference.remark, found.corrected.remark)):
            remarks.append((remark, one.trial.name))
    print_table(console, table)
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
                _share((source.first_order, source.first_low, source.first_high)),
                _share((source.total, source.total_low, source.total_high)),
            )
    console.print()
    print_table(console, table)
    if len(shares) > _MOST_ROWS:
        console.print(f"{_MOST_ROWS} of {len(shares)} configurations; the CSV file has all.")
    console.print(
        "first-order and total shares by exchanging one source at a time (pick-freeze, Jansen's "
        "estimators), 95 % bootstrap intervals, cut to 0 to 100"
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
            "mean": in_percent(one.mean.mean),
            "mean_low": in_percent(one.mean.low),
            "mean_high": in_percent(one.mean.high),
            "mean_method": METHOD,
            "std": in_percent(one.spread),
        }
        for name, found in (("median", one.median), ("iqm", one.iqm)):
            row |= {
                name: in_percent(found.value),
                f"{name}_low": in_percent(found.low),
                f"{name}_high": in_percent(found.high),
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
            name: in_percent(each.mean),
            f"{name}_low": in_percent(each.low),
            f"{name}_high": in_percent(each.high),
            f"{name}_p": each.p,
            f"{name}_remark": each.remark,
        }
    better = found.improvement or (None, None, None)
    return row | {
        "p_holm": one.p_holm,
        "wilcoxon_p": found.wilcoxon_p,
        "permutation_p": found.permutation_p,
        "effect_size": found.effect_size,
        "better": in_percent(better[0]),
        "better_low": in_percent(better[1]),
        "better_high": in_percent(better[2]),
        "seeds_needed": found.smallest_n,
    }


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


def _share(found: Bounded, digits: int = 0) -> str:
    return with_interval(all_in_percent(found), f".{digits}")


def _other_rows(found: Difference) -> str:
    if found.mean is None or found.low is None:
        return NONE
    if found.half is not None:  # cut to what is possible
        return bracketed(in_percent(found.low), in_percent(found.high), "+.2")
    return half_width(100 * (found.mean - found.low), 2)
