"""Do smaller batches learn faster, and does every batch size end equally well?

    python analysis/batch_size.py

Reads the newest finished sweep `batch_size`, or --sweep RUN_ID; figures go into ./figures and to
the sweep's MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.by_sweep import accuracy_against_epoch, accuracy_against_value
from analysis.figures.show_sweep import answer
from analysis.plotting.panels import Plot
from analysis.reading.script_options import Options, parse
from analysis.reading.sweep_record import SweepRecord


def plots(record: SweepRecord) -> list[Plot]:
    """The figures that answer the question."""
    return [
        accuracy_against_epoch(record, "Learning with mini-batches of different size"),
        accuracy_against_value(record, "Final accuracy by batch size", x_scale="log2"),
    ]


if __name__ == "__main__":
    sys.exit(answer("batch_size", plots, parse(Options, __doc__)))
