"""What the slider moves: everything that the page holds of one sweep, ready for JSON.

Large arrays are base64 of little-endian numbers; what they hold is said beside each.

Dimension letters: V values of the swept hyperparameter, K models of a value that can be chosen,
P parameters of a model, C classes, G steps of the plane's side.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.figures.captions import notes, spread
from analysis.figures.comparison import compare, value_text
from analysis.playground_page.numbers_of_values import numbers
from analysis.reading.dataset_rows import rows_of
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.recorded_models.networks import Networks, networks, shares_of_seeds
from analysis.recorded_models.plane import Plane, plane_of_features, plane_of_most_variance
from analysis.stats.seeds import METHOD
from trainables.data import Dataset
from trainables.result import Array

MOST_VALUES = 100  # steps of the slider
MOST_SEEDS = 50  # models of a value that can be chosen
_FINEST, _COARSEST = 64, 24  # steps of the plane's side
_FOR_SHARES = 0.4  # of the room, at most
_TEXT = 4 / 3  # bytes of base64 for each of an array


def require_one_number(record: SweepRecord) -> None:
    """Raises `Stop` unless the sweep varies one number."""
    fields = [axis.field for axis in record.manifest.axes]
    values = record.manifest.trials[0].hyperparameters.as_dict()
    if len(fields) != 1 or type(values[fields[0]]) not in (int, float):
        raise Stop(
            BAD_INPUT,
            "the playground needs a sweep of one number, such as l2 or dropout, got "
            f"{record.manifest.run_name}, which varies {', '.join(fields) or 'nothing'}",
        )


def moved_values(record: SweepRecord, features: Sequence[str], room: int) -> dict[str, Any]:
    """All of the sweep in about `room` bytes; raises `Stop` where not one seed has room.

    `features`: the two that span the plane; empty for the first two principal components.
    """
    dataset = rows_of(record)
    shown = spread(record, MOST_VALUES)
    standardized = shown[0].hyperparameters.standardize
    plane = (
        plane_of_features(dataset, features)
        if features
        else plane_of_most_variance(dataset, standardized)
    )
    models = [networks(record, trial, dataset) for trial in shown]
    classes = len(dataset.class_names)
    side = _side(room, len(shown) * classes)
    shares = np.array([shares_of_seeds(each, plane, side, classes) for each in models])
    each_seed = len(shown) * (models[0].packed(1).nbytes * _TEXT + 40)
    others = len(_text(shares)) + 20 * len(dataset.y) + 600 * len(shown) + 5_000
    kept = _kept(record, room - others, each_seed)
    axis, window = record.manifest.axes[0], record.manifest.summary_epochs
    rows = {row.trial.key: row for row in compare(record)}
    return {
        "name": record.manifest.name,
        "run_name": record.manifest.run_name,
        "label": axis.label,
        "values": [value_text(record, trial) for trial in shown],
        "baseline": shown.index(record.baseline) if record.baseline in shown else None,
        "of_values": len(record.configurations),
        "notes": list(notes(record)),
        "partial": record.partial,
        "window": f"mean of epochs {window.start + 1} to {window.stop}",
        "method": METHOD,
        "of_seeds": len(shown[0].seeds),
        "seeds": list(shown[0].seeds[:kept]),
        "features": list(dataset.feature_names),
        "classes": list(dataset.class_names),
        "shapes": [list(weight.shape[1:]) for weight in models[0].weights],
        # (V, K, P) float32: of each layer the weights, row by row, then the biases
        "parameters": _text(np.array([each.packed(kept) for each in models])),
        "scaling": _scaling(models[0], kept),
        "plane": _plane(plane, side, dataset),
        # (V, C, G, G) uint8: the share of seeds in 255ths, from the plane's lower left corner
        "shares": _text(shares),
        "numbers": [
            numbers(record, rows[trial.key], each, kept)
            for trial, each in zip(shown, models, strict=True)
        ],
    }


def _side(room: int, maps: int) -> int:
    fits = int((room * _FOR_SHARES / _TEXT / maps) ** 0.5)
    return max(min(fits, _FINEST), _COARSEST)


def _kept(record: SweepRecord, room: float, each: float) -> int:
    """How many seeds have room, `each` of so many bytes."""
    fits = int(room // each)
    if fits < 1:
        raise Stop(
            BAD_INPUT,
            f"the playground has {max(room, 0) / 1e6:.1f} MB for weights of "
            f"{record.manifest.run_name}, and one seed's take {each / 1e6:.1f} MB: give one sweep "
            "alone, of a smaller network or of fewer values",
        )
    return min(fits, len(record.manifest.trials[0].seeds), MOST_SEEDS)


def _text(values: Array) -> str:
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode()


def _scaling(models: Networks, kept: int) -> dict[str, str]:
    """How each seed's inputs are shifted and scaled, (K, F) float64: the same at every value."""
    return {"mean": _text(models.mean[:kept]), "deviation": _text(models.deviation[:kept])}


def _plane(plane: Plane, side: int, dataset: Dataset) -> dict[str, Any]:
    return {
        "about": plane.about,
        "labels": list(plane.labels),
        "origin": plane.origin.tolist(),
        "along": plane.along.tolist(),
        "low": plane.low.tolist(),
        "high": plane.high.tolist(),
        "side": side,
        "points": np.round(plane.points, 3).tolist(),
        "of_class": dataset.y.tolist(),
    }
