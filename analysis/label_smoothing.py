"""Does label smoothing change how well this network ends?

    python analysis/label_smoothing.py

Reads the newest finished sweep `label_smoothing`, or --sweep RUN_ID; figures go into a folder of
./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.show_sweep import answer
from analysis.reading.script_options import AnalysisOptions, parse

if __name__ == "__main__":
    sys.exit(answer("label_smoothing", parse(AnalysisOptions, __doc__)))
