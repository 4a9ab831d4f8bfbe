"""What a trial's page in MLflow says first, and its way to the trial's curves.

The page's own charts begin with a bar for each final number: the UI of MLflow 3.17 makes one chart
for each metric and orders them by the alphabet, in sections that end at the last `/`; what is
arranged there it keeps in the browser, and it reads nothing of the kind from the store. So the
description leads to the page of metrics, whose address says what is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

from sweeps.record.pages.words import percent
from trainables.record_format import Artifact, Column, Curve, Final
from trainables.result import Interval
from trainables.trial import Trial

# What stands in a description for the ids that a run has once it is written.
_RUN_ID, _EXPERIMENT_ID = "ITS_RUN_ID", "ITS_EXPERIMENT_ID"


def trial_note(trial: Trial, summary: Mapping[str, Interval], part: str) -> str:
    """The description of a trial's run: its accuracies, links to its curves, and its files.

    `part`: where these lie. The links lead somewhere once the text is that of `with_ids`.
    """
    diverged = summary[Final.TEST_ACCURACY].mean != summary[Final.TEST_ACCURACY].mean
    seeds = len(trial.seeds)
    by_folds = held_out = ""
    if Final.CV_ACCURACY in summary:
        by_folds = f"cross-validated accuracy {percent(summary[Final.CV_ACCURACY])}, "
    if Final.HELD_OUT_ACCURACY in summary:
        held_out = f"accuracy on held-out rows {percent(summary[Final.HELD_OUT_ACCURACY])}, "
    parts = ("train", "test", *(["cv"] if by_folds else []))
    # In the second line, since the UI lays a veil over the third until it is unfolded.
    return (
        f"**Test accuracy {percent(summary[Final.TEST_ACCURACY])}**, {by_folds}{held_out}"
        f"train accuracy {percent(summary[Final.TRAIN_ACCURACY])}; "
        f"{seeds} seeds{', at least one of which diverged' if diverged else ''}.  \n"
        f"Means over the seeds by epoch: [accuracies]({_curves(Curve.accuracy, parts)}) · "
        f"[losses]({_curves(Curve.loss, parts)})\n\n"
        f"Every epoch of every seed: `{Artifact.CURVES}/{part}{Artifact.TABLE}` of the sweep's "
        f"run, rows of {Column.CONFIG} `{trial.name}`; "
        f"the weights: `{Artifact.WEIGHTS}/{part}{Artifact.TABLE}`."
    )


def with_ids(note: str, experiment_id: str, run_id: str) -> str:
    """The description where the run has these ids."""
    return note.replace(_RUN_ID, run_id).replace(_EXPERIMENT_ID, experiment_id)


def _curves(of: Callable[[str], str], parts: Sequence[str]) -> str:
    """The address of one chart with the curves of these parts of the data."""
    metrics = [of(part) for part in parts]
    search = {
        "runs": json.dumps([_RUN_ID]),
        "metric": json.dumps(metrics[0]),
        "experiments": json.dumps([_EXPERIMENT_ID]),
        "plot_metric_keys": json.dumps(metrics),
        "x_axis": "step",
        "workflowType": "machine_learning",
    }
    return f"/#/metric?{urlencode(search, quote_via=quote)}"
