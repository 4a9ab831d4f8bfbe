"""Does an L1 penalty change how fast this network learns and how well it ends?

    python analysis/l1.py

Reads the newest finished sweep `l1`, or --sweep RUN_ID; figures go into ./figures and to
the sweep's MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.by_sweep import (
    accuracy_against_epoch,
    accuracy_against_value,
    loss_against_epoch,
)
from analysis.figures.show_sweep import answer
from analysis.plotting.panels import Plot
from analysis.reading.script_options import Options, parse
from analysis.reading.sweep_record import SweepRecord


def plots(record: SweepRecord) -> list[Plot]:
    """The figures that answer the question."""
    return [
        accuracy_against_epoch(record, "Learning under L1 penalties of different strength"),
        accuracy_against_value(record, "Final accuracy by strength of the L1 penalty"),
        loss_against_epoch(record, "Training loss under L1 penalties of different strength"),
    ]


if __name__ == "__main__":
    sys.exit(answer("l1", plots, parse(Options, __doc__)))
