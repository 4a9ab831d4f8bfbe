"""The sweeps that show where regularization helps: `sweeps/lesson.py --where-it-helps`.

Each tries dropout, L1, L2 and noise on the inputs one at a time, on a data set that a network
learns by heart without them, and on Iris, which it does not. `analysis/helping` reads them.
"""

from __future__ import annotations

from sweeps.lesson_parts import LessonPart

# Strengths go from hardly any to too much; every data set has the same.
_STRENGTHS = (
    *("--dropout", "0", "0.1", "0.2", "0.35", "0.5", "0.8"),
    *("--l1", "0", "3", "10", "30", "100", "300"),
    *("--l2", "0", "0.003", "0.01", "0.03", "0.1", "0.3"),
    *("--noise", "0", "0.2", "0.4", "0.7", "1", "1.5"),
)


def _part(dataset: str, why: str, training: str) -> LessonPart:
    """On that data set, its inputs standardised; `training`: the flags that all networks share."""
    common = ("--dataset", dataset, "--standardize", "--one-at-a-time")
    flags = (*common, *_STRENGTHS, *training.split())
    return LessonPart(f"helps-{dataset}", "seeds", flags, why)


# Epochs enough for a network without regularization to be right on all rows that it trains on.
HELPING_PARTS = (
    _part(
        "iris",
        "the lesson's data, where there is little to gain",
        "--epochs 200 --lr 0.05",
    ),
    _part(
        "moons",
        "two noisy moons, 40 rows to train on",
        "--hidden 64 64 --epochs 300 --lr 0.1 --batch-size 8",
    ),
    _part(
        "digits_100",
        "digits, 100 rows to train on",
        "--hidden 64 --epochs 150 --lr 0.05 --batch-size 10",
    ),
    _part(
        "wide",
        "200 inputs, five of which matter, 20 rows to train on",
        "--hidden 64 --epochs 150 --lr 0.02 --batch-size 4",
    ),
    _part(
        "strokes",
        "ten shapes deformed as in MNIST-1D, 200 rows to train on",
        "--hidden 64 --epochs 100 --lr 0.05 --batch-size 20",
    ),
)
