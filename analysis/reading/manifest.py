"""What a sweep promised: its `sweep.json`, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.hyperparameters import Trial

VERSION = 1
_ORIGIN = ("command", "commit", "dirty", "versions", "machine", "trainer_version")


@dataclass(frozen=True)
class Axis:
    """A swept hyperparameter: its field, its name for people and its range.

    `log`: whether the values were laid out on a log scale. `decimals`: those of the trial names.
    """

    field: str
    label: str
    low: float
    high: float
    log: bool
    decimals: int


@dataclass(frozen=True, eq=False)
class Manifest:
    """The promise of a sweep.

    `summary_epochs`: the epochs, counted from 0, whose mean is a model's final number.
    `baseline`: key of the trial that the others are compared with; None when there is none.
    `dataset`: name, digest, rows, train, test, features, classes, class and feature names.
    `origin`: what made the record: command, commit, dirty, versions, machine, trainer_version.
    `options`: the command line's, by name. `content`: the bytes of the file.
    """

    name: str
    run_name: str
    question: str
    axes: tuple[Axis, ...]
    baseline: str | None
    summary_epochs: range
    trials: tuple[Trial, ...]
    dataset: Mapping[str, Any]
    origin: Mapping[str, Any]
    options: Mapping[str, Any]
    content: bytes

    @property
    def baseline_trial(self) -> Trial | None:
        """The trial that the others are compared with, recorded or not; None when there is none."""
        return next((trial for trial in self.trials if trial.key == self.baseline), None)

    @property
    def configurations(self) -> tuple[Trial, ...]:
        """The promised trials that are no other's over again with one source exchanged."""
        return tuple(trial for trial in self.trials if not trial.exchanged)

    @property
    def epochs(self) -> int:
        """Epochs of the longest trial."""
        return max(trial.hyperparameters.epochs for trial in self.trials)

    def axis(self, field: str) -> Axis:
        """The swept field of that name; `KeyError` when the sweep does not vary it."""
        return {axis.field: axis for axis in self.axes}[field]


def read_manifest(path: Path) -> Manifest:
    """The manifest in a `sweep.json`; `ValueError` says what does not fit."""
    content = path.read_bytes()
    values = json.loads(content)
    if values.get("version") != VERSION:
        raise ValueError(f"needs version {VERSION}, got {values.get('version')}")
    try:
        manifest = Manifest(
            name=values["name"],
            run_name=values["run_name"],
            question=values["question"],
            axes=tuple(Axis(**axis) for axis in values["axes"]),
            baseline=values["baseline"],
            summary_epochs=range(*values["summary_epochs"]),
            trials=tuple(map(Trial.from_dict, values["trials"])),
            dataset=values["dataset"],
            origin={name: values.get(name) for name in _ORIGIN},
            options=values.get("options", {}),
            content=content,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"has other fields than expected: {error}") from error
    shortest = min((trial.hyperparameters.epochs for trial in manifest.trials), default=0)
    if not manifest.summary_epochs or manifest.summary_epochs.stop > shortest:
        raise ValueError(f"summary_epochs {manifest.summary_epochs} not within {shortest} epochs")
    if len({trial.seeds for trial in manifest.trials}) != 1:
        raise ValueError("trials with different seeds, which cannot be compared in pairs")
    return manifest
