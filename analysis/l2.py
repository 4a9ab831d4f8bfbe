"""Does an L2 penalty change how this network learns and how well it ends?

    python analysis/l2.py

Reads the newest finished sweep `l2`, or --sweep RUN_ID; figures go into ./figures and to
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
        accuracy_against_epoch(record, "Learning under L2 penalties of different strength"),
        accuracy_against_value(record, "Final accuracy by strength of the L2 penalty"),
    ]


if __name__ == "__main__":
    sys.exit(answer("l2", plots, parse(Options, __doc__)))
