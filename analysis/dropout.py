"""How does dropout move training and test accuracy, and the gap between them?

    python analysis/dropout.py

Reads the newest finished sweep `dropout`, or --sweep RUN_ID; figures go into ./figures and to
the sweep's MLflow run.
"""

from __future__ import annotations

import sys

from analysis.answer import answer
from analysis.figures import accuracy_against_value
from analysis.options import Options, parse
from analysis.plots import Plot
from analysis.record import SweepRecord


def plots(record: SweepRecord) -> list[Plot]:
    """The figures that answer the question."""
    return [
        accuracy_against_value(
            record, "Accuracy and generalization gap by dropout rate", second="gap"
        )
    ]


if __name__ == "__main__":
    sys.exit(answer("dropout", plots, parse(Options, __doc__)))
