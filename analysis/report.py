"""Everything the lesson's sweeps say, as one HTML page: verdicts, figures, every seed, origins.

    python sweeps/lesson.py && python analysis/report.py

Reads the newest finished sweeps that the lesson's claims need. The page, `report.html`, goes into
./figures and to every sweep's MLflow run, and needs nothing else: no network, no other file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from analysis.claims import judge_recorded
from analysis.plotting.files import telling_what_is_replaced
from analysis.reading.connection import open_store, upload
from analysis.reading.errors import BAD_INPUT, Stop, exit_code
from analysis.reading.script_options import Places, parse
from analysis.report_page.page import report_page


@exit_code
def main(places: Places) -> None:
    """Writes the page; the exit code, with one line on stderr unless it is 0."""
    client = open_store(places.tracking_uri)
    sweeps, verdicts = judge_recorded(client, places.allow_partial)
    file = write_page(report_page(sweeps.records, verdicts), places.folder())
    print(file)
    if places.upload:
        runs = dict.fromkeys(record.run_id for record in sweeps.records.values())
        upload(client, list(runs), [file], "report")


def write_page(page: str, out: Path) -> Path:
    """Where the page now is: `report.html` in `out`; raises `Stop` when it cannot be written."""
    file = out / "report.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with telling_what_is_replaced(out):
            file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Stop(BAD_INPUT, f"cannot write the report to {out}: {error}") from error
    return file


if __name__ == "__main__":
    sys.exit(main(parse(Places, __doc__)))
