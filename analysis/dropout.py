"""How does dropout move training and test accuracy, and the gap between them?

    python analysis/dropout.py

Reads the newest finished sweep `dropout`, or --sweep RUN_ID; figures go into ./figures and to
the sweep's MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.by_sweep import accuracy_against_value
from analysis.figures.show_sweep import answer
from analysis.plotting.panels import Plot
from analysis.reading.script_options import Options, parse
from analysis.reading.sweep_record import SweepRecord


def plots(record: SweepRecord) -> list[Plot]:
    """The figures that answer the question."""
    return [
        accuracy_against_value(
            record, "Accuracy and generalization gap by dropout rate", second="gap"
        )
    ]


if __name__ == "__main__":
    sys.exit(answer("dropout", plots, parse(Options, __doc__)))
