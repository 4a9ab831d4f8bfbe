"""A made-up sweep `seeds`: each source of randomness adds to a model's accuracy what it is told to.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from support.record_fixture import Recorded, configuration_name, made_up, new_store, write_sweep
from trainables.hyperparameters import SOURCES, Hyperparameters
from trainables.trial import Trial

EPOCHS = 20
# Standard deviation of accuracy from each source: shares 64, 20, 16 and 0 % of the variance.
EFFECTS = {"split": 0.02, "init": 0.0112, "order": 0.01, "dropout": 0.0}


def configuration(point: Mapping[str, float], seeds: int) -> Trial:
    hyperparameters = Hyperparameters(epochs=EPOCHS, **point)  # type: ignore[arg-type]
    name = configuration_name(list(point), hyperparameters)
    return Trial(name, hyperparameters, tuple(range(100, 100 + seeds)))


def exchanging(trial: Trial, source: str) -> Trial:
    """The trial with that source from the next seed."""
    vary = tuple(one for one in SOURCES if one != source)
    name = f"{trial.name} next={source}"
    return Trial(name, trial.hyperparameters, trial.seeds, vary, "next")


def recorded(trial: Trial, level: float, own: float = 0.002) -> Recorded:
    """`level` plus what each source adds, which is the same in every configuration, plus what is
    the configuration's own, of standard deviation `own`.
    """
    accuracy = np.array(
        [
            level
            + sum(
                effect * np.random.default_rng([place, seed]).normal()
                for place, (seed, effect) in enumerate(zip(model, EFFECTS.values(), strict=True))
            )
            + own * np.random.default_rng([9, model[1], int(level * 1000)]).normal()
            for model in trial.model_seeds()
        ]
    )
    return with_accuracy(trial, accuracy)


def with_accuracy(trial: Trial, accuracy: np.ndarray) -> Recorded:
    """A made-up trial whose models have `accuracy` (S,) in the test set, the same at each epoch."""
    one = made_up(trial, level=0.9)
    curve = np.repeat(accuracy[:, None], EPOCHS, axis=1).astype(np.float32)
    curves = {**one.curves, "test/accuracy": curve}
    if not np.isfinite(accuracy).all():
        for name, values in curves.items():
            curves[name] = np.where(np.isfinite(accuracy)[:, None], values, np.float32(np.nan))
    return Recorded(trial, curves, one.weights)


def seeds_sweep(
    points: Sequence[Mapping[str, float]],
    levels: Sequence[float],
    seeds: int,
    by_source: bool = False,
) -> list[Recorded]:
    """The configurations, the first as baseline, then, `by_source`, those with one exchanged."""
    trials = [configuration(point, seeds) for point in points]
    sweep = [recorded(one, level) for one, level in zip(trials, levels, strict=True)]
    if by_source:
        sweep += [
            recorded(exchanging(one, source), level)
            for one, level in zip(trials, levels, strict=True)
            for source in SOURCES
        ]
    return sweep


def record_of(folder: Path, sweep: Sequence[Recorded], **more: object) -> SweepRecord:
    """The sweep, written into a new store in `folder` and read again."""
    uri = new_store(folder)
    fields = ["l2"]
    run_id = write_sweep(uri, folder / "artifacts", "seeds", fields, sweep, **more)  # type: ignore[arg-type]
    return load_sweep(open_store(uri), "seeds", run_id, allow_partial=True)
