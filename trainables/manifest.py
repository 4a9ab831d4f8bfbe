"""What a sweep promises and how it was asked for: the `sweep.json` of its run, to write and read.

`sweeps.plan.new_manifest` makes one; everybody else reads it here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from trainables.record_format import VERSION, Tag
from trainables.trial import Trial

CONFIRMS = "confirms"  # among the options of a sweep that was started to confirm another


class NewerFormat(ValueError):
    """The record was written by a newer program; the message names both versions."""


@dataclass(frozen=True, kw_only=True)
class RecordedAxis:
    """A swept hyperparameter: its field, its name for people and its range.

    `log`: whether the values were laid out on a log scale. `decimals`: those of the trial names.
    """

    field: str
    label: str
    low: float
    high: float
    log: bool
    decimals: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that is fixed before the first trial starts.

    `name`: what is swept, as in `sweeps/NAME.py`. `run_name`: this one sweep's.
    `baseline`: key of the trial that the others are compared with.
    `summary_epochs`: the epochs, counted from 0, whose mean is a model's final number.
    `options`: the command line's, by name. `machine`: the driver's.
    `dataset`: name, digest, rows, train, test, features, classes, class and feature names;
    rows that are neither for training nor for the test are held out of all seeds.
    """

    name: str
    run_name: str
    question: str
    axes: tuple[RecordedAxis, ...]
    baseline: str
    summary_epochs: range
    trials: tuple[Trial, ...]
    options: Mapping[str, Any]
    command: str
    commit: str
    dirty: bool
    versions: Mapping[str, str]
    machine: Mapping[str, str | int]
    dataset: Mapping[str, Any]
    trainer_version: int

    def to_json(self) -> str:
        """The text of `sweep.json`."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["axes"] = [asdict(axis) for axis in self.axes]
        values["summary_epochs"] = [self.summary_epochs.start, self.summary_epochs.stop]
        values["trials"] = [trial.as_dict() for trial in self.trials]
        return json.dumps({"version": VERSION, **values}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Manifest:
        """The inverse of `to_json`, of every version up to this one.

        Raises `NewerFormat`, or `ValueError` for a text that is no manifest; the messages go after
        the name of what was read. Fields that are not known are passed over: what a reader must
        know raises the version. They are lost in what `to_json` then gives.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(f"is not JSON: {error}") from error
        _require_known_version(values)
        try:
            axes = tuple(RecordedAxis(**_known(RecordedAxis, axis)) for axis in values["axes"])
            epochs = range(*values["summary_epochs"])
            trials = tuple(map(Trial.from_dict, values["trials"]))
            made = {"axes": axes, "summary_epochs": epochs, "trials": trials}
            manifest = cls(**{**_known(cls, values), **made})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"does not fit record format {values['version']}: {error}") from error
        manifest._require_sense()
        return manifest

    def _require_sense(self) -> None:
        shortest = min((trial.hyperparameters.epochs for trial in self.trials), default=0)
        window = self.summary_epochs
        if not window or window.stop > shortest:
            raise ValueError(f"has summary_epochs {window} not within {shortest} epochs")
        if len({trial.seeds for trial in self.trials}) != 1:
            raise ValueError("has trials with different seeds, which cannot be compared in pairs")
        if self.baseline not in {trial.key for trial in self.trials}:
            raise ValueError(f"has a baseline that is none of its trials: {self.baseline}")

    @property
    def baseline_trial(self) -> Trial:
        """The trial that the others are compared with, recorded or not."""
        return next(trial for trial in self.trials if trial.key == self.baseline)

    @property
    def configurations(self) -> tuple[Trial, ...]:
        """The trials that are no other's over again with one source of randomness exchanged."""
        return tuple(trial for trial in self.trials if not trial.exchanged)

    @property
    def epochs(self) -> int:
        """Epochs of the longest trial."""
        return max(trial.hyperparameters.epochs for trial in self.trials)

    @property
    def folds(self) -> int:
        """Folds of the cross-validation that the best trial is chosen by; 0 without."""
        return self.trials[0].folds

    @property
    def held_out_rows(self) -> int:
        """How many rows of the data no seed trains or is tested on; 0 where none are held out."""
        return int(self.dataset["rows"] - self.dataset["train"] - self.dataset["test"])

    @property
    def confirms(self) -> str:
        """Run id of the sweep whose best it tries again on fresh seeds; empty for any other."""
        return str(self.options.get(CONFIRMS, ""))

    @property
    def own_axis(self) -> bool:
        """Whether a user gave other values or another range than the declared sweep has."""
        ends = (self.options.get("low"), self.options.get("high"))
        return bool(self.options.get("values")) or ends != (None, None)

    def axis(self, field: str) -> RecordedAxis:
        """The swept field of that name; `KeyError` when the sweep does not vary it."""
        return {axis.field: axis for axis in self.axes}[field]

    @property
    def promise(self) -> str:
        """16 hexadecimal digits, equal for sweeps that would record the same numbers."""
        promised = [
            self.name,
            [self.summary_epochs.start, self.summary_epochs.stop],
            self.dataset["digest"],
            self.trainer_version,
            bool(self.options.get("log_seeds")),
            [(trial.name, trial.key, trial.seeds) for trial in self.trials],
        ]
        if self.folds:  # else left out: sweeps without folds keep the promise that they made
            promised.append({"folds": self.folds})
        return hashlib.sha256(json.dumps(promised).encode()).hexdigest()[:16]


def checked_manifest(content: bytes, tags: Mapping[str, str]) -> Manifest:
    """The manifest in the bytes of a `sweep.json`, checked against the tags of its sweep's run.

    Raises as `Manifest.from_json` does, also for bytes that are not those that were written; a run
    without the tag of their checksum is believed.
    """
    expected = tags.get(Tag.MANIFEST_SHA256)
    found = hashlib.sha256(content).hexdigest()
    if expected is not None and found != expected:
        raise ValueError(
            f"is not the one that the sweep wrote: its sha256 is {found[:12]}…, the run's tag "
            f"{Tag.MANIFEST_SHA256} says {expected[:12]}…; bring it back from a backup, or start "
            "a new sweep: nothing can be checked without it"
        )
    return Manifest.from_json(content)


def _require_known_version(values: object) -> None:
    version = values.get("version") if isinstance(values, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"is no sweep's: it needs a version of 1 to {VERSION}, got {version}")
    if version > VERSION:
        raise NewerFormat(
            f"has record format {version}, this program reads formats up to {VERSION}: upgrade it "
            "to the version of this project that wrote the record, or a later one"
        )


def _known(of: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are fields of the dataclass; fields with a default may be absent."""
    required = {
        each.name
        for each in fields(of)
        if each.default is MISSING and each.default_factory is MISSING
    }
    if lacking := sorted(required - set(values)):
        raise ValueError(f"{of.__name__} lacks the fields {', '.join(lacking)}")
    return {each.name: values[each.name] for each in fields(of) if each.name in values}
