"""Do smaller batches learn faster, and does every batch size end equally well?

    python analysis/batch_size.py

Reads the newest finished sweep `batch_size`, or --sweep RUN_ID; figures go into a folder of
./figures named for the sweep, and to its MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.show_sweep import answer
from analysis.reading.script_options import AnalysisOptions, parse

if __name__ == "__main__":
    sys.exit(answer("batch_size", parse(AnalysisOptions, __doc__)))
