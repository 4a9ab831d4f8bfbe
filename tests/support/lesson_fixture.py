"""The sweeps that the lesson's claims need, made up: what happens in them is a matter of choice.

Dimension letters: S seeds, E epochs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.claims_of_lesson.lesson_sweeps import SETTINGS, LessonSweeps, settings_with
from analysis.reading.sweep_record import SweepRecord
from support.record_fixture import DATASET, LABELS, Recorded, configuration_name, write_sweep
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import TRAINER_VERSION, Hyperparameters
from trainables.manifest import Manifest, RecordedAxis
from trainables.result import CURVES
from trainables.trial import Trial

VALUES: Mapping[str, Sequence[tuple[float, ...]]] = {
    "dropout-stratified": [(p,) for p in (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)],
    "dropout": [(p,) for p in (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)],
    "l2": [(x,) for x in (0.0, 0.025, 0.05, 0.075, 0.1)],
    "l1": [(x,) for x in (0.0, 0.001, 0.003, 0.005)],
    "batch_size": [(16,), (2,), (4,), (8,), (32,), (64,)],  # 16, the baseline, first
    "small-l2": [(x,) for x in (0.0, 0.002, 0.005, 0.01)],
    "strong-l1": [(x,) for x in (0.0, 0.3, 3.0, 10.0)],
    "long-batch": [(16,), (32,), (64,)],
    "init": [(x,) for x in (0.0, 0.025, 0.05, 0.075, 0.1)],
    "small": list(product((0.0, 0.2), (0.0, 0.01, 0.03))),
    "large": list(product((0.0, 0.2), (0.0, 0.01, 0.03))),
    "harder": list(product((0.0, 0.2), (0.0, 0.01, 0.03))),
}
Effect = Callable[[Hyperparameters], float]


@dataclass(frozen=True)
class World:
    """What is true of a made-up sweep, as functions of a configuration.

    `test`, `train`: final accuracies from 0 to 1. `pace`: epochs in which a model comes two thirds
    of the way there. `norm`: of its weights, relative. `zeros`: share of its weights near zero.
    `luck`: standard deviation over seeds, of each configuration for itself.
    """

    test: Effect = lambda _: 0.95
    train: Effect = lambda _: 0.97
    pace: Effect = lambda _: 10.0
    norm: Effect = lambda _: 1.0
    zeros: Effect = lambda _: 0.01
    luck: float = 0.005


def made_up(
    role: str,
    world: World | None = None,
    seeds: int = 12,
    epochs: int | None = None,
    hidden: tuple[int, ...] = (),
) -> list[Recorded]:
    """The trials of the sweep in that role; with the setting's own epochs unless given."""
    setting = settings_with(hidden)[role]
    base = setting.fixed if epochs is None else replace(setting.fixed, epochs=epochs)
    sweep = []
    for values in VALUES[role]:
        chosen: dict[str, Any] = dict(zip(setting.axes, values, strict=True))
        hyperparameters = replace(base, **chosen)
        name = configuration_name(setting.axes, hyperparameters)
        trial = Trial(name, hyperparameters, tuple(range(seeds)), setting.vary)
        sweep.append(_recorded(trial, world or World(), zlib.crc32(f"{role} {name}".encode())))
    return sweep


def _recorded(trial: Trial, world: World, number: int) -> Recorded:
    own = np.random.default_rng(number)
    of_seeds = np.random.default_rng(1)  # the same for all configurations, as pairs have it
    hp, seeds = trial.hyperparameters, len(trial.seeds)
    shared = of_seeds.normal(0, 0.01, (seeds, 1))
    away = np.exp(-np.arange(1, hp.epochs + 1) / world.pace(hp))
    curves: dict[str, np.ndarray] = {}
    for part, level in (("train", world.train(hp)), ("test", world.test(hp))):
        ends = level + shared + own.normal(0, world.luck, (seeds, 1))
        accuracy = np.clip(ends + (0.3 - ends) * away, 0, 1)
        curves |= {f"{part}/accuracy": accuracy, f"{part}/loss": 1.1 - accuracy}
    curves |= {f"train/batch_{kind}": curves[f"train/{kind}"] for kind in ("accuracy", "loss")}
    weights = {}
    facts = DATASETS[hp.dataset]
    for layer, (inputs, outputs) in enumerate(
        pairwise((facts.features, *hp.hidden, facts.classes))
    ):
        values = own.normal(0, 0.5 * world.norm(hp), (seeds, outputs, inputs))
        zero = own.random(values.shape) < world.zeros(hp)
        weights[f"{layer}.weight"] = np.where(zero, 0, values).astype(np.float32)
        weights[f"{layer}.bias"] = values[:, :, 0].astype(np.float32)
    return Recorded(
        trial, {name: values.astype(np.float32) for name, values in curves.items()}, weights
    )


def dataset_of(role: str) -> dict[str, object]:
    """The dataset's facts as the manifest has them."""
    name = SETTINGS[role].fixed.dataset
    names: dict[str, object] = {"class_names": [], "feature_names": []} if name != "iris" else {}
    return {**DATASET, "name": name, **DATASETS[name]._asdict(), **names}


def in_memory(role: str, sweep: Sequence[Recorded], **dataset: object) -> SweepRecord:
    """The sweep as `load_sweep` would read it; `dataset`: facts other than the fixture's."""
    setting, run_id = SETTINGS[role], f"{zlib.crc32(role.encode()):032x}"
    epochs = sweep[0].trial.hyperparameters.epochs
    axes = [
        RecordedAxis(field=field, label=LABELS[field], low=0.0, high=1.0, log=False, decimals=6)
        for field in setting.axes
    ]
    manifest = Manifest(
        name=setting.sweep,
        run_name=f"{setting.sweep}-of-{role.replace(' ', '-')}",
        question="What does it do?",
        axes=tuple(axes),
        baseline=sweep[0].trial.key,
        summary_epochs=range(epochs // 2, epochs),
        trials=tuple(one.trial for one in sweep),
        dataset={**dataset_of(role), **dataset},
        options={},
        command="",
        commit="",
        dirty=False,
        versions={},
        machine={},
        trainer_version=TRAINER_VERSION,
    )
    trials = [
        {"trial_key": one.trial.key, "config": one.trial.name, "run_id": f"{place:032x}"}
        for place, one in enumerate(sweep)
    ]
    curves = {name: np.concatenate([one.curves[name].ravel() for one in sweep]) for name in CURVES}
    models = [
        {"trial_key": one.trial.key, "seed": seed}
        | {name: values[place].ravel() for name, values in one.weights.items()}
        | {f"{name}.shape": values[place].shape for name, values in one.weights.items()}
        for one in sweep
        for place, seed in enumerate(one.trial.seeds)
    ]
    return SweepRecord(
        tracking_uri="sqlite:////nowhere/mlflow.db",
        run_id=run_id,
        manifest=manifest,
        sweep_json=b"",
        trials=pd.DataFrame(trials),
        curves=pd.DataFrame(curves),
        weights=pa.Table.from_pylist(models),
        lacking={},
        warnings=(),
    )


def lesson(worlds: Mapping[str, World], seeds: int = 12, epochs: int = 60) -> LessonSweeps:
    """Made-up sweeps in these roles, in memory and short."""
    return LessonSweeps(
        {
            role: in_memory(role, made_up(role, world, seeds, epochs))
            for role, world in worlds.items()
        }
    )


def write_role(uri: str, role: str, sweep: Sequence[Recorded] | None = None, **more: object) -> str:
    """Records a sweep in that role as `sweeps/` does; its run id. `more`: of `write_sweep`."""
    setting = SETTINGS[role]
    artifacts = Path(uri.removeprefix("sqlite:///")).parent / "artifacts"
    changes = {"dataset": dataset_of(role), **dict(more.pop("changes", {}))}  # type: ignore[call-overload]
    sweep = sweep or made_up(role, seeds=4)
    return write_sweep(
        uri,
        artifacts,
        setting.sweep,
        setting.axes,
        sweep,
        changes=changes,
        **more,  # type: ignore[arg-type]
    )


# Things as they might be: dropout slows, much L2 hurts, large batches are slow.
PLAUSIBLE: Mapping[str, World] = {
    "dropout-stratified": World(
        test=lambda hp: 0.95 - 0.1 * hp.dropout**2,
        train=lambda hp: 0.97 - 0.12 * hp.dropout,
        pace=lambda hp: 20 * (1 + 2 * hp.dropout),
    ),
    "dropout": World(
        test=lambda hp: 0.95 - 0.1 * hp.dropout**2,
        train=lambda hp: 0.97 - 0.12 * hp.dropout,
        pace=lambda hp: 20 * (1 + 2 * hp.dropout),
    ),
    "l2": World(test=lambda hp: 0.95 - 0.4 * hp.l2, norm=lambda hp: 1 - 5 * hp.l2),
    "l1": World(),
    "batch_size": World(pace=lambda hp: 4 * hp.batch_size),
    "small-l2": World(),
    "strong-l1": World(zeros=lambda hp: min(0.6, 0.1 * hp.l1)),
    "long-batch": World(pace=lambda hp: 4 * hp.batch_size),
    "init": World(luck=0.02),
    "small": World(),
    "large": World(test=lambda hp: 0.95 + 0.1 * min(hp.dropout, 0.1)),
    "harder": World(test=lambda hp: 0.93 + 0.2 * min(hp.dropout, 0.1)),
}


def write_lesson(uri: str, seeds: int = 4) -> dict[str, str]:
    """Records a plausible sweep in every role; run ids by role."""
    return {
        role: write_role(uri, role, made_up(role, world, seeds))
        for role, world in PLAUSIBLE.items()
    }
