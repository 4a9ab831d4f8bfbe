"""What do the penalties, dropout and mini-batches do, on the models of the recorded sweeps?

    python analysis/concepts.py

Reads the newest finished sweeps `dropout`, `l1`, `l2` and `batch_size`, and the lesson's sweep of
strong L1 (`sweeps/lesson.py --only strong-l1`); a figure whose sweep is not in the store says so.
Figures go into ./figures and to the MLflow runs of the sweeps they show.
"""

from __future__ import annotations

import sys

from mlflow import MlflowClient

from analysis.claims_of_lesson.lesson_sweeps import load_role
from analysis.figures.concept_figures import activations, batches
from analysis.figures.penalty_figure import penalties
from analysis.figures.weight_figure import of_penalties, weights
from analysis.plotting.files import publish
from analysis.plotting.terminal import of_how_many
from analysis.reading.connection import open_store
from analysis.reading.errors import NoFinishedSweep, exit_code
from analysis.reading.load_sweep import load_sweep
from analysis.reading.script_options import Places, parse
from analysis.reading.sweep_record import SweepRecord


def newest(client: MlflowClient, name: str, places: Places) -> SweepRecord | None:
    """The newest finished sweep of that name, or None when the store has none."""
    try:
        return load_sweep(client, name, allow_partial=places.allow_partial)
    except NoFinishedSweep:
        return None


@exit_code
def main(places: Places) -> None:
    """Draws and saves all figures; the exit code, with one line on stderr unless it is 0."""
    client = open_store(places.tracking_uri)
    found = {name: newest(client, name, places) for name in ("dropout", "l1", "l2", "batch_size")}
    found["strong-l1"] = load_role(client, "strong-l1", places.allow_partial)
    for name, record in found.items():
        where = f"{record.manifest.run_name}, MLflow run {record.run_id}" if record else "none"
        print(f"{name}: {where}{of_how_many(record) if record else ''}")
    drawn = [
        penalties(),
        activations(found["dropout"]),
        weights(of_penalties(found)),
        batches(found["batch_size"]),
    ]
    publish(client, drawn, places, places.folder())


if __name__ == "__main__":
    sys.exit(main(parse(Places, __doc__)))
