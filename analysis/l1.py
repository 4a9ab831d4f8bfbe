"""Does an L1 penalty change how fast this network learns and how well it ends?

    python analysis/l1.py

Reads the newest finished sweep `l1`, or --sweep RUN_ID; figures go into a folder of
./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.show_sweep import answer
from analysis.reading.script_options import AnalysisOptions, parse

if __name__ == "__main__":
    sys.exit(answer("l1", parse(AnalysisOptions, __doc__)))
