"""Small sweeps that were really trained, in memory: their weights, curves and data agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.reading.sweep_record import SweepRecord
from support.lesson_fixture import in_memory
from support.record_fixture import Recorded, configuration_name
from trainables import data
from trainables.dataset_facts import DATASETS
from trainables.draws import Seed
from trainables.hyperparameters import SOURCES, Hyperparameters
from trainables.network import Network
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial


def trained_sweep(
    fields: Sequence[str],
    points: Sequence[Mapping[str, Any]],
    seeds: int = 4,
    vary: tuple[str, ...] = SOURCES,
    **shared: Any,
) -> list[Recorded]:
    """A trained trial for each of the points; `shared`: hyperparameters of all of them."""
    sweep = []
    for point in points:
        hyperparameters = Hyperparameters(**{"epochs": 40, "hidden": (8,), **shared, **point})
        name = configuration_name(fields, hyperparameters)
        trial = Trial(name, hyperparameters, tuple(range(seeds)), vary)
        models = [Model(hyperparameters, Seed(*each)) for each in trial.model_seeds()]
        trained = train_pack(models, data.load(hyperparameters.dataset))
        sweep.append(Recorded(trial, trained.curves, trained.parameters))
    return sweep


def trained_record(role: str, sweep: Sequence[Recorded], **facts: object) -> SweepRecord:
    """The sweep as `load_sweep` would read it; `facts`: of the dataset, other than its own."""
    return in_memory(role, sweep, **{**facts_of(sweep), **facts})


def facts_of(sweep: Sequence[Recorded]) -> dict[str, object]:
    """What a manifest says of the data that the sweep was trained on."""
    dataset = data.load(sweep[0].trial.hyperparameters.dataset)
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        **DATASETS[dataset.name]._asdict(),
        "class_names": list(dataset.class_names),
        "feature_names": list(dataset.feature_names),
    }


def torch_classes(one: Recorded, place: int, x: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class that torch's own network with the weights of one seed gives rows as it is given
    them, (N, F).
    """
    outputs = one.weights[f"{len(one.weights) // 2 - 1}.weight"].shape[1]
    network = Network(x.shape[1], one.trial.hyperparameters.hidden, outputs)
    for number, layer in enumerate(network.linear_layers()):
        layer.weight.data = torch.from_numpy(one.weights[f"{number}.weight"][place].copy())
        layer.bias.data = torch.from_numpy(one.weights[f"{number}.bias"][place].copy())
    with torch.no_grad():
        scores = network.eval()(torch.from_numpy(x.astype(np.float32)))
    found: NDArray[np.int64] = scores.argmax(dim=1).numpy()
    return found
