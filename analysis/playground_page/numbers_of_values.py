"""What stands in words and on lines for each value of the slider: accuracies and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.figures.comparison import Row
from analysis.plotting.wording import (
    NONE,
    ONE_SEED,
    Bounded,
    accuracy_text,
    all_in_percent,
    beside,
    models_left,
    with_interval,
)
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.networks import Networks
from analysis.stats.seeds import POSITIVE, estimate
from trainables.record_format import Curve, Final
from trainables.result import Array, Trained, TrialResult

_MIDDLE = (5, 95)  # percentiles


def numbers(record: SweepRecord, row: Row, models: Networks, seeds: int) -> dict[str, Any]:
    """Those of one configuration: over all of its seeds, and of each of the first `seeds`.

    Accuracies in %. `middle`: by layer, between which two weights nine tenths of the weights of all
    seeds lie; None where all models diverged.
    """
    finals = _finals(record, row, models)
    norm, zeros = finals[Final.WEIGHT_NORM], 100 * finals[Final.SPARSITY]
    if row.difference is not None:
        found = all_in_percent(row.difference[:3])
        difference = with_interval(found, "+.2", " points", row.difference.remark)
    else:
        difference = "baseline" if row.trial == record.baseline else NONE
    return {
        "train": all_in_percent(row.train[:3]),
        "test": all_in_percent(row.test[:3]),
        "words": {
            "train": accuracy_text(row.train),
            "test": accuracy_text(row.test),
            "difference": difference,
            "norm": _with_deviation(norm, ".2"),
            "zeros": _with_deviation(zeros, ".1", " %"),
        },
        "n": models_left(row.test),
        "middle": [_middle(weight[models.sound]) for weight in models.weights],
        "of_seeds": {
            "train": _known(100 * finals[Final.TRAIN_ACCURACY][:seeds]),
            "test": _known(100 * finals[Final.TEST_ACCURACY][:seeds]),
            "norm": _known(norm[:seeds]),
            "zeros": _known(zeros[:seeds]),
        },
    }


def _finals(record: SweepRecord, row: Row, models: Networks) -> dict[str, Array]:
    """Final numbers by name, (S,); NaN where a model diverged."""
    curves = (Curve.TRAIN_ACCURACY, Curve.TEST_ACCURACY)
    trained = Trained({name: record.curve(row.trial, name) for name in curves}, models.parameters())
    found = TrialResult(row.trial, trained, 0.0, "").finals(record.manifest.summary_epochs)
    return {name: np.where(models.sound, values, np.nan) for name, values in found.items()}


def _with_deviation(values: Array, form: str, unit: str = "") -> str:
    """`5.31, s.d. 0.42`: the mean over the seeds that are left and how much one differs from it."""
    left = values[np.isfinite(values)]
    mean = estimate(left, POSITIVE).mean
    only: Bounded = (mean, None, None)
    text = beside(only, form, unit)
    if len(left) < 2:
        return f"{text} ({ONE_SEED.split(':')[0]})" if len(left) else text
    deviation: Bounded = (float(left.std(ddof=1)), None, None)
    return f"{text}, s.d. {beside(deviation, form, unit)}"


def _middle(weights: Array) -> tuple[float, float] | None:
    if weights.size == 0:
        return None
    low, high = np.percentile(weights, _MIDDLE)
    return float(low), float(high)


def _known(values: Array) -> list[float | None]:
    return [round(float(one), 4) if np.isfinite(one) else None for one in values]
