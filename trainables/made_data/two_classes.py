"""Two classes that few training rows are not enough to tell apart: moons, and many idle inputs."""

from __future__ import annotations

import numpy as np

from trainables.made_data.made import Made, made

INFORMATIVE = 5  # inputs of `wide` that tell the classes apart, the first ones
_SHIFT = 0.8  # half the distance of the classes' means in each of them, in deviations


def moons() -> Made:
    """Two half moons that noise makes overlap: scikit-learn's `make_moons`, seed 0."""
    from sklearn.datasets import make_moons  # here, because it takes a second

    x, y = make_moons(240, noise=0.3, random_state=0)
    return made(x, y, ("upper", "lower"), ("x", "y"))


def wide() -> Made:
    """220 rows of 200 standard normal inputs; in the first `INFORMATIVE` the classes' means differ.

    With all that can be known, 96 % can be told apart: Φ(√5 · 0.8).
    """
    rows, inputs = 220, 200
    random = np.random.RandomState(1)
    y = np.arange(rows) % 2
    x = random.normal(size=(rows, inputs))
    x[:, :INFORMATIVE] += _SHIFT * (2 * y - 1)[:, None]
    names = (
        *(f"informative {i + 1}" for i in range(INFORMATIVE)),
        *(f"idle {i + 1}" for i in range(inputs - INFORMATIVE)),
    )
    return made(x, y, ("low", "high"), names)
