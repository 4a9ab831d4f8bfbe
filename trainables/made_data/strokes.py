"""Ten one-dimensional shapes, deformed as in MNIST-1D: small, and hard for a dense network.

Source of the method: Greydanus and Kobak, "Scaling down deep learning with MNIST-1D" (2020; ICML
2024). A template of 12 points is padded, scaled, sheared, moved, given correlated and independent
noise and resampled at 40 points. The templates are this project's own, and shapes are moved less
far, since few rows train: numbers that others report for MNIST-1D are not to be expected here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainables.made_data.made import Made, made

# Heights of each shape at 12 equal steps; their mean is taken off before they are used.
_TEMPLATES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("arch", (0, 4, 7, 8, 9, 9, 9, 9, 8, 7, 4, 0)),
    ("step", (0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9)),
    ("ramp", (0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9)),
    ("valley", (9, 7, 5, 3, 2, 0, 0, 2, 3, 5, 7, 9)),
    ("two peaks", (0, 4, 9, 4, 1, 0, 0, 1, 4, 9, 4, 0)),
    ("wave", (5, 8, 9, 8, 5, 2, 0, 2, 5, 8, 9, 8)),
    ("late peak", (0, 0, 1, 1, 2, 2, 3, 5, 9, 5, 2, 0)),
    ("early peak", (0, 2, 5, 9, 5, 3, 2, 2, 1, 1, 0, 0)),
    ("teeth", (0, 6, 0, 7, 0, 8, 0, 9, 0, 9, 0, 9)),
    ("stairs", (0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9)),
)
_ROWS, _POINTS = 600, 40
_PADDING = (36, 60)  # points, least and most
_SCALE, _SHEAR = 0.4, 0.75  # most by which the height is scaled, or raised from end to end
_CORRELATED, _INDEPENDENT = 0.25, 0.02  # deviations of the noises
_MOVED = 4  # points, most to either side of the middle
_BLUR = 2.0  # points over which the correlated noise is smoothed


def strokes() -> Made:
    """600 rows of 40 points, 60 of each of the ten shapes; numbers from seed 2."""
    random = np.random.RandomState(2)
    y = np.arange(_ROWS) % len(_TEMPLATES)
    x = np.array([_deformed(_TEMPLATES[shape][1], random) for shape in y])
    names = tuple(f"point {i + 1}" for i in range(_POINTS))
    return made(x, y, tuple(name for name, _ in _TEMPLATES), names)


def _deformed(template: tuple[int, ...], random: np.random.RandomState) -> NDArray[np.float64]:
    """(40,): the shape at a random place, height and slant, with noise."""
    heights = np.array(template, dtype=np.float64)
    heights = (heights - heights.mean()) / heights.std()
    padding = random.randint(_PADDING[0], _PADDING[1] + 1)
    line = np.pad(heights, (padding // 2, padding - padding // 2))
    points = len(line)
    line *= 1 + _SCALE * random.uniform(-1, 1)
    line = np.roll(line, random.randint(-_MOVED, _MOVED + 1))
    line += _SHEAR * random.uniform(-1, 1) * np.linspace(-1, 1, points)
    around = np.arange(points) - np.arange(points)[:, None]
    blur = np.exp(-(around**2) / (2 * _BLUR**2))
    smooth = blur @ random.normal(size=points)
    line += _CORRELATED * smooth / smooth.std() + _INDEPENDENT * random.normal(size=points)
    places = np.linspace(0, points - 1, _POINTS)
    resampled: NDArray[np.float64] = np.interp(places, np.arange(points), line)
    return resampled
