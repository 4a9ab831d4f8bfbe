"""How large weights are at the end of training, and how many of them are near zero.

Dimension letters: S seeds, O outputs and I inputs of a layer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from analysis.reading.sweep_record import SweepRecord
from trainables.record_format import Curve, Final
from trainables.result import NEAR_ZERO, Array, Trained, TrialResult
from trainables.trial import Trial

MANY = 10.0  # percent of the weights: as many are many, fewer are few
_SILENT = 1e-3  # of the layer's strongest unit


class Weights(NamedTuple):
    """Of the weights after the last epoch, (S,) each; NaN for a model that diverged.

    `norm`: of all weights. `zeros`: percent of them near zero, below 1/1000 of their layer's
    largest. `live_zeros`: the same of those that no silent unit has. `silent`: percent of the
    hidden units that are silent: the size of what comes in times that of what goes out is below
    1/1000 of the layer's strongest unit's. With a penalty on all weights, that is what becomes of
    units which no row activates any more: all that they have decays.
    """

    norm: Array
    zeros: Array
    live_zeros: Array
    silent: Array


def weights(record: SweepRecord, trial: Trial) -> Weights:
    """Those of every seed's model."""
    layers = range(len(trial.hyperparameters.hidden) + 1)
    names = [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    trained = Trained(
        {name: record.curve(trial, name) for name in (Curve.TRAIN_ACCURACY, Curve.TEST_ACCURACY)},
        {name: record.parameter(trial, name) for name in names},
    )
    finals = TrialResult(trial, trained, 0.0, "").finals(record.manifest.summary_epochs)
    sizes = [np.abs(np.float64(trained.parameters[f"{layer}.weight"])) for layer in layers]
    live_zeros, silent = _of_live_units(sizes)
    sound = np.isfinite(record.final(trial, Curve.TEST_ACCURACY))
    found = (finals[Final.WEIGHT_NORM], 100 * finals[Final.SPARSITY], live_zeros, silent)
    return Weights(*(np.where(sound, each, np.nan) for each in found))


def _of_live_units(sizes: list[Array]) -> tuple[Array, Array]:
    """Percent near zero of the weights (S, O, I), by layer, that no silent unit has; of units, how
    many percent are silent.
    """
    alive = [np.ones((len(sizes[0]), sizes[0].shape[2]), dtype=bool)]  # (S, units), inputs first
    for below, above in pairwise(sizes):
        strength = np.linalg.norm(below, axis=2) * np.linalg.norm(above, axis=1)
        alive.append(strength >= _SILENT * strength.max(axis=1, keepdims=True))
    alive.append(np.ones((len(sizes[0]), sizes[-1].shape[1]), dtype=bool))
    near, count = np.zeros(len(sizes[0])), np.zeros(len(sizes[0]))
    for size, inputs, outputs in zip(sizes, alive, alive[1:], strict=False):
        live = outputs[:, :, None] & inputs[:, None, :]
        zero = size < NEAR_ZERO * size.max(axis=(1, 2), keepdims=True)
        near += ((zero | (size == 0)) & live).sum(axis=(1, 2))
        count += live.sum(axis=(1, 2))
    hidden = np.concatenate(alive[1:-1], axis=1) if len(alive) > 2 else np.ones((len(near), 1))
    return 100 * near / np.maximum(count, 1), 100 * (1 - hidden.mean(axis=1))
