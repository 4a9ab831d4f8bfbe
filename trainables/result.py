"""What training yields: curves and final parameters, for a pack and for one trial.

Dimension letters: M models, S seeds, E epochs, L linear layers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trainables.record_format import Column, Curve, Final
from trainables.trial import Trial

# Accuracies are shares from 0 to 1, losses mean cross-entropy in nats without penalty terms.
# `train/` and `test/` are taken after each epoch with dropout off; `batch_` ones are means over the
# epoch's mini-batches as they were trained on, dropout on, each before its update.
CURVES = (
    Curve.TRAIN_ACCURACY,
    Curve.TEST_ACCURACY,
    Curve.TRAIN_LOSS,
    Curve.TEST_LOSS,
    Curve.TRAIN_BATCH_ACCURACY,
    Curve.TRAIN_BATCH_LOSS,
)
# Where rows are held out besides: on those rows, as the `test/` ones are on theirs. NaN from where
# the model diverged or its loss on them is not finite, which decides nothing else.
HELD_OUT_CURVES = (Curve.HELD_OUT_ACCURACY, Curve.HELD_OUT_LOSS)
# Of trials with folds besides: the `test/` curves of a seed's fold models, on the rows that each
# did not train on, averaged over the folds. NaN from where any of the fold models diverged.
CV_CURVES = (Curve.CV_ACCURACY, Curve.CV_LOSS)
NEAR_ZERO = 1e-3  # a weight counts as zero under this share of its layer's largest

Array = NDArray[np.floating]


def curves_of(hold_out: float, folds: int = 0) -> tuple[str, ...]:
    """The names of what models have at every epoch, given the share of rows that are held out."""
    held_out, cv = HELD_OUT_CURVES if hold_out else (), CV_CURVES if folds else ()
    return (*CURVES, *held_out, *cv)


def recorded_curves(columns: Collection[str]) -> tuple[str, ...]:
    """`CURVES`, and of `HELD_OUT_CURVES` and `CV_CURVES` those among these columns of a table."""
    return (*CURVES, *(name for name in (*HELD_OUT_CURVES, *CV_CURVES) if name in columns))


@dataclass(frozen=True, eq=False)
class Trained:
    """Trained models: `curves` by metric, (M, E); `parameters` by name, (M, …).

    Curves are those of `CURVES`, where rows are held out those of `HELD_OUT_CURVES`, and of a trial
    with folds those of `CV_CURVES` too, which are of other models than the rest: either may be NaN
    without the other.

    Parameters are named `0.weight` (M, outputs, inputs) and `0.bias` (M, outputs) for the linear
    layer next to the input, `1.weight`, … for those above. A model whose loss stops being finite
    has diverged: from that epoch on all its `CURVES` are NaN.
    """

    curves: Mapping[str, Array]
    parameters: Mapping[str, Array]

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """(M,): whether a model's loss was ever not finite."""
        return np.asarray(np.isnan(self.curves[Curve.TEST_LOSS]).any(axis=1))

    def take(self, models: NDArray[np.int64] | list[int]) -> Trained:
        """The models of those indices, in that order."""
        return Trained(
            {name: values[models] for name, values in self.curves.items()},
            {name: values[models] for name, values in self.parameters.items()},
        )


def mark_divergence(curves: Mapping[str, Array]) -> None:
    """Sets models' curves (M, E) to NaN, in place, from the first epoch with a loss not finite.

    Accuracy would otherwise go on as a plausible number: the class that an argmax over NaN gives.
    """
    losses = np.isfinite([curves[name] for name in CURVES if name.endswith("loss")])
    lost = np.logical_or.accumulate(~losses.all(axis=0), axis=1)
    for values in curves.values():
        values[lost] = np.nan
    if Curve.HELD_OUT_LOSS in curves:  # which is no reason to take a model out of any choice
        lost = np.logical_or.accumulate(~np.isfinite(curves[Curve.HELD_OUT_LOSS]), axis=1)
        for name in HELD_OUT_CURVES:
            curves[name][lost] = np.nan


class Interval(NamedTuple):
    """Mean over seeds, sample standard deviation and 95 % confidence interval of the mean.

    With one seed the last three are None: one number has no spread.
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None


def interval(values: Array, together: int = 1) -> Interval:
    """Student's t interval for the mean of `values` (S,), as if seeds were independent draws.

    `together`: of so many intervals all hold at once in 95 % (Bonferroni's inequality). Source:
    Student (1908), "The probable error of a mean". All NaN when any value is NaN.
    """
    if len(values) == 0:
        raise ValueError("an interval needs at least one value, got none")
    if len(values) == 1:
        return Interval(float(values[0]), None, None, None)
    values = np.asarray(values, dtype=np.float64)
    mean = float(values.mean())
    from scipy.special import stdtrit  # here: the trainers do without scipy

    std = float(values.std(ddof=1))
    half = float(stdtrit(len(values) - 1, 1 - 0.025 / together)) * std / len(values) ** 0.5
    return Interval(mean, std, mean - half, mean + half)


@dataclass(frozen=True, eq=False)
class TrialResult:
    """A trained trial: model i of `trained` was trained with `trial.seeds[i]`.

    `seconds`: its share of the pack's training time. `device`: `cpu` or a CUDA device's name.
    `arithmetic`: what decided the last bits where it was trained, see `trainables.installation`;
    empty in results of before this was kept, and in those read back from tables.
    """

    trial: Trial
    trained: Trained
    seconds: float
    device: str
    arithmetic: Mapping[str, str] = field(default_factory=dict)

    def final(self, curve: str, summary_epochs: range) -> Array:
        """(S,) float64: the mean of that curve over the epochs, counted from 0, for each seed."""
        window = slice(summary_epochs.start, summary_epochs.stop)
        values: Array = self.trained.curves[curve][:, window].astype(np.float64).mean(axis=1)
        return values

    def finals(self, summary_epochs: range) -> dict[str, Array]:
        """One number per seed, (S,) float64, by name, for everything that a trial is judged by.

        Curves give their mean over `summary_epochs` (counted from 0); `generalization_gap` is
        train minus test accuracy of the same epochs; `weight_norm` is the root of the summed
        squares of all weights (biases left out) after the last epoch and `sparsity` the share of
        weights under 1e-3 of their layer's largest, each also per linear layer (`…_0` first).
        """
        if summary_epochs.stop > self.trial.hyperparameters.epochs or not summary_epochs:
            raise ValueError(f"{summary_epochs} is not within {self.trial.hyperparameters.epochs}")
        finals = {Final.of(name): self.final(name, summary_epochs) for name in self.trained.curves}
        finals[Final.GAP] = finals[Final.TRAIN_ACCURACY] - finals[Final.TEST_ACCURACY]
        norms, near_zero, counts = [], [], []
        for number, weight in enumerate(_weights(self.trained.parameters)):
            flat = np.abs(weight.reshape(len(weight), -1).astype(np.float64))
            norms.append((flat**2).sum(axis=1))
            largest = flat.max(axis=1, keepdims=True)
            small = (flat < NEAR_ZERO * largest) | (flat == 0)
            near_zero.append(np.where(np.isfinite(largest[:, 0]), small.sum(axis=1), np.nan))
            counts.append(flat.shape[1])
            finals[f"{Final.WEIGHT_NORM}_{number}"] = np.sqrt(norms[-1])
            finals[f"{Final.SPARSITY}_{number}"] = near_zero[-1] / counts[-1]
        finals[Final.WEIGHT_NORM] = np.sqrt(np.sum(norms, axis=0))
        finals[Final.SPARSITY] = np.sum(near_zero, axis=0) / sum(counts)
        return finals


def _weights(parameters: Mapping[str, Array]) -> list[Array]:
    layers = len(parameters) // 2
    return [parameters[f"{number}.weight"] for number in range(layers)]


def to_bytes(results: list[TrialResult]) -> bytes:
    """Trial results as an Arrow stream, which crosses processes and keeps every bit."""
    table = to_arrow(results)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_bytes(content: bytes) -> list[TrialResult]:
    """The inverse of `to_bytes`."""
    with pa.ipc.open_stream(content) as reader:
        return from_arrow(reader.read_all())


def to_arrow(results: list[TrialResult]) -> pa.Table:
    """One row per model: trial, seed, each curve and each parameter as a list, exact to the bit.

    The trial, which names all of its seeds, and its arithmetic stand in its first row alone.
    """
    columns: dict[str, list[object]] = {}
    for result in results:
        for index, seed in enumerate(result.trial.seeds):
            row: dict[str, object] = {
                "trial": json.dumps(result.trial.as_dict()) if index == 0 else "",
                "seed": seed,
                "seconds": result.seconds,
                "device": result.device,
                "arithmetic": json.dumps(dict(result.arithmetic)) if index == 0 else "",
            }
            for name, values in result.trained.curves.items():
                row[name] = values[index]
            for name, values in result.trained.parameters.items():
                row[name] = values[index].ravel()
                row[f"{name}{Column.SHAPE}"] = list(values[index].shape)
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def from_arrow(table: pa.Table) -> list[TrialResult]:
    """The inverse of `to_arrow`."""
    results = []
    trials = table.column("trial").to_pylist()
    # Results that an earlier version kept on disk have the trial in all of its rows.
    starts = [i for i, trial in enumerate(trials) if trial and (i == 0 or trial != trials[i - 1])]
    shapes = [name for name in table.column_names if name.endswith(Column.SHAPE)]
    parameter_names = [name.removesuffix(Column.SHAPE) for name in shapes]
    sizes = {name: table.column(f"{name}{Column.SHAPE}").to_pylist() for name in parameter_names}
    curve_names = recorded_curves(table.column_names)
    lists = {name: _Lists(table, name) for name in (*curve_names, *parameter_names)}
    seconds, devices = (table.column(name).to_pylist() for name in ("seconds", "device"))
    known = "arithmetic" in table.column_names  # else an earlier version kept them
    arithmetics = table.column("arithmetic").to_pylist() if known else ["{}"] * len(trials)
    for start, stop in zip(starts, [*starts[1:], len(trials)], strict=True):
        curves = {name: lists[name].rows(start, stop, [-1]) for name in curve_names}
        parameters = {
            name: lists[name].rows(start, stop, sizes[name][start]) for name in parameter_names
        }
        results.append(
            TrialResult(
                trial=Trial.from_dict(json.loads(trials[start])),
                trained=Trained(curves, parameters),
                seconds=seconds[start],
                device=devices[start],
                arithmetic=json.loads(arithmetics[start]),
            )
        )
    return results


class _Lists:
    """A column of lists, as arrays without copying."""

    def __init__(self, table: pa.Table, name: str) -> None:
        column = table.column(name).combine_chunks()
        self._values = column.flatten().to_numpy(zero_copy_only=False)
        self._offsets = column.offsets.to_numpy() - column.offsets[0].as_py()

    def rows(self, start: int, stop: int, shape: list[int]) -> Array:
        """Those rows, each of `shape`."""
        values: Array = self._values[self._offsets[start] : self._offsets[stop]]
        return values.reshape(stop - start, *shape)
