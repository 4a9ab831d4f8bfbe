"""Figures that explain: penalties, what dropout does inside a model, weights, mini-batches.

Dimension letters: S seeds, N rows, F features, H hidden units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.figures.captions import trial_label
from analysis.figures.comparison import swept
from analysis.plotting.panels import (
    Block,
    BlockPanel,
    Cell,
    LinePanel,
    MapPanel,
    Plot,
    Point,
    Remark,
    Series,
)
from analysis.reading.errors import STORE, Stop
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, POSITIVE, estimate
from trainables.record_format import Curve
from trainables.result import Array
from trainables.setting import Models, models_of, setting, settings
from trainables.trial import Trial

LESSON_BATCH_SIZES = (2, 4, 8, 16, 32, 64)
LESSON_ROWS = 120
_ROWS = 150  # most dataset rows in the activation panels
_MASKS = 1000


def penalties() -> Plot:
    """The shapes of equal penalty in a plane of two weights, and what a step of 0.1 saves."""
    angle = np.linspace(0, 2 * np.pi, 241)
    diamond = np.array([(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)], dtype=float)
    shapes = LinePanel(
        title="weights of equal penalty, 1",
        x_label="weight w₁",
        y_label="weight w₂",
        series=(
            _line("|w|  (L1)", diamond[:, 0], diamond[:, 1]),
            _line("w²  (L2)", np.cos(angle), np.sin(angle)),
        ),
        style="outline",
    )
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
        series=(
            _line("|w|  (L1)", weight, np.abs(weight)),
            _line("w²  (L2)", weight, weight**2),
        ),
        style="outline",
        remarks=tuple(remarks),
    )
    return Plot(
        name="concepts_penalties",
        title="Why L1 makes weights zero and L2 only makes them small",
        subtitle="Under |w| every step towards 0 saves the same; under w² ever less as w nears 0. "
        "The penalties without their factors: λ/2 for L2, λ / number of weights for L1.",
        panels=(shapes, slopes),
    )


def penalty_saved(start: float, end: float) -> tuple[float, float]:
    """What moving a weight from `start` to `end` saves under |w| and under w²."""
    return abs(start) - abs(end), start**2 - end**2


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
                _line("evaluation", units, hidden[row], run_id),
                _line("one training pass", units, dropped[row], run_id),
                _line(f"mean of {_MASKS} masks", units, (hidden[row] * masks).mean(0), run_id),
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
    from sklearn import datasets  # here: it takes a second that other figures do without

    hyperparameters = trial.hyperparameters
    x = getattr(datasets, f"load_{hyperparameters.dataset}")().data
    if hyperparameters.standardize:  # on all rows: close to the training rows of one seed
        x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    x = x[np.linspace(0, len(x) - 1, min(len(x), _ROWS)).astype(int)]
    weight, bias = (record.parameter(trial, f"0.{part}")[0] for part in ("weight", "bias"))
    hidden: Array = np.maximum(x @ weight.T + bias, 0)
    return hidden


def weights(records: dict[str, SweepRecord | None]) -> Plot:
    """First-layer weights by size: the baseline beside the strongest penalty of each kind."""
    panels = [_weight_panel(name, record) for name, record in records.items()]
    present = {name: record for name, record in records.items() if record}
    return Plot(
        name="concepts_weights",
        title="Sparse or distributed: the size of the first layer's weights",
        subtitle="Weights of each model sorted by size; mean over n models at each rank, "
        f"band: {METHOD} (none with one model)",
        panels=tuple(panels),
        notes=_weight_notes(present),
        run_ids=tuple(record.run_id for record in present.values()),
    )


def _weight_notes(records: Mapping[str, SweepRecord]) -> tuple[str, ...]:
    shared, own = settings({name: models_of(record.manifest) for name, record in records.items()})
    lines = [shared] if shared else []
    for name, record in records.items():
        setting = f"{name}: {', '.join(own[name].values())}; " if own[name] else ""
        lines.append(f"{setting}sweep {record.manifest.run_name}, MLflow run {record.run_id}")
    return tuple(lines)


def _weight_panel(name: str, record: SweepRecord | None) -> LinePanel:
    missing, series = f"no finished sweep '{name}' in the store", []
    if record:
        missing = ""
        lasting = [trial for trial in record.configurations if _lasting(record, trial)]
        shown = [trial for trial in lasting if trial == record.baseline]
        if lasting:
            shown.append(max(lasting, key=lambda trial: swept(record, trial)))
        for trial in dict.fromkeys(shown):
            models = np.abs(record.parameter(trial, "0.weight")).reshape(len(trial.seeds), -1)
            sizes = models[np.isfinite(record.curve(trial, Curve.TEST_LOSS)).all(axis=1)]
            by_rank = -np.sort(-sizes, axis=1)
            points = [
                Point(rank, found.mean, found.low, found.high, found.n, found.diverged, run_id)
                for rank, column in enumerate(by_rank.T, start=1)
                for found, run_id in [(estimate(column, POSITIVE), record.run_of(trial))]
                if found.mean is not None
            ]
            label = f"{name} = {trial_label(record, trial)}, n = {points[0].n}"
            series.append(Series(label, tuple(points)))
    return LinePanel(
        title=f"the sweep {name}",
        x_label="rank of the weight, largest first",
        y_label="size |w|",
        series=tuple(series),
        style="curve",
        y_scale="symlog",
        missing=missing or ("" if series else f"all models of '{name}' to compare diverged"),
    )


def _lasting(record: SweepRecord, trial: Trial) -> bool:
    """Whether any model of the trial did not diverge."""
    return bool(np.isfinite(record.curve(trial, Curve.TEST_LOSS)).all(axis=1).any())


def _line(label: str, x: Array, y: Array, run_id: str = "") -> Series:
    points = (Point(float(a), float(b), run_id=run_id) for a, b in zip(x, y, strict=True))
    return Series(label, tuple(points))
