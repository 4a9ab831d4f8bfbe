"""Every configuration of a sweep in numbers: accuracy, gap, difference to the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analysis.plotting.wording import (
    about_zero,
    all_in_percent,
    beside,
    fitting,
    from_to,
    number,
)
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import (
    OF_SHARES,
    SHARE,
    Difference,
    Estimate,
    estimate,
    paired_difference,
)
from trainables.record_format import Curve
from trainables.trial import Trial


class Row(NamedTuple):
    """One configuration over its seeds; shares from 0 to 1, means over the summary epochs.

    `gap`: train minus test accuracy, model by model. `difference`: test accuracy minus the
    baseline's, seed by seed; None for the baseline itself and when the baseline is lacking.
    """

    trial: Trial
    run_id: str
    train: Estimate
    test: Estimate
    gap: Estimate
    difference: Difference | None


def swept(record: SweepRecord, trial: Trial) -> tuple[float, ...]:
    """The values of the swept hyperparameters of a trial, in the order of the axes."""
    return tuple(getattr(trial.hyperparameters, axis.field) for axis in record.manifest.axes)


def value_text(record: SweepRecord, trial: Trial) -> str:
    """The swept values for people: `0.0123`, or `0.0005, 0.02` for two axes."""
    texts = []
    for axis, value in zip(record.manifest.axes, swept(record, trial), strict=True):
        if isinstance(value, tuple):  # layer widths
            texts.append(" ".join(map(str, value)))
            continue
        text = f"{value:.{axis.decimals}f}"
        texts.append(text.rstrip("0").rstrip(".") if "." in text else text)
    return ", ".join(texts)


def compare(record: SweepRecord) -> tuple[Row, ...]:
    """All usable configurations, by the values of the swept hyperparameters."""
    baseline = record.baseline
    reference = None if baseline is None else record.final(baseline, Curve.TEST_ACCURACY)
    rows = []
    for trial in sorted(record.configurations, key=lambda one: swept(record, one)):
        train = record.final(trial, Curve.TRAIN_ACCURACY)
        test = record.final(trial, Curve.TEST_ACCURACY)
        paired = None if reference is None else paired_difference(test, reference, OF_SHARES)
        rows.append(
            Row(
                trial=trial,
                run_id=record.run_of(trial),
                train=estimate(train, SHARE),
                test=estimate(test, SHARE),
                gap=estimate(train - test, OF_SHARES),
                difference=None if trial == baseline else paired,
            )
        )
    return tuple(rows)


def best(rows: Sequence[Row]) -> Row | None:
    """The row of the highest mean test accuracy, the first of equals; None when all diverged."""
    judged = [row for row in rows if row.test.mean is not None]
    return max(judged, key=lambda row: row.test.mean or 0.0, default=None)


def reading(record: SweepRecord, rows: Sequence[Row]) -> str:
    """One sentence that says what the numbers say, and no more."""
    top = best(rows)
    if top is None or top.test.mean is None:
        return "Every model of every configuration diverged, so nothing can be compared."
    equal = sum(row.test.mean == top.test.mean for row in rows) - 1
    ties = f" (equal with {equal} other{'s' if equal > 1 else ''})" if equal else ""
    text = (
        f"Of {len(rows)} configurations {top.trial.name} has the best mean test accuracy, "
        f"{number(100 * top.test.mean, '.2', ' %')}{ties}"
    )
    if record.baseline is None:
        return f"{text}; the baseline is lacking, so no difference can be given."
    if top.difference is None:
        return f"{text}: it is the baseline{_others(rows)}"
    difference = top.difference
    baseline = f"the baseline {record.baseline.name}"
    if difference.mean is None or difference.low is None or difference.high is None:
        return f"{text}; its difference to {baseline}: {difference.remark}."
    found = all_in_percent(difference[:3])
    points = beside(found, "+.2", " points")
    interval = from_to(*found[1:], fitting("+.2", *found))
    return (
        f"{text}, {points} from {baseline}; the 95 % interval of that paired difference, "
        f"{interval} (n = {difference.n}), {about_zero(difference)}, without correction for "
        f"picking the best of {len(rows)}."
    )


def _others(rows: Sequence[Row]) -> str:
    others = [row.difference for row in rows if row.difference is not None]
    tested = [one for one in others if one.p is not None]
    if not tested:
        why = f" ({others[0].remark})" if others else ""
        return f"; no paired difference has an interval{why}."
    below = sum(one.excludes_zero and (one.mean or 0) < 0 for one in tested)
    equal = len(others) - len(tested)
    rest = f", {equal} have no spread" if equal else ""
    return (
        f"; the 95 % interval of the paired difference lies below 0 for {below} of {len(others)} "
        f"others{rest}."
    )
