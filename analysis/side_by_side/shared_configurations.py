"""Configurations that two sweeps have in common, compared seed by seed where that is possible."""

from __future__ import annotations

from typing import NamedTuple

from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import OF_SHARES, Difference, paired_difference
from trainables.record_format import Curve
from trainables.trial import Trial


class Shared(NamedTuple):
    """A configuration of both sweeps: the other's accuracy minus the first's, seed by seed."""

    first: Trial
    other: Trial
    test: Difference
    train: Difference


class Pairing(NamedTuple):
    """Two sweeps in pairs. `obstacle`: why their seeds are no pairs; then `shared` is empty."""

    shared: tuple[Shared, ...]
    obstacle: str


def pair(first: SweepRecord, other: SweepRecord) -> Pairing:
    """Every configuration that is usable in both, by the values of the swept hyperparameters.

    Configurations are the same when they agree in all that either sweep varies. What the sweeps
    fix may differ: its effect is what the differences show.
    """
    if obstacle := _obstacle(first, other):
        return Pairing((), obstacle)
    axes = (*first.manifest.axes, *other.manifest.axes)
    fields = list(dict.fromkeys(axis.field for axis in axes))

    def values(trial: Trial) -> tuple[float, ...]:
        return tuple(getattr(trial.hyperparameters, field) for field in fields)

    partners = {values(trial): trial for trial in other.configurations}
    shared = []
    for trial in sorted(first.configurations, key=values):
        if partner := partners.get(values(trial)):
            test, train = (
                paired_difference(
                    other.final(partner, metric), first.final(trial, metric), OF_SHARES
                )
                for metric in (Curve.TEST_ACCURACY, Curve.TRAIN_ACCURACY)
            )
            shared.append(Shared(trial, partner, test, train))
    return Pairing(tuple(shared), "")


def _obstacle(first: SweepRecord, other: SweepRecord) -> str:
    """Why a seed of one sweep is not that of the other; empty when it is."""
    one, two = first.manifest, other.manifest
    if one.dataset["digest"] != two.dataset["digest"]:
        names = f"{one.dataset['name']} against {two.dataset['name']}"
        return f"their datasets differ ({names})"
    if one.trials[0].seeds != two.trials[0].seeds:
        names = " against ".join(_range(each.trials[0].seeds) for each in (one, two))
        return f"their seeds differ ({names})"
    if one.trials[0].vary != two.trials[0].vary:
        names = " against ".join(", ".join(each.trials[0].vary) for each in (one, two))
        return f"their seeds give different sources of randomness ({names})"
    versions = [each.trainer_version for each in (one, two)]
    if versions[0] != versions[1]:
        return f"their trainers draw other numbers (versions {versions[0]} against {versions[1]})"
    return ""


def _range(seeds: tuple[int, ...]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
