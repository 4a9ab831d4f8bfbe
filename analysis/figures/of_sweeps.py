"""Which figures answer a sweep's question, and what each says: declared here once, for the sweep's
own script, for exports and for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from analysis.figures.boundary_figures import decision_boundaries
from analysis.figures.by_sweep import (
    accuracy_against_epoch,
    accuracy_against_value,
    loss_against_epoch,
)
from analysis.figures.confusion_figures import confusion_matrices
from analysis.figures.maps import accuracy_map
from analysis.figures.path_figures import coefficient_paths
from analysis.figures.readings import (
    accuracy_reading,
    gap_reading,
    loss_reading,
    speed_reading,
)
from analysis.figures.sparsity_figures import (
    weights_against_value,
    weights_against_value_reading,
)
from analysis.plotting.panels import Plot
from analysis.reading.sweep_record import SweepRecord


class SweepFigure(NamedTuple):
    """A figure of a sweep.

    `draw` gives its values, `reading` the sentence that says what they say. `lesson`: what the
    figure of the lesson showed; with it the figure stands in the report, in the place of the sweep
    that plays the role of that name.
    """

    draw: Callable[[SweepRecord], Plot]
    reading: Callable[[SweepRecord], str] = accuracy_reading
    lesson: str = ""


def _what_models_say(under: str) -> tuple[SweepFigure, ...]:
    """Which classes are taken for which, and where the boundaries are, `under` what was swept."""
    return (
        SweepFigure(
            lambda record: confusion_matrices(
                record, f"Which class is taken for which under {under}"
            )
        ),
        SweepFigure(
            lambda record: decision_boundaries(record, f"Decision boundaries under {under}")
        ),
    )


FIGURES: Mapping[str, tuple[SweepFigure, ...]] = {
    "dropout": (
        SweepFigure(
            lambda record: accuracy_against_epoch(
                record, "Learning with dropout of different rate"
            ),
            speed_reading,
            "No curves: the lesson has final accuracies of dropout alone.",
        ),
        SweepFigure(
            lambda record: accuracy_against_value(
                record, "Accuracy and generalization gap by dropout rate", second="gap"
            ),
            gap_reading,
            "Training and test accuracy against eleven dropout rates, and their gap: the best "
            "accuracy without dropout, both falling as the rate rises.",
        ),
        *_what_models_say("dropout of different rates"),
    ),
    "l2": (
        SweepFigure(
            lambda record: accuracy_against_epoch(
                record, "Learning under L2 penalties of different strength"
            ),
            speed_reading,
            "Accuracy by epoch, one smoothed line for each of seven λ: no clear order of the "
            "lines, but λ near 0.1 below the others.",
        ),
        SweepFigure(
            lambda record: accuracy_against_value(
                record, "Final accuracy by strength of the L2 penalty"
            ),
            accuracy_reading,
            "Mean accuracy of the late epochs against λ: no clear trend at small λ, a loss "
            "at large ones.",
        ),
        SweepFigure(
            lambda record: weights_against_value(
                record, "Weights near zero, and the size of all, by strength of the L2 penalty"
            ),
            weights_against_value_reading,
            "No figure: the lesson says that L2 shrinks all weights and few reach zero.",
        ),
        SweepFigure(
            lambda record: coefficient_paths(
                record, "The first layer's weights as the L2 penalty grows"
            )
        ),
        *_what_models_say("L2 penalties of different strength"),
    ),
    "l1": (
        SweepFigure(
            lambda record: accuracy_against_epoch(
                record, "Learning under L1 penalties of different strength"
            ),
            speed_reading,
            "Accuracy by epoch, one smoothed line for each of ten λ: larger λ perhaps faster "
            "in the first epochs.",
        ),
        SweepFigure(
            lambda record: accuracy_against_value(
                record, "Final accuracy by strength of the L1 penalty"
            ),
            accuracy_reading,
            "Mean accuracy of the late epochs against λ: little change on this small model.",
        ),
        SweepFigure(
            lambda record: loss_against_epoch(
                record, "Training loss under L1 penalties of different strength"
            ),
            loss_reading,
            "Training loss by epoch, one line for each λ.",
        ),
        SweepFigure(
            lambda record: weights_against_value(
                record, "Weights near zero, and the size of all, by strength of the L1 penalty"
            ),
            weights_against_value_reading,
            "No figure: the lesson says that L1 drives many weights towards zero.",
        ),
        SweepFigure(
            lambda record: coefficient_paths(
                record, "The first layer's weights as the L1 penalty grows"
            )
        ),
        *_what_models_say("L1 penalties of different strength"),
    ),
    "strong-l1": (
        SweepFigure(
            lambda record: accuracy_against_epoch(record, "Learning under strong L1 penalties"),
            speed_reading,
            "No figure: the lesson says that a larger λ may learn faster early on.",
        ),
        SweepFigure(
            lambda record: weights_against_value(
                record, "Weights near zero, and the size of all, under strong L1 penalties"
            ),
            weights_against_value_reading,
            "No figure: at the lesson's λ, divided by the number of weights, L1 hardly acts.",
        ),
    ),
    "batch_size": (
        SweepFigure(
            lambda record: accuracy_against_epoch(
                record, "Learning with mini-batches of different size"
            ),
            speed_reading,
            "Accuracy by epoch, one line for each batch size from 2 to 64: the smaller the "
            "batch, the faster the start; all high in the end, 64 last.",
        ),
        SweepFigure(
            lambda record: accuracy_against_value(record, "Final accuracy by batch size"),
            accuracy_reading,
            "The lesson read this off the curves above.",
        ),
    ),
    "elastic_net": (
        SweepFigure(
            lambda record: accuracy_map(record, "Test accuracy under L1 and L2 penalties together")
        ),
        SweepFigure(
            lambda record: weights_against_value(
                record, "Weights near zero, and the size of all, under L1 and L2 together"
            ),
            weights_against_value_reading,
        ),
        SweepFigure(
            lambda record: coefficient_paths(
                record, "The first layer's weights as L1, L2 and both grow"
            )
        ),
        *_what_models_say("L1 and L2 penalties together"),
    ),
}


def plots_of(record: SweepRecord) -> list[Plot]:
    """The figures of that sweep; of one that is not in `FIGURES`: accuracy by epoch and by value.

    By epoch only where one value was swept.
    """
    name = record.manifest.name
    if name in FIGURES:
        return [figure.draw(record) for figure in FIGURES[name]]
    title = f"Final accuracy of the sweep {name}"
    if len(record.manifest.axes) == 1:
        curves = accuracy_against_epoch(record, f"Learning in the sweep {name}")
        return [curves, accuracy_against_value(record, title)]
    return [accuracy_map(record, title)]
