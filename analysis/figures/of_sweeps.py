"""Which figures answer a sweep's question: declared here once for each sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.figures.by_sweep import (
    accuracy_against_epoch,
    accuracy_against_value,
    accuracy_map,
    loss_against_epoch,
)
from analysis.plotting.panels import Plot
from analysis.reading.sweep_record import SweepRecord


def plots_of(record: SweepRecord) -> list[Plot]:
    """The figures of that sweep; of one that is not in `PLOTS`: accuracy by value."""
    name = record.manifest.name
    if name in PLOTS:
        return PLOTS[name](record)
    title = f"Final accuracy of the sweep {name}"
    if len(record.manifest.axes) == 1:
        return [accuracy_against_value(record, title)]
    return [accuracy_map(record, title)]


def _batch_size(record: SweepRecord) -> list[Plot]:
    return [
        accuracy_against_epoch(record, "Learning with mini-batches of different size"),
        accuracy_against_value(record, "Final accuracy by batch size"),
    ]


def _dropout(record: SweepRecord) -> list[Plot]:
    return [
        accuracy_against_value(
            record, "Accuracy and generalization gap by dropout rate", second="gap"
        )
    ]


def _elastic_net(record: SweepRecord) -> list[Plot]:
    return [accuracy_map(record, "Test accuracy under L1 and L2 penalties together")]


def _l1(record: SweepRecord) -> list[Plot]:
    return [
        accuracy_against_epoch(record, "Learning under L1 penalties of different strength"),
        accuracy_against_value(record, "Final accuracy by strength of the L1 penalty"),
        loss_against_epoch(record, "Training loss under L1 penalties of different strength"),
    ]


def _l2(record: SweepRecord) -> list[Plot]:
    return [
        accuracy_against_epoch(record, "Learning under L2 penalties of different strength"),
        accuracy_against_value(record, "Final accuracy by strength of the L2 penalty"),
    ]


PLOTS: Mapping[str, Callable[[SweepRecord], list[Plot]]] = {
    "batch_size": _batch_size,
    "dropout": _dropout,
    "elastic_net": _elastic_net,
    "l1": _l1,
    "l2": _l2,
}
