"""What the figures of a robustness study have in common: who is shown, and what is said around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.figures.captions import axes_label, sweep_plot
from analysis.plotting.panels import Panel, Plot
from analysis.reading.finished_trials import some
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import SOURCE_NAMES, SourceShares, Studied, best


def robustness_plot(
    record: SweepRecord,
    name: str,
    title: str,
    subtitle: str,
    panels: Sequence[Panel],
    more_notes: Sequence[str] = (),
) -> Plot:
    """The figure `robustness_<name>`."""
    plot = sweep_plot(record, name, title, subtitle, panels)
    return replace(
        plot,
        name=f"robustness_{name}",
        legend_title=axes_label(record),
        notes=(*plot.notes, *more_notes),
    )


def seeds_text(count: int) -> str:
    """`1,000 seeds`, `1 seed`."""
    return f"{count:,} seed{'' if count == 1 else 's'}"


def interval_ways(studied: Sequence[Studied]) -> tuple[list[str], list[str]]:
    """How the intervals of interquartile means and medians came about; why some have none.

    That there is one seed, or that every model diverged, is said elsewhere.
    """
    each = [(one, found) for one in studied for found in (one.iqm, one.median)]
    ways = {found.method for _, found in each if found.low is not None}
    lacking = [
        (one.iqm.method, one.trial.name)
        for one in studied
        if one.iqm.low is None and one.mean.n and len(one.values) > 1
    ]
    return sorted(ways), grouped(lacking)


def source_remarks(shares: Sequence[SourceShares]) -> list[str]:
    """What is to be said of single shares of the variance."""
    found = []
    for one in shares:
        if len(same := {source.remark for source in one.sources}) == 1:
            found.append((same.pop(), one.trial.name))
            continue
        for source in one.sources:
            text = f"{SOURCE_NAMES[source.source]}, {source.remark}" if source.remark else ""
            found.append((text, one.trial.name))
    return grouped(found)


def grouped(remarks: Sequence[tuple[str, str]]) -> list[str]:
    """Each remark once, with the names that it is about; none for empty remarks."""
    about: dict[str, list[str]] = {}
    for remark, name in remarks:
        about.setdefault(remark, []).append(name)
    return [f"{remark} ({some(names)})" for remark, names in about.items() if remark]


def shown_of(studied: Sequence[Studied], most: int) -> tuple[list[Studied], list[str]]:
    """At most `most` configurations, and a note where these are not all.

    They are spread evenly over the swept values; the best and the baseline are among them.
    """
    if len(studied) <= most:
        return list(studied), []
    top = best(studied)
    kept = {n for n, one in enumerate(studied) if one is top or one.is_baseline}
    rest = [n for n in range(len(studied)) if n not in kept]
    even = np.linspace(0, len(rest) - 1, most - len(kept))
    places = sorted([*kept, *(rest[round(place)] for place in even)])
    text = f"{len(places)} of {len(studied)} configurations shown, the best and the baseline "
    return [studied[n] for n in places], [f"{text}among them; the table has all"]
