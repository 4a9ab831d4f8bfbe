"""Why L1 makes weights zero and L2 only makes them small: a loss that meets a penalty."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from analysis.plotting.panels import LinePanel, Plot, Point, Remark, Series
from trainables.result import Array

_LEAST_AT = np.array([0.3, 1.6])  # the weights where the loss is least without any penalty
_HESSIAN = np.array([[1.0, 0.25], [0.25, 0.8]])  # of the loss, which is a quadratic form there
_CONTOURS = (0.35, 1.0, 2.0)  # of the loss that is least on the shape, on either side of it
_ANGLES = np.linspace(0, 2 * np.pi, 241)
_CORNERS = np.array([(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)], dtype=float)
L1, L2 = "|w|  (L1)", "w²  (L2)"


class Meeting(NamedTuple):
    """The weights of least loss on the `shape` (points, 2) of one penalty, and that loss."""

    shape: Array
    weights: Array
    loss: float


def penalties() -> Plot:
    """Weights of equal penalty with contours of a loss; the penalty of one weight."""
    weight = np.linspace(-2, 2, 201)
    remarks = []
    for start, end, y in ((1.5, 1.4, 3.3), (0.2, 0.1, 1.6)):
        absolute, square = penalty_saved(start, end)
        text = f"{start:g} → {end:g} saves\n{absolute:.2f} under |w|\n{square:.2f} under w²"
        remarks.append(Remark(0.0, y, text))
    slopes = LinePanel(
        title="the penalty of one weight",
        x_label="weight w",
        y_label="penalty",
        series=(line(L1, weight, np.abs(weight)), line(L2, weight, weight**2)),
        style="outline",
        remarks=tuple(remarks),
    )
    panels = (
        _meeting_panel("L1: least loss at a corner, where w₁ = 0", L1, meeting(_CORNERS)),
        _meeting_panel("L2: least loss where no weight is 0", L2, meeting(_circle())),
        slopes,
    )
    return Plot(
        name="concepts_penalties",
        title="Why L1 makes weights zero and L2 only makes them small",
        subtitle="Of the weights with a penalty of 1, those of least loss are where the shape "
        "meets the smallest contour: L1 has corners to be met at. Under |w| every step towards 0 "
        "saves the same; under w² ever less as w nears 0. The penalties without their factors: "
        "λ/2 for L2, λ / number of weights for L1. The loss is made up, a quadratic form.",
        panels=panels,
    )


def _meeting_panel(title: str, penalty: str, found: Meeting) -> LinePanel:
    contours = [line("equal loss", *_contour(share * found.loss).T) for share in _CONTOURS]
    (x, y), (x0, y0) = found.weights, _LEAST_AT
    return LinePanel(
        title=title,
        x_label="weight w₁",
        y_label="weight w₂",
        series=(
            line(penalty, *found.shape.T),
            *contours,
            line("least loss at this penalty", np.array([x]), np.array([y])),
            line("least loss without it", np.array([x0]), np.array([y0])),
        ),
        style="outline",
    )


def meeting(shape: Array) -> Meeting:
    """Where the loss is least on the closed outline `shape` (points, 2)."""
    between = np.linspace(0, 1, 101)[:, None]
    sides = [start + between * (end - start) for start, end in pairwise(shape)]
    dense = np.concatenate(sides)
    losses = loss(dense)
    place = int(losses.argmin())
    return Meeting(shape, dense[place], float(losses[place]))


def loss(weights: Array) -> Array:
    """Of each pair of `weights` (N, 2), above the least that there is."""
    away = weights - _LEAST_AT
    found: Array = np.einsum("ni,ij,nj->n", away, _HESSIAN, away)
    return found


def _contour(level: float) -> Array:
    """(points, 2): the weights of that loss, an ellipse."""
    # With H = R'R the loss is |R (w - w0)|², so a circle there is a contour here.
    root = np.linalg.cholesky(_HESSIAN).T
    contour: Array = _LEAST_AT + level**0.5 * np.linalg.solve(root, _circle().T).T
    return contour


def _circle() -> Array:
    return np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


def penalty_saved(start: float, end: float) -> tuple[float, float]:
    """What moving a weight from `start` to `end` saves under |w| and under w²."""
    return abs(start) - abs(end), start**2 - end**2


def line(label: str, x: Array, y: Array, run_id: str = "") -> Series:
    """Plain numbers as a series, none with an interval."""
    points = (Point(float(a), float(b), run_id=run_id) for a, b in zip(x, y, strict=True))
    return Series(label, tuple(points))
