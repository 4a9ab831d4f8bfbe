"""The figure of what the ways of choosing a configuration claim, and of what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.figures.by_sweep import present, to_point, value_scale
from analysis.figures.captions import final_subtitle, row_worth, sweep_plot
from analysis.figures.comparison import swept
from analysis.folds.choice import Choices
from analysis.folds.fold_sweeps import Judged
from analysis.plotting.panels import (
    LinePanel,
    Panel,
    Plot,
    Point,
    Scale,
    Series,
    Span,
    SpanPanel,
    SpanSeries,
)
from analysis.plotting.wording import accuracy_text, in_percent
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, OF_SHARES, SHARE, Difference, Estimate, estimate
from analysis.stats.unpaired import UNPAIRED, unpaired_difference
from trainables.record_format import Curve
from trainables.result import Array

ALONE = "claim of one seed, on its own test rows"
CLAIM = "claim: highest test accuracy"
BY_FOLDS = "test accuracy of the choice by folds"
_HONEST = "honest: each seed chooses by its folds"


class Way(NamedTuple):
    """A way of choosing: `configuration` it chose and the accuracy that it claims or has."""

    name: str
    configuration: str
    accuracy: Estimate
    run_id: str


def ways(record: SweepRecord, choices: Choices, fresh: Judged | None) -> tuple[Way, ...]:
    """From what flatters most to what flatters least; only those that there are."""
    trials = choices.scores.trials
    by_test, by_cv = trials[choices.by_test.place], trials[choices.by_cv.place]
    several = choices.configurations
    each = f"{several} of {len(trials)}, one a seed" if several > 1 else "the same for every seed"
    found = [
        Way(
            ALONE,
            "one a seed",
            estimate(choices.alone, SHARE),
            "",
        ),
        Way(CLAIM, by_test.name, choices.claimed, record.run_of(by_test)),
        Way(BY_FOLDS, by_cv.name, choices.test_of_cv, ""),
        Way(_HONEST, each, estimate(choices.nested, SHARE), ""),
    ]
    found[2] = found[2]._replace(run_id=record.run_of(by_cv))
    if fresh is not None:
        accuracy = estimate(fresh.record.final(fresh.trial, Curve.TEST_ACCURACY), SHARE)
        run_id = fresh.record.run_of(fresh.trial)
        found.append(
            Way(
                fresh_seeds(accuracy.n),
                fresh.trial.name,
                accuracy,
                run_id,
            )
        )
    return tuple(found)


def fresh_seeds(count: int) -> str:
    """How the way is called that other seeds judged."""
    return f"the choice by folds on {count} fresh seeds"


def choosing_plot(record: SweepRecord, choices: Choices, fresh: Judged | None) -> Plot:
    """Both accuracies against the swept value with the choices; beside them, in pairs, how far
    claims lie above what is true.

    Over several swept values the configurations stand in the order of their cross-validated
    accuracy, since there is no one axis for them.
    """
    folds = choices.scores.trials[0].folds
    panels: list[Panel] = [_by_value(record, choices), _by_way(record, choices, fresh)]
    plot = sweep_plot(
        record,
        "choosing",
        "Choosing by cross-validation against choosing on the test set",
        f"{final_subtitle(record, 'band and bars')}; {folds} folds of the training rows",
        panels,
    )
    rows = record.manifest.dataset["train"]
    notes = [
        "honest is the test accuracy of what each seed chose by its own folds, "
        f"{accuracy_text(estimate(choices.nested, SHARE))}; differences are of the same seeds",
        f"a fold's model trains on {rows - rows // folds} of the {rows} training rows and is "
        "likely the worse for it: cross-validated accuracy is for choosing, not for claiming",
    ]
    if lost := int(np.isnan(choices.scores.cv_accuracy).sum()):
        notes.append(
            f"cross-validation gives no number for {lost} of {choices.scores.cv_accuracy.size} "
            "models, since one of a fold diverged; they are left out"
        )
    return replace(plot, notes=(*plot.notes, *notes))


def _by_value(record: SweepRecord, choices: Choices) -> LinePanel:
    scores, axes = choices.scores, record.manifest.axes
    scale: Scale = "linear"
    if len(axes) == 1:
        places = [swept(record, trial)[0] for trial in scores.trials]
        scale = value_scale(axes[0], places)
        x_label, title = axes[0].label, "accuracy against the swept value"
    else:
        means = np.nan_to_num([estimate(one).mean or 0.0 for one in scores.cv_accuracy])
        places = np.argsort(np.argsort(means, kind="stable"), kind="stable").tolist()
        x_label = "configurations in the order of their cross-validated accuracy"
        title = f"accuracy of the configurations ({len(axes)} values were swept, so no one axis)"
    order = sorted(range(len(places)), key=places.__getitem__)

    def points(values: Array, chosen: Sequence[int]) -> tuple[Point, ...]:
        run_ids = [record.run_of(trial) for trial in scores.trials]
        return present(
            to_point(places[k], estimate(values[k], SHARE), 100, run_ids[k]) for k in chosen
        )

    by_cv, by_test = choices.by_cv.place, choices.by_test.place
    series = (
        Series("cross-validated", points(scores.cv_accuracy, order)),
        Series("test", points(scores.test_accuracy, order)),
        Series("chosen by cross-validation", points(scores.cv_accuracy, [by_cv])),
        Series("chosen on the test set", points(scores.test_accuracy, [by_test])),
    )
    return LinePanel(
        title, x_label, "accuracy (%)", series, "points", scale, least=row_worth(record)
    )


def _by_way(record: SweepRecord, choices: Choices, fresh: Judged | None) -> SpanPanel:
    """Each way's accuracy minus the honest one, seed by seed; fresh seeds have no pairs."""
    by_test, by_cv = (
        record.run_of(choices.scores.trials[chosen.place])
        for chosen in (choices.by_test, choices.by_cv)
    )
    found = [
        (ALONE, choices.optimism_alone, ""),
        (CLAIM, choices.optimism, by_test),
        (BY_FOLDS, choices.optimism_of_cv, by_cv),
    ]
    spans = [_span(name, one, METHOD, run_id) for name, one, run_id in found]
    if fresh is not None:
        accuracy = fresh.record.final(fresh.trial, Curve.TEST_ACCURACY)
        one = unpaired_difference(accuracy, choices.nested, OF_SHARES)
        name = f"{fresh_seeds(one.n)}, not in pairs"
        spans.append(_span(name, one, UNPAIRED, fresh.record.run_of(fresh.trial)))
    there = tuple(span for span in spans if span)
    return SpanPanel(
        title="accuracy minus the honest one, seed by seed",
        x_label="difference (points); right of 0: more than is true",
        y_label="",
        rows=tuple(span.row for span in there),
        series=(SpanSeries("difference", there),) if there else (),
        zero_line=True,
        least=row_worth(record),
        missing="" if there else "every model diverged",
    )


def _span(row: str, found: Difference, method: str, run_id: str) -> Span | None:
    if found.mean is None:
        return None
    low, high = in_percent(found.low), in_percent(found.high)
    return Span(row, 100 * found.mean, low, high, found.n, 0, method, run_id)
