"""Where does regularization help, and by how much?

    python sweeps/lesson.py --where-it-helps    # records a sweep for each data set
    python analysis/where_it_helps.py

Reads, for each data set, the newest finished sweep of dropout, L1, L2 and noise one at a time, and
that of its baseline with folds, by which early stopping is chosen. The table goes into ./figures as
CSV and Markdown, with three figures, and to the sweeps' MLflow runs.
"""

from __future__ import annotations

import sys

from analysis.helping.gain_figures import gain_plot, strength_plot
from analysis.helping.gain_table import save, show
from analysis.helping.gains import gains, without
from analysis.helping.helping_sweeps import load_helping, load_stopping
from analysis.helping.stopping_figure import stopping_plot
from analysis.plotting.files import publish
from analysis.plotting.terminal import print_warnings
from analysis.reading.connection import open_store, upload
from analysis.reading.errors import exit_code
from analysis.reading.script_options import Places, parse


@exit_code
def main(options: Places) -> None:
    """Tells the gains; the exit code, with one line on stderr unless it is 0."""
    client = open_store(options.tracking_uri)
    records = load_helping(client, options.allow_partial)
    for record in records.values():
        print_warnings(record, f"{record.manifest.run_name}: ")
    stopping = load_stopping(client, records, options.allow_partial)
    found, bare = gains(records, stopping), without(records)
    show(records, found, bare, stopping)
    out = options.folder()
    files = save(records, found, bare, out, stopping)
    print(" ".join(map(str, files)))
    plots = [gain_plot(records, found, bare), strength_plot(records)]
    publish(client, [*plots, *([stopping_plot(stopping)] if stopping else [])], options, out)
    if options.upload:
        upload(client, [record.run_id for record in records.values()], files)


if __name__ == "__main__":
    sys.exit(main(parse(Places, __doc__)))
