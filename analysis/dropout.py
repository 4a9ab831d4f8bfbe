"""How does dropout move training and test accuracy, and the gap between them?

    python analysis/dropout.py

Reads the newest finished sweep `dropout`, or --sweep RUN_ID; figures go into a folder of
./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.show_sweep import answer
from analysis.reading.script_options import AnalysisOptions, parse

if __name__ == "__main__":
    sys.exit(answer("dropout", parse(AnalysisOptions, __doc__)))
