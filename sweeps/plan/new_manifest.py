"""Making the promise of a sweep that starts now."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sweeps.plan import provenance
from sweeps.plan.options import Options
from sweeps.plan.sweep import Sweep
from trainables import data
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import TRAINER_VERSION
from trainables.manifest import CONFIRMS, Manifest, RecordedAxis
from trainables.trial import Trial

_OF_THIS_RUN = ("resume", "retry_failed", "dry_run")  # options that say nothing about the sweep
CONFIRMATION = "confirm"  # what the names of such sweeps begin with


def make_manifest(
    sweep: Sweep,
    options: Options,
    trials: Sequence[Trial],
    asked: str = "",
    confirms: str = "",
) -> Manifest:
    """The manifest of a sweep that starts now; `asked`: by which words, if not a command line.

    `confirms`: the run of the sweep whose best are tried again, where this was not asked for alone.
    """
    base = trials[0].hyperparameters
    baseline = next(each for each in trials if _at_baseline(each, sweep))
    head, dirty = provenance.commit()
    dataset = data.load(base.dataset)
    resolved = {name: each for name, each in asdict(options).items() if name not in _OF_THIS_RUN}
    if options.tracking_uri:
        resolved["tracking_uri"] = provenance.without_credentials(options.tracking_uri)
    if confirms:
        resolved[CONFIRMS] = confirms
    called = CONFIRMATION if confirms else sweep.name
    now = datetime.now(UTC)
    return Manifest(
        name=sweep.name,
        # The random end tells sweeps apart that start within one second.
        run_name=f"{called}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        question=sweep.question,
        axes=tuple(
            RecordedAxis(
                field=axis.name,
                label=axis.label,
                low=min(axis.lesson) if axis.choices else axis.low,
                high=max(axis.lesson) if axis.choices else axis.high,
                log=bool(axis.log),
                decimals=axis.decimals,
            )
            for axis in sweep.axes
        ),
        baseline=baseline.key,
        summary_epochs=sweep.summary_epochs(base.epochs),
        trials=tuple(trials),
        options=resolved,
        command=asked or provenance.command_line(sys.argv),
        commit=head,
        dirty=dirty,
        versions=provenance.versions(),
        machine=provenance.machine(),
        dataset={
            "name": dataset.name,
            "digest": dataset.digest,
            **DATASETS[dataset.name].without(base.hold_out)._asdict(),
            "class_names": list(dataset.class_names),
            "feature_names": list(dataset.feature_names),
        },
        trainer_version=TRAINER_VERSION,
    )


def _at_baseline(trial: Trial, sweep: Sweep) -> bool:
    """Whether it is the one that all others are compared with; they differ on the axes alone."""
    values = tuple(getattr(trial.hyperparameters, axis.name) for axis in sweep.axes)
    return values == sweep.baseline and not trial.exchanged
