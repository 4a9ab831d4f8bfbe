"""One sentence for each kind of figure: what its numbers say, worked out from the record.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.figures.captions import MOST_LINES, spread, trial_label
from analysis.figures.comparison import Row, best, compare, reading
from analysis.figures.concept_figures import cut
from analysis.figures.weight_figure import shown, sparsity_and_norm
from analysis.plotting.wording import ONE_SEED, all_in_percent, with_interval
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.reaching import by_half, by_half_text, first_epochs
from analysis.stats.seeds import POSITIVE, SMOOTHING, Estimate, estimate
from trainables.record_format import Curve

# Of accuracy; speed is read at the first that half of the models of half of the lines reach.
LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5)


def accuracy_reading(record: SweepRecord) -> str:
    """The best configuration and its difference to the baseline."""
    return reading(record, compare(record))


def gap_reading(record: SweepRecord) -> str:
    """The generalization gap at the least and at the greatest value."""
    rows = [row for row in compare(record) if row.gap.mean is not None]
    if not rows:
        return "Every model diverged, so there is no gap."
    ends = [rows[0], rows[-1]] if len(rows) > 1 else rows
    said = [f"{_gap(row.gap)} at {trial_label(record, row.trial)}" for row in ends]
    return f"The gap, training minus test accuracy, is {' and '.join(said)}; {_best_gap(rows)}"


def _best_gap(rows: Sequence[Row]) -> str:
    top = best(rows)
    if top is None:  # not with rows that have a gap
        raise ValueError("needs a row with a mean")
    return f"the best mean test accuracy is at {top.trial.name}."


def speed_reading(record: SweepRecord) -> str:
    """By which epoch half of the models of each shown configuration have reached a level."""
    curves = {
        trial: record.curve(trial, Curve.TEST_ACCURACY) for trial in spread(record, MOST_LINES)
    }
    lasting = {trial: one for trial, one in curves.items() if np.isfinite(one).all(axis=1).any()}
    if not lasting:
        return "Every model diverged, so there is no curve."
    for level in LEVELS:
        epochs = {trial: first_epochs(one, level) for trial, one in lasting.items()}
        if 2 * sum(bool(np.isfinite(by_half(one))) for one in epochs.values()) >= len(epochs):
            break
    texts = [f"{trial_label(record, trial)}: {by_half_text(one)}" for trial, one in epochs.items()]
    return (
        f"Half of the models have reached {100 * level:g} % test accuracy (each one's moving "
        f"average of {SMOOTHING} epochs) by {'; '.join(texts)}."
    )


def loss_reading(record: SweepRecord) -> str:
    """The training loss of the last epoch, the lowest and the highest."""
    losses = [
        (found.mean, trial)
        for trial in record.configurations
        for found in [estimate(record.curve(trial, Curve.TRAIN_LOSS)[:, -1], POSITIVE)]
        if found.mean is not None
    ]
    if not losses:
        return "Every model diverged, so there is no loss."
    by_loss = sorted(losses, key=lambda pair: pair[0])
    said = [f"{loss:.4g} nats at {trial_label(record, trial)}" for loss, trial in by_loss]
    if len(said) == 1:
        return f"The mean training loss of the last epoch is {said[0]}."
    return (
        f"The mean training loss of the last epoch is lowest, {said[0]}, and highest, {said[-1]}."
    )


def weights_reading(records: Mapping[str, Sequence[SweepRecord]]) -> str:
    """Size and sparsity of the first-layer weights that the figure of them shows."""
    said = [_weights(field, mine) for field, mine in records.items() if mine]
    return " ".join(said) if said else "No sweep with a penalty is in the store."


def _weights(field: str, records: Sequence[SweepRecord]) -> str:
    found = shown(field, records)
    if found is None:
        return f"{field}: every model diverged."
    texts = []
    for trial in found.trials:
        near, norm = sparsity_and_norm(found.record, trial)
        texts.append(
            f"{trial_label(found.record, trial)}: "
            f"{with_interval(all_in_percent(near[:3]), '.2', ' %')} "
            f"of the weights near zero, norm {with_interval(norm[:3], '.3')}"
        )
    return f"{field}: {'; '.join(texts)} ({found.why})."


def batches_reading(record: SweepRecord) -> str:
    """The rows that drop_last leaves out of an epoch at each batch size."""
    rows = int(record.manifest.dataset["train"])
    sizes = sorted({trial.hyperparameters.batch_size for trial in record.manifest.trials})
    left = {
        size: sum(one.stop - one.start for one in cut(rows, size) if one.left_out) for size in sizes
    }
    said = "; ".join(f"size {size}: {lost}" for size, lost in left.items())
    return f"Rows of {rows} that an epoch leaves out: {said}."


def _gap(found: Estimate) -> str:
    return with_interval(all_in_percent(found[:3]), "+.2", " points", ONE_SEED)
