"""From the numbers of a robustness study to the spread over seeds and where it comes from.

Dimension letters: S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.figures.captions import MOST_LINES, axes_label, trial_label
from analysis.plotting.panels import DotPanel, Dots, Plot, Span, SpanPanel, SpanSeries
from analysis.plotting.wording import in_percent
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import SOURCE_NAMES, SourceShares, Studied
from analysis.seed_study.study_captions import (
    interval_ways,
    robustness_plot,
    seeds_text,
    shown_of,
    source_remarks,
)
from analysis.stats.bootstrap import Bootstrapped
from analysis.stats.seeds import METHOD, Estimate
from analysis.stats.sources import Source

_MOST_ROWS = 12  # configurations below each other


def distribution(record: SweepRecord, studied: Sequence[Studied]) -> Plot:
    """Every seed's test accuracy, and beside it mean, interquartile mean and median."""
    shown, notes = shown_of(studied, _MOST_ROWS)
    labels = {one.trial.key: trial_label(record, one.trial) for one in shown}
    alive = [one for one in shown if one.mean.n]
    missing = "" if alive else "every model diverged"
    dots = DotPanel(
        title="test accuracy of every model",
        x_label="test accuracy (%)",
        y_label=axes_label(record),
        rows=tuple(_dots(labels[one.trial.key], one) for one in shown),
        missing=missing,
    )
    spans: dict[str, list[Span | None]] = {"mean": [], "interquartile mean": [], "median": []}
    for one in alive:
        row = labels[one.trial.key]
        spans["mean"].append(_estimate_span(row, one.mean, one.run_id))
        spans["interquartile mean"].append(_bootstrap_span(row, one.iqm, one.run_id))
        spans["median"].append(_bootstrap_span(row, one.median, one.run_id))
    middles = SpanPanel(
        title="mean, median, interquartile mean",
        x_label="test accuracy (%)",
        y_label=axes_label(record),
        rows=tuple(labels.values()),
        series=tuple(SpanSeries(label, _present(each)) for label, each in spans.items()),
        missing=missing,
    )
    count = len(record.manifest.trials[0].seeds)
    text = f"{seeds_text(count)} per configuration, each model a dot"
    ways, remarks = interval_ways(shown)
    if ways:
        text += f"; intervals: mean {METHOD}, others {' or '.join(ways)}"
    elif count == 1:
        text += ": no intervals"
    title = f"Spread of test accuracy over {seeds_text(count)}"
    plot = robustness_plot(record, "distribution", title, text, [dots, middles], [*notes, *remarks])
    return replace(plot, legend_title="")


def variance_sources(record: SweepRecord, shares: Sequence[SourceShares]) -> Plot:
    """Share of each source of randomness in the variance of test accuracy over seeds."""
    shown = shares[:: max(1, -(-len(shares) // MOST_LINES))]

    def panel(title: str, total: bool) -> SpanPanel:
        series = []
        for one in shown:
            run_id = record.run_of(one.trial)
            spans = _present([_share_span(source, total, run_id) for source in one.sources])
            if spans:
                series.append(SpanSeries(trial_label(record, one.trial), spans))
        return SpanPanel(
            title=title,
            x_label="share of the variance (%)",
            y_label="",
            rows=tuple(SOURCE_NAMES.values()),
            series=tuple(series),
            zero_line=True,
            missing="" if series else "no configuration has a spread to divide",
        )

    panels = [
        panel("each source by itself (first-order)", total=False),
        panel("with all its interactions (total)", total=True),
    ]
    text = (
        f"{seeds_text(len(record.manifest.trials[0].seeds))}, one source exchanged at a time "
        "(pick-freeze, Jansen's estimators); 95 % bootstrap intervals"
    )
    notes = source_remarks(shown)
    if len(shown) < len(shares):
        notes.append(f"{len(shown)} of {len(shares)} configurations shown; the table has all")
    title = "Where the spread over seeds comes from"
    return robustness_plot(record, "sources", title, text, panels, notes)


def _present(spans: Sequence[Span | None]) -> tuple[Span, ...]:
    return tuple(span for span in spans if span)


def _dots(label: str, one: Studied) -> Dots:
    alive = np.isfinite(one.values)
    seeds = tuple(seed for seed, there in zip(one.trial.seeds, alive, strict=True) if there)
    values = tuple((100 * one.values[alive]).tolist())
    return Dots(label, seeds, values, one.mean.diverged, one.run_id)


def _estimate_span(row: str, found: Estimate, run_id: str) -> Span | None:
    if found.mean is None:
        return None
    low, high = in_percent(found.low), in_percent(found.high)
    return Span(row, 100 * found.mean, low, high, found.n, found.diverged, METHOD, run_id)


def _bootstrap_span(row: str, found: Bootstrapped, run_id: str) -> Span | None:
    if found.value is None:
        return None
    low, high = in_percent(found.low), in_percent(found.high)
    return Span(row, 100 * found.value, low, high, found.n, found.diverged, found.method, run_id)


def _share_span(source: Source, total: bool, run_id: str) -> Span | None:
    value = source.total if total else source.first_order
    if value is None:
        return None
    low, high = (
        (source.total_low, source.total_high) if total else (source.first_low, source.first_high)
    )
    row = SOURCE_NAMES[source.source]
    method = source.remark or "percentile bootstrap"
    return Span(row, 100 * value, in_percent(low), in_percent(high), source.n, 0, method, run_id)
