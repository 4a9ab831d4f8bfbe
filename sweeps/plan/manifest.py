"""What a sweep promises and how it was asked for: the `sweep.json` of its parent run."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sweeps.plan import provenance
from sweeps.plan.options import Options
from sweeps.plan.sweep import Sweep
from trainables import data
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import TRAINER_VERSION, Trial

VERSION = 1
_OF_THIS_RUN = ("resume", "retry_failed", "dry_run")  # options that say nothing about the sweep


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that is fixed before the first trial starts.

    `summary_epochs`: first and last-but-one epoch, counted from 0, whose mean is a final number.
    """

    name: str
    run_name: str
    question: str
    axes: tuple[dict[str, Any], ...]
    baseline: str
    summary_epochs: tuple[int, int]
    trials: tuple[Trial, ...]
    options: dict[str, Any]
    command: str
    commit: str
    dirty: bool
    versions: dict[str, str]
    machine: dict[str, str | int]
    dataset: dict[str, Any]
    trainer_version: int = TRAINER_VERSION

    def to_json(self) -> str:
        """The text of `sweep.json`."""
        values = {each: getattr(self, each) for each in self.__dataclass_fields__}
        trials = [trial.as_dict() for trial in self.trials]
        return json.dumps({"version": VERSION, **values, "trials": trials}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The inverse of `to_json`; `ValueError` says what does not fit."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop("version", None) != VERSION:
            raise ValueError(f"needs a manifest of version {VERSION}")
        try:
            values["trials"] = tuple(map(Trial.from_dict, values["trials"]))
            values["axes"] = tuple(values["axes"])
            first, stop = values["summary_epochs"]
            return cls(**{**values, "summary_epochs": (first, stop)})
        except (KeyError, TypeError) as error:
            raise ValueError(f"has other fields than a manifest: {error}") from error

    @property
    def baseline_trial(self) -> Trial:
        """The trial that the others are compared with."""
        return next(trial for trial in self.trials if trial.key == self.baseline)

    @property
    def configurations(self) -> tuple[Trial, ...]:
        """The trials that are no other's over again with one source of randomness exchanged."""
        return tuple(trial for trial in self.trials if not trial.exchanged)

    @property
    def folds(self) -> int:
        """Folds of the cross-validation that the best trial is chosen by; 0 without."""
        return self.trials[0].folds

    @property
    def promise(self) -> str:
        """16 hexadecimal digits, equal for sweeps that would record the same numbers."""
        promised = [
            self.name,
            self.summary_epochs,
            self.dataset["digest"],
            self.trainer_version,
            bool(self.options.get("log_seeds")),
            [(trial.name, trial.key, trial.seeds) for trial in self.trials],
        ]
        if self.folds:  # else left out: sweeps without folds keep the promise that they made
            promised.append({"folds": self.folds})
        return hashlib.sha256(json.dumps(promised).encode()).hexdigest()[:16]


def make_manifest(sweep: Sweep, options: Options, trials: Sequence[Trial]) -> Manifest:
    """The manifest of a sweep that starts now, from this command line."""
    base = trials[0].hyperparameters
    standard = sweep.trial(base, sweep.baseline, trials[0].seeds).hyperparameters
    baseline = next(
        each for each in trials if each.hyperparameters == standard and not each.exchanged
    )
    summary = sweep.summary_epochs(base.epochs)
    head, dirty = provenance.commit()
    dataset = data.load(base.dataset)
    resolved = {name: each for name, each in asdict(options).items() if name not in _OF_THIS_RUN}
    if options.tracking_uri:
        resolved["tracking_uri"] = provenance.without_credentials(options.tracking_uri)
    now = datetime.now(UTC)
    return Manifest(
        name=sweep.name,
        # The random end tells sweeps apart that start within one second.
        run_name=f"{sweep.name}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        question=sweep.question,
        axes=tuple(
            {
                "field": axis.name,
                "label": axis.label,
                "low": min(axis.lesson) if axis.choices else axis.low,
                "high": max(axis.lesson) if axis.choices else axis.high,
                "log": axis.log,
                "decimals": axis.decimals,
            }
            for axis in sweep.axes
        ),
        baseline=baseline.key,
        summary_epochs=(summary.start, summary.stop),
        trials=tuple(trials),
        options=resolved,
        command=provenance.command_line(sys.argv),
        commit=head,
        dirty=dirty,
        versions=provenance.versions(),
        machine=provenance.machine(),
        dataset={
            "name": dataset.name,
            "digest": dataset.digest,
            **DATASETS[dataset.name]._asdict(),
            "class_names": list(dataset.class_names),
            "feature_names": list(dataset.feature_names),
        },
    )
