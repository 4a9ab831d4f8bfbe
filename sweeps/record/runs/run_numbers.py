"""Which of a trial's final numbers its run holds in MLflow, and which come first.

MLflow's page of a run draws a chart of one bar for each, and what it compares runs by is their
first. So a run holds what is looked for: the means, and the spread over seeds of what trials are
judged by. The spread of all others, and the numbers of single layers, stand in `results.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sweeps.record.runs.finished_run import spread
from trainables.record_format import Final, Metric
from trainables.result import Interval

# What people look for first.
_FIRST = (
    *(Final.CV_ACCURACY, Final.TEST_ACCURACY, Final.HELD_OUT_ACCURACY),
    *(Final.TRAIN_ACCURACY, Final.GAP),
    *(Final.CV_LOSS, Final.TEST_LOSS, Final.HELD_OUT_LOSS, Final.TRAIN_LOSS),
)
_JUDGED_BY = (Final.CV_ACCURACY, Final.TEST_ACCURACY, Final.HELD_OUT_ACCURACY)
_SPREAD = re.compile(f"({Final.STD}|{Final.CI_LOW}|{Final.CI_HIGH})$")
_OF_A_LAYER = re.compile(r"_\d+$")


def place(name: str) -> tuple[int, str]:
    """Where a final number stands: those that people look for first, each with its spread."""
    places = [place for place, first in enumerate(_FIRST) if name.startswith(first)]
    return (places[0] if places else len(_FIRST)), name


def all_numbers(summary: Mapping[str, Interval]) -> dict[str, float]:
    """Every final number of the trial, under the names of metrics, in their order."""
    numbers = sorted(spread(summary), key=lambda number: place(number[0]))
    return {f"{Metric.FINAL}{name}": value for name, value in numbers}


def in_a_run(metric: str) -> bool:
    """Whether every run holds the metric of that name; earlier versions recorded more."""
    if metric in (Metric.SEEDS, Metric.DIVERGED_SEEDS):
        return False
    if not metric.startswith(Metric.FINAL):
        return True
    name = metric.removeprefix(Metric.FINAL)
    judged_by = _SPREAD.sub("", name) in _JUDGED_BY
    return judged_by or not (_SPREAD.search(name) or _OF_A_LAYER.search(name))
