"""Does a mix of L1 and L2 penalties do better than no penalty?

    python analysis/elastic_net.py

Reads the newest finished sweep `elastic_net`, or --sweep RUN_ID; figures go into a folder of
./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.show_sweep import answer
from analysis.reading.script_options import AnalysisOptions, parse

if __name__ == "__main__":
    sys.exit(answer("elastic_net", parse(AnalysisOptions, __doc__)))
