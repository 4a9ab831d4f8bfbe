"""The sweeps that show where regularization helps: `sweeps/lesson.py --where-it-helps`.

Each tries dropout, L1, L2 and noise on the inputs one at a time, on a data set that a network
learns by heart without them, and on Iris, which it does not. `analysis/helping` reads them.

Early stopping needs rows that neither train nor judge: a second sweep of each data set trains the
network without regularization once more, and besides it a model for each fold of the training rows.
Its test accuracies are those of the first to the last bit.
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


_FOLDS = ("--folds", "5")


def _parts(dataset: str, why: str, training: str) -> tuple[LessonPart, LessonPart]:
    """On that data set, its inputs standardised; `training`: the flags that all networks share."""
    data, shared = ("--dataset", dataset, "--standardize"), training.split()
    stops = f"{dataset} without regularization, with folds to stop by"
    return (
        LessonPart(
            f"helps-{dataset}", "seeds", (*data, "--one-at-a-time", *_STRENGTHS, *shared), why
        ),
        LessonPart(f"stops-{dataset}", "seeds", (*data, *shared, *_FOLDS), stops),
    )


# Epochs enough for a network without regularization to be right on all rows that it trains on.
HELPING_PARTS = (
    *_parts(
        "iris",
        "the lesson's data, where there is little to gain",
        "--epochs 200 --lr 0.05",
    ),
    *_parts(
        "moons",
        "two noisy moons, 40 rows to train on",
        "--hidden 64 64 --epochs 300 --lr 0.1 --batch-size 8",
    ),
    *_parts(
        "digits_100",
        "digits, 100 rows to train on",
        "--hidden 64 --epochs 150 --lr 0.05 --batch-size 10",
    ),
    *_parts(
        "wide",
        "200 inputs, five of which matter, 20 rows to train on",
        "--hidden 64 --epochs 150 --lr 0.02 --batch-size 4",
    ),
    *_parts(
        "strokes",
        "ten shapes deformed as in MNIST-1D, 200 rows to train on",
        "--hidden 64 --epochs 100 --lr 0.05 --batch-size 20",
    ),
)
