"""The rows that a sweep's models were trained and tested on, from the named datasets."""

from __future__ import annotations

from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.sweep_record import SweepRecord
from trainables.data import Dataset, load


def rows_of(record: SweepRecord) -> Dataset:
    """All rows of the sweep's dataset; raises `Stop` unless they are those that were recorded."""
    named = record.manifest.dataset
    try:
        dataset = load(str(named["name"]))
    except ValueError as error:
        raise Stop(BAD_INPUT, f"{record.manifest.run_name}: {error}") from error
    if dataset.digest != named["digest"]:
        raise Stop(
            BAD_INPUT,
            f"{record.manifest.run_name} was trained on rows of {named['name']} with digest "
            f"{named['digest']}, here they have {dataset.digest}: install the scikit-learn of then "
            f"({record.manifest.versions.get('scikit-learn', 'not recorded')})",
        )
    return dataset
