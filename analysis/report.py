"""Everything the lesson's sweeps say, as one HTML page: verdicts, figures, every seed, origins.

    python sweeps/lesson.py && python analysis/report.py

Reads the newest finished sweeps that the lesson's claims need. The page, `report.html`, goes into
./figures and to every sweep's MLflow run, and needs nothing else: no network, no other file.
"""

from __future__ import annotations

import sys

from analysis.claims import judge_recorded
from analysis.plotting.files import save_page
from analysis.reading.connection import open_store, upload
from analysis.reading.errors import exit_code
from analysis.reading.script_options import Places, parse
from analysis.report_page.page import report_page


@exit_code
def main(places: Places) -> None:
    """Writes the page; the exit code, with one line on stderr unless it is 0."""
    client = open_store(places.tracking_uri)
    sweeps, verdicts = judge_recorded(client, places.allow_partial)
    file = save_page(report_page(sweeps.records, verdicts), places.folder(), "report")
    print(file)
    if places.upload:
        runs = dict.fromkeys(record.run_id for record in sweeps.records.values())
        upload(client, list(runs), [file], "report")


if __name__ == "__main__":
    sys.exit(main(parse(Places, __doc__)))
