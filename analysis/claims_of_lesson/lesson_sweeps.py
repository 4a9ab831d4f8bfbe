"""The sweeps that the lesson's claims are tested on, found by what their manifests say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run

from analysis.reading.connection import store_errors, without_password
from analysis.reading.errors import BAD_INPUT, INCOMPLETE, Stop
from analysis.reading.finding import promised_by_finished
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.project_scripts import words
from trainables.hyperparameters import RANDOM, SOURCES, STRATIFIED, Hyperparameters, UnfitValues
from trainables.manifest import Manifest, NewerFormat
from trainables.record_format import Artifact


class Setting(NamedTuple):
    """What a sweep must be to play a role: its name, what it varies and all that it keeps fixed.

    `within`: at least three of its configurations have values of the first axis in that range.
    `vary`: what changes with the seed.
    """

    sweep: str
    axes: tuple[str, ...]
    fixed: Hyperparameters
    within: tuple[float, float] = (0.0, math.inf)
    vary: tuple[str, ...] = SOURCES

    def fits(self, manifest: Manifest) -> bool:
        """Whether the manifest promises such a sweep."""
        if manifest.name != self.sweep or {one.field for one in manifest.axes} != set(self.axes):
            return False
        if manifest.own_axis:
            return False
        wanted, (low, high) = self.fixed.as_dict(), self.within
        trials = manifest.configurations
        values = [getattr(trial.hyperparameters, self.axes[0]) for trial in trials]
        if sum(low <= value <= high for value in values) < 3:
            return False
        return all(
            trial.vary == self.vary
            and all(
                value == wanted[name]
                for name, value in trial.hyperparameters.as_dict().items()
                if name not in self.axes
            )
            for trial in trials
        )


# As the lesson splits its data: `train_test_split`, not stratified.
_SPLIT = Hyperparameters(split=RANDOM)

# `sweeps/lesson.py` records these; the course notebooks' learning rates and epochs.
SETTINGS: Mapping[str, Setting] = {
    # How much of the gap between training and test accuracy does the lesson's split make?
    "dropout-stratified": Setting("dropout", ("dropout",), _SPLIT.at(epochs=500, split=STRATIFIED)),
    "dropout": Setting("dropout", ("dropout",), _SPLIT.at(epochs=500)),
    "l2": Setting("l2", ("l2",), _SPLIT.at(epochs=1000)),
    "l1": Setting("l1", ("l1",), _SPLIT.at(epochs=1000)),
    "batch_size": Setting("batch_size", ("batch_size",), _SPLIT.at(epochs=500, lr=0.001)),
    # λ where the lesson says that little happens, and where an L1 penalty begins to be felt.
    "small-l2": Setting("seeds", ("l2",), _SPLIT.at(epochs=1000), (0, 0.01)),
    "strong-l1": Setting("seeds", ("l1",), _SPLIT.at(epochs=1000), (0.005, math.inf)),
    # Large batches given enough epochs, and L2 where seeds differ in the first weights alone.
    "long-batch": Setting("seeds", ("batch_size",), _SPLIT.at(epochs=4000, lr=0.001)),
    "init": Setting("seeds", ("l2",), _SPLIT.at(epochs=1000), vary=("init",)),
    # One grid for three settings. 40 epochs of digits are as many updates as 500 of Iris.
    "small": Setting("seeds", ("dropout", "l2"), _SPLIT.at(epochs=500)),
    "large": Setting("seeds", ("dropout", "l2"), _SPLIT.at(epochs=500, hidden=(64, 64))),
    "harder": Setting("seeds", ("dropout", "l2"), _SPLIT.at(epochs=40, dataset="digits")),
}


def settings_with(hidden: Sequence[int]) -> Mapping[str, Setting]:
    """The settings with a network of those hidden units; without any, the lesson's own.

    The role that is about another network than the lesson's is not among the former. Raises `Stop`
    where no network has such units.
    """
    if not hidden:
        return SETTINGS
    usual = _SPLIT.hidden
    try:
        return {
            role: setting._replace(fixed=setting.fixed.at(hidden=tuple(hidden)))
            for role, setting in SETTINGS.items()
            if setting.fixed.hidden == usual
        }
    except UnfitValues as unfit:
        raise Stop(BAD_INPUT, f"--{unfit}") from unfit


@dataclass(frozen=True, eq=False)
class LessonSweeps:
    """The recorded sweeps by role, in the order of `SETTINGS`; lacking roles are absent.

    `hidden`: the units of each hidden layer, if it is not the lesson's network.
    """

    records: Mapping[str, SweepRecord]
    hidden: tuple[int, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that there are with this network, recorded or not."""
        return tuple(settings_with(self.hidden))


def load_lesson(
    client: MlflowClient, allow_partial: bool = False, hidden: Sequence[int] = ()
) -> LessonSweeps:
    """The newest finished sweep for each role, of a network with those hidden units.

    Raises `Stop` when a role has none or its sweep lacks trials, unless `allow_partial`, when there
    is none for any role, and when sweeps on one dataset were trained on different data.
    """
    settings = settings_with(hidden)
    with store_errors(client.tracking_uri):
        chosen, newer = _choose(client, settings)
    missing = [role for role in settings if role not in chosen]
    store = without_password(client.tracking_uri)
    if not chosen or (missing and not allow_partial):
        code = INCOMPLETE if chosen else BAD_INPUT
        raise Stop(
            code,
            f"{store} has no finished sweep in the lesson's setting{_flag(hidden)} for: "
            f"{', '.join(missing)}; "
            f"record them: {words('sweeps', 'lesson')}{_flag(hidden)}{newer}",
        )
    _require_one_digest(list(chosen.values()))
    loaded = {
        role: load_sweep(client, None, chosen[role][0].info.run_id, allow_partial)
        for role in settings
        if role in chosen
    }
    return LessonSweeps(loaded, tuple(hidden))


def load_role(client: MlflowClient, role: str, allow_partial: bool = False) -> SweepRecord | None:
    """The newest finished sweep for that role, or None."""
    with store_errors(client.tracking_uri):
        found = _choose(client, SETTINGS)[0].get(role)
    return load_sweep(client, None, found[0].info.run_id, allow_partial) if found else None


def _flag(hidden: Sequence[int]) -> str:
    return f" --hidden {' '.join(map(str, hidden))}" if hidden else ""


def _choose(
    client: MlflowClient, settings: Mapping[str, Setting]
) -> tuple[dict[str, tuple[Run, Manifest]], str]:
    """For each role the newest finished sweep that fits, and what cannot be read, if anything."""
    names = {setting.sweep for setting in settings.values()}
    chosen: dict[str, tuple[Run, Manifest]] = {}
    newer = ""
    for run, manifest in promised_by_finished(client, names):
        if isinstance(manifest, NewerFormat):  # it may be what is missing
            newer = f"; {Artifact.MANIFEST} of {run.info.run_name} {manifest}"
            continue
        for role, setting in settings.items():
            if role not in chosen and setting.fits(manifest):
                chosen[role] = (run, manifest)
        if len(chosen) == len(settings):
            break
    return chosen, newer


def _require_one_digest(chosen: Sequence[tuple[Run, Manifest]]) -> None:
    first: dict[str, Manifest] = {}
    for _, manifest in chosen:
        name, digest = manifest.dataset["name"], manifest.dataset["digest"]
        known = first.setdefault(name, manifest)
        if known.dataset["digest"] != digest:
            raise Stop(
                BAD_INPUT,
                f"{known.run_name} and {manifest.run_name} were trained on different data under "
                f"the name {name} (digests {known.dataset['digest']} and {digest}); record them "
                f"on one: {words('sweeps', 'lesson')} --again",
            )
