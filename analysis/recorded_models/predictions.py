"""What recorded models say of rows of their data, computed from their weights.

The data and each seed's split are not in the record, but follow from it: `trainables.data`. So
records of any age can be asked. What comes out is held against the accuracy that was recorded.

Dimension letters: S seeds, N rows, F features, H units of a layer, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.reading.errors import STORE, Stop
from analysis.reading.sweep_record import SweepRecord
from trainables import data
from trainables.record_format import Curve
from trainables.result import Array
from trainables.trial import Trial

_ROUNDING = 1.5  # rows: as many may fall to the other side where arithmetic differs in last bits

Classes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Models:
    """The models of a trial, by place of their seed.

    `layers`: weights (S, outputs, inputs) and biases (S, outputs) from the input up. `lasting`:
    (S,) whether the model did not diverge. `shift`, `scale`: (S, F), what takes a feature as it
    stands in the data to what the model is given: (x - shift) / scale.
    """

    layers: tuple[tuple[Array, Array], ...]
    lasting: NDArray[np.bool_]
    shift: Array
    scale: Array

    def predict(self, place: int, x: Array) -> Classes:
        """The class (N,) that one seed's model gives each of the rows `x` (N, F) of the data."""
        found: Classes = self.scores(place, x).argmax(axis=1)
        return found

    def scores(self, place: int, x: Array) -> Array:
        """The same model's scores (N, C) of the classes."""
        values = np.float32((x - self.shift[place]) / self.scale[place])
        *hidden, output = self.layers
        for weight, bias in hidden:
            values = np.maximum(values @ weight[place].T + bias[place], 0)
        weight, bias = output
        scores: Array = values @ weight[place].T + bias[place]
        return scores


def dataset_of(record: SweepRecord) -> data.Dataset:
    """The rows that the sweep was trained on; raises `Stop` where these are not at hand."""
    name, digest = (str(record.manifest.dataset[key]) for key in ("name", "digest"))
    try:
        dataset = data.load(name)
    except (ValueError, OSError) as error:
        raise Stop(STORE, f"the data of this sweep, {name}, are not here: {error}") from error
    if dataset.digest != digest:
        raise Stop(
            STORE,
            f"the data {name} are here with digest {dataset.digest}, the sweep was trained on "
            f"{digest}",
        )
    return dataset


def models_of(record: SweepRecord, trial: Trial) -> Models:
    """The models of a recorded trial, after their last epoch."""
    layers = tuple(
        (record.parameter(trial, f"{layer}.weight"), record.parameter(trial, f"{layer}.bias"))
        for layer in range(len(trial.hyperparameters.hidden) + 1)
    )
    dataset = dataset_of(record)
    shift = np.zeros((len(trial.seeds), dataset.x.shape[1]))
    scale = np.ones_like(shift)
    if trial.hyperparameters.standardize:
        for place, seeds in enumerate(trial.model_seeds()):
            x = _rows(dataset, trial, seeds[0]).x_train
            deviation = x.std(axis=0)
            shift[place] = x.mean(axis=0)
            scale[place] = np.where(deviation > 0, deviation, 1.0)
    lasting = np.isfinite(record.curve(trial, Curve.TEST_LOSS)).all(axis=1)
    return Models(layers, lasting, shift, scale)


def confusions(record: SweepRecord, trial: Trial) -> Array:
    """(S, C, C): of each model's test rows how many of each class (first) it takes for each.

    NaN for a model that diverged. Raises `Stop` where this is not what was recorded: the rows that
    are right have to be as many as the accuracy of the last epoch says.
    """
    dataset, models = dataset_of(record), models_of(record, trial)
    classes = len(dataset.class_names)
    counts = np.full((len(trial.seeds), classes, classes), np.nan)
    recorded = record.curve(trial, Curve.TEST_ACCURACY)[:, -1]
    for place, seeds in enumerate(trial.model_seeds()):
        if not models.lasting[place]:
            continue
        split = _rows(dataset, trial, seeds[0])
        taken_for = models.predict(place, split.x_test)
        both = split.y_test * classes + taken_for
        counts[place] = np.bincount(both, minlength=classes**2).reshape(classes, classes)
        right, rows = float(np.trace(counts[place])), len(split.y_test)
        if abs(right - recorded[place] * rows) > _ROUNDING:
            raise Stop(
                STORE,
                f"the recorded model of {trial.name}, seed {trial.seeds[place]}, is right on "
                f"{right:.0f} of {rows} test rows, the record says {recorded[place]:.1%}",
            )
    return counts


def _rows(dataset: data.Dataset, trial: Trial, seed: int) -> data.Split:
    """The rows that the split of that seed gives the trial's models, as they stand in the data."""
    return data.split(dataset, seed, replace(trial.hyperparameters, standardize=False))
