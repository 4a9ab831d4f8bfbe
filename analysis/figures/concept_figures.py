"""Figures that explain: what dropout does inside a model, how rows fall into mini-batches.

Dimension letters: N rows, H hidden units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.penalty_figure import line
from analysis.plotting.panels import (
    Block,
    BlockPanel,
    Cell,
    LinePanel,
    MapPanel,
    Plot,
)
from analysis.reading.errors import STORE, Stop
from analysis.reading.sweep_record import SweepRecord
from trainables.data import load
from trainables.result import Array
from trainables.setting import Models, models_of, setting
from trainables.trial import Trial

LESSON_BATCH_SIZES = (2, 4, 8, 16, 32, 64)
LESSON_ROWS = 120
_ROWS = 150  # most dataset rows in the activation panels
_MASKS = 1000


def batches(record: SweepRecord | None) -> Plot:
    """How an epoch's training rows fall into mini-batches of each size."""
    sizes: Sequence[int] = LESSON_BATCH_SIZES
    rows, notes = LESSON_ROWS, ["no sweep 'batch_size' in the store: the lesson's sizes"]
    if record:
        sizes = sorted({trial.hyperparameters.batch_size for trial in record.manifest.trials})
        rows = int(record.manifest.dataset["train"])
        notes = [setting(models_of(record.manifest)), f"sweep {record.manifest.run_name}"]
    panel = BlockPanel(
        title=f"{rows} training rows, in the order of one epoch",
        x_label="row of the epoch's random order",
        y_label="batch size",
        blocks=tuple(block for size in sizes for block in cut(rows, size)),
    )
    return Plot(
        name="concepts_batches",
        title="How an epoch falls into mini-batches",
        subtitle="One box is one update of the weights. Hatched: the last batch that is not full, "
        "which drop_last leaves out; the order is new in each epoch, so it hits other rows.",
        panels=(panel,),
        notes=tuple(notes),
        run_ids=(record.run_id,) if record else (),
    )


def cut(rows: int, batch_size: int) -> list[Block]:
    """The mini-batches of `rows` rows; a last one that is not full is left out."""
    starts = range(0, rows, batch_size)
    stops = [min(start + batch_size, rows) for start in starts]
    return [
        Block(batch_size, start, stop, left_out=stop - start < batch_size)
        for start, stop in zip(starts, stops, strict=True)
    ]


def activations(record: SweepRecord | None) -> Plot:
    """Hidden activations of a model trained with dropout, without and with a random mask."""
    title = "What dropout does to the activations of a trained model"
    if record is None:
        missing = "no finished sweep 'dropout' in the store"
        panel = MapPanel("activations", "", "", "", (), "image", missing=missing)
        return Plot("concepts_activations", title, "", (panel,))
    inner = [trial for trial in record.configurations if 0 < trial.hyperparameters.dropout < 1]
    if not inner:
        raise Stop(STORE, f"{record.manifest.run_name} has no trial with a dropout between 0 and 1")
    trial = min(inner, key=lambda one: abs(one.hyperparameters.dropout - 0.5))
    p = trial.hyperparameters.dropout
    hidden = _hidden(record, trial)
    rng = np.random.default_rng(0)
    dropped = hidden * (rng.random(hidden.shape) >= p) / (1 - p)  # inverted dropout
    row = len(hidden) // 2
    masks = (rng.random((_MASKS, hidden.shape[1])) >= p) / (1 - p)
    units = np.arange(1, hidden.shape[1] + 1)
    run_id = record.run_of(trial)

    def image(title: str, values: Array) -> MapPanel:
        cells = tuple(
            Cell(unit, number, float(value), run_id=run_id)
            for number, line in enumerate(values, start=1)
            for unit, value in enumerate(line, start=1)
        )
        limits = (0.0, float(dropped.max()) or 1.0)
        return MapPanel(
            title, "hidden unit", "dataset row", "activation", cells, "image", limits=limits
        )

    panels = (
        image("evaluation: no unit dropped", hidden),
        image(f"one training pass: each dropped with p = {p:g}", dropped),
        LinePanel(
            title=f"dataset row {row + 1}",
            x_label="hidden unit",
            y_label="activation",
            series=(
                line("evaluation", units, hidden[row], run_id),
                line("one training pass", units, dropped[row], run_id),
                line(f"mean of {_MASKS} masks", units, (hidden[row] * masks).mean(0), run_id),
            ),
            style="points",
            joined=False,
        ),
    )
    return Plot(
        name="concepts_activations",
        title=title,
        subtitle=f"{record.manifest.dataset['name']}, the model of {trial.name}, seed "
        f"{trial.seeds[0]}. Survivors are scaled by 1 / (1 − p), so that the mean over many masks "
        "is what evaluation, which drops nothing, computes.",
        panels=panels,
        notes=(
            setting(Models([trial.hyperparameters])),
            f"sweep {record.manifest.run_name}, MLflow run {run_id}; masks drawn anew here",
        ),
        run_ids=(record.run_id,),
    )


def _hidden(record: SweepRecord, trial: Trial) -> Array:
    """(N, H): activations of the first hidden layer after ReLU for the rows of the dataset."""
    hyperparameters = trial.hyperparameters
    x = load(hyperparameters.dataset).x
    if hyperparameters.standardize:  # on all rows: close to the training rows of one seed
        x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    x = x[np.linspace(0, len(x) - 1, min(len(x), _ROWS)).astype(int)]
    weight, bias = (record.parameter(trial, f"0.{part}")[0] for part in ("weight", "bias"))
    hidden: Array = np.maximum(x @ weight.T + bias, 0)
    return hidden
