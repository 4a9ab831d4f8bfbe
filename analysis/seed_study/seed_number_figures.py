"""How many seeds are enough: the width of intervals and the ranking under fewer seeds.

Dimension letters: K configurations, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.figures.captions import MOST_LINES, baseline_label, trial_label
from analysis.plotting.panels import Level, LinePanel, Plot, Point, Series
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import Studied, best, generator
from analysis.seed_study.study_captions import robustness_plot, seeds_text, shown_of
from analysis.stats.resamples import half_width_by_n, rank_stability
from analysis.stats.seeds import METHOD, ROUNDING
from trainables.result import Array

_COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000)
_NUMBERED = (1, 2, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
_WIDTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_WIDTH_RESAMPLES, _STUDIES = 2000, 5000
_COMMON: dict[str, Any] = {"style": "points", "x_scale": "log"}


def seeds_needed(record: SweepRecord, studied: Sequence[Studied]) -> Plot:
    """Width of the interval by number of seeds: of the mean, and of the difference to baseline."""
    shown, notes = shown_of(studied, MOST_LINES)
    reference = next((one.values for one in studied if one.is_baseline), None)
    own, paired, levels = [], [], []
    for one in shown:
        label = trial_label(record, one.trial)
        if points := _half_widths(one.values, one.run_id):
            own.append(Series(label, points))
        if reference is None or one.is_baseline:
            continue
        differences = one.values - reference
        if points := _half_widths(differences, one.run_id):
            paired.append(Series(label, points))
            levels.append(Level(label, abs(100 * float(np.nanmean(differences)))))
    if reference is None:
        missing = "the baseline is missing: no differences"
    elif len(studied) == 1:
        missing = "one configuration: no difference to a baseline"
    else:
        missing = "" if paired else "no difference has a spread over two seeds"
    y_label = "half of the 95 % interval (points)"
    mean = LinePanel(
        title="mean test accuracy",
        x_label=_again(len(record.manifest.trials[0].seeds)),
        y_label=y_label,
        series=tuple(own),
        missing="" if own else "no configuration has a spread over two seeds",
        **_COMMON,
    )
    difference = LinePanel(
        title=f"difference to {baseline_label(record)}, seed by seed",
        x_label=_again(len(record.manifest.trials[0].seeds)),
        y_label=y_label,
        series=tuple(paired),
        levels=tuple(level for level in levels if level.y > 100 * ROUNDING),
        missing=missing,
        **_COMMON,
    )
    text = (
        f"mean width of the {METHOD} in {_WIDTH_RESAMPLES:,} draws of n seeds, with replacement, "
        "from the same seeds"
    )
    if paired:
        text += (
            "; dotted: the difference itself: where a line falls below its own, n seeds tell that "
            "difference from 0 in about half of all studies"
        )
    panels = [_with_ticks(mean), _with_ticks(difference)]
    return robustness_plot(record, "seeds", "How many seeds are enough?", text, panels, notes)


def ranks(record: SweepRecord, studied: Sequence[Studied]) -> Plot:
    """How often each configuration has the highest mean, by number of seeds."""
    alive = [one for one in studied if one.mean.n]
    seeds = len(record.manifest.trials[0].seeds)
    values = np.array([one.values for one in alive]).reshape(len(alive), seeds)
    together = int(np.isfinite(values).all(axis=0).sum()) if alive else 0
    series: tuple[Series, ...] = ()
    missing = ""
    if len(alive) < 2:
        missing = "one configuration: nothing to rank" if alive else "every model diverged"
    elif not together:
        missing = "no seed on which every configuration has a model: nothing to rank"
    else:
        counts = _counts(together, first=1)
        rng = generator()
        won = np.stack([rank_stability(values, n, rng, _STUDIES) for n in counts])
        series = _rank_series(record, alive, counts, won)
    panel = LinePanel(
        title="has the highest mean test accuracy",
        x_label=_again(together),
        y_label="studies (%)",
        series=series,
        y_limits=(-3.0, 103.0),
        missing=missing,
        **_COMMON,
    )
    text = (
        f"{_STUDIES:,} studies of n seeds, drawn with replacement from the same "
        f"{seeds_text(together)}"
    )
    notes = []
    if not missing:
        notes.append(
            "no study has a new seed: what is best on these by luck wins in most of them, and on "
            "other seeds another may"
        )
    if len(alive) < len(studied):
        gone = [one.trial.name for one in studied if not one.mean.n]
        notes.append(f"not ranked, for every model diverged: {', '.join(gone)}")
    if together < seeds and not missing:
        lost = seeds_text(seeds - together)
        notes.append(f"{lost} left out, on which a model of some ranked configuration diverged")
    title = "Which configuration wins, by number of seeds"
    text = "" if missing else f"{text}; ties are shared"
    return robustness_plot(record, "ranks", title, text, [_with_ticks(panel)], notes)


def _again(seeds: int) -> str:
    return f"number of seeds n, drawn again from the same {seeds:,}"


def _rank_series(
    record: SweepRecord, alive: Sequence[Studied], counts: Sequence[int], won: Array
) -> tuple[Series, ...]:
    """`won` (counts, K) in %; those that win least often are added up where there are too many."""
    order = list(range(len(alive)))
    if len(order) > MOST_LINES:
        top = best(alive)
        first = {n for n, one in enumerate(alive) if one is top or one.is_baseline}
        rest = sorted(set(order) - first, key=lambda n: -won[:, n].max())
        order = sorted([*first, *rest[: MOST_LINES - 1 - len(first)]])
    found = [
        Series(
            trial_label(record, alive[k].trial),
            tuple(
                Point(n, float(share), n=n, run_id=alive[k].run_id)
                for n, share in zip(counts, 100 * won[:, k], strict=True)
            ),
        )
        for k in order
    ]
    if others := sorted(set(range(len(alive))) - set(order)):
        shares = 100 * won[:, others].sum(axis=1)
        points = tuple(Point(n, float(y), n=n) for n, y in zip(counts, shares, strict=True))
        found.append(Series(f"any of {len(others)} others", points))
    return tuple(found)


def _half_widths(values: Array, run_id: str) -> tuple[Point, ...]:
    finite = values[np.isfinite(values)]
    if len(finite) < 2 or np.ptp(finite) < ROUNDING:
        return ()
    counts = _counts(len(finite), first=2)
    found = half_width_by_n(finite, counts, generator(), _WIDTH_RESAMPLES)
    return tuple(Point(one.n, 100 * one.half_width, n=one.n, run_id=run_id) for one in found)


def _counts(most: int, first: int) -> list[int]:
    return sorted({n for n in _COUNTS if first <= n < most} | {most})


def _with_ticks(panel: LinePanel) -> LinePanel:
    """The panel with its axes numbered where its points are."""
    points = [point for series in panel.series for point in series.points]
    if not points:
        return panel
    last = max(point.x for point in points)
    ticks = tuple(float(n) for n in _NUMBERED if n < 0.75 * last)
    panel = replace(panel, x_ticks=(*ticks, last))
    if panel.y_limits:
        return panel
    heights = [point.y for point in points] + [level.y for level in panel.levels]
    low, high = min(heights) / 1.25, max(heights) * 1.25
    marks = tuple(width for width in _WIDTHS if low <= width <= high)
    return replace(panel, y_scale="log", y_limits=(low, high), y_ticks=marks)
