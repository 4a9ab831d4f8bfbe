"""Does an L2 penalty change how this network learns and how well it ends?

    python analysis/l2.py

Reads the newest finished sweep `l2`, or --sweep RUN_ID; figures go into a folder of
./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.show_sweep import answer
from analysis.reading.script_options import AnalysisOptions, parse

if __name__ == "__main__":
    sys.exit(answer("l2", parse(AnalysisOptions, __doc__)))
