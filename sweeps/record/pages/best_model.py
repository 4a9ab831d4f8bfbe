"""The best trial's model as an MLflow PyTorch model, which loads without this project."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from sweeps.record.store.mlflow_private import trust_requirements
from trainables import data
from trainables.draws import Seed
from trainables.record_format import Artifact, Final
from trainables.result import TrialResult
from trainables.trial import Trial

if TYPE_CHECKING:
    from torch import nn

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def rehearse() -> None:
    """Imports what `log_best_model` needs, which takes seconds the first time."""
    for name in ("torch", "mlflow.models", "mlflow.pytorch"):
        import_module(name)


def best_seed(result: TrialResult, summary_epochs: range, judge: str) -> int:
    """Index of the seed with the highest final accuracy; of equals, the lowest loss.

    `judge`: on which rows, `test` or, so that no test row takes part in the choice, `cv`.
    """
    finals = result.finals(summary_epochs)
    accuracy = np.nan_to_num(finals[Final.accuracy(judge)], nan=-1.0)
    loss = np.nan_to_num(finals[Final.loss(judge)], nan=np.inf)
    return int(np.lexsort((loss, -accuracy))[0])


def plain_network(result: TrialResult, index: int) -> nn.Sequential:
    """The model of the seed at `index`, made of torch's own layers only."""
    import torch
    from torch import nn

    parameters = result.trained.parameters
    count = len(parameters) // 2
    layers: list[nn.Module] = []
    for number in range(count):
        weight = torch.from_numpy(parameters[f"{number}.weight"][index].copy())
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(torch.from_numpy(parameters[f"{number}.bias"][index].copy()))
        layers.append(linear)
        if number < count - 1:
            layers += [nn.ReLU(), nn.Dropout(result.trial.hyperparameters.dropout)]
    return nn.Sequential(*layers).eval()


def log_best_model(
    uri: str, run_id: str, result: TrialResult, index: int, dataset: data.Dataset, chosen: str
) -> None:
    """Stores the model of the seed at `index` with signature and input example in that run.

    `chosen`: how, in words for its metadata; may be empty.
    """
    import mlflow
    import mlflow.pytorch
    import torch
    from mlflow.models import infer_signature

    network = plain_network(result, index)
    rows = _example(dataset, result.trial, index)
    with torch.no_grad():
        scores = network(torch.from_numpy(rows)).numpy()
    logging.getLogger("mlflow.pytorch").setLevel(logging.ERROR)  # it warns of any pickle
    trust_requirements()
    mlflow.set_tracking_uri(uri)
    with _patient_requests(), mlflow.start_run(run_id=run_id):
        mlflow.pytorch.log_model(
            network,
            name=Artifact.BEST_MODEL,
            signature=infer_signature(rows, scores),
            input_example=rows,
            metadata={"chosen": chosen} if chosen else None,
            # Given, because MLflow would find them by loading the model in another process.
            pip_requirements=[f"torch=={torch.__version__.split('+')[0]}", "numpy"],
            # The other format needs five seconds of imports for the same network.
            serialization_format="pickle",
        )


@contextmanager
def _patient_requests() -> Iterator[None]:
    """Lets MLflow repeat its requests: a model takes a dozen, which are not ours to make singly.

    A model that is created twice thereby is no output of the run, and is removed afterwards.
    """
    before = os.environ.get(_RETRIES, "0")
    os.environ[_RETRIES] = "4"
    try:
        yield
    finally:
        os.environ[_RETRIES] = before


def _example(dataset: data.Dataset, trial: Trial, index: int) -> np.ndarray:
    """Five test rows as the model wants them, standardised if it was trained so."""
    seed = Seed._make(trial.model_seeds()[index])
    split = data.split(dataset, seed.split, trial.hyperparameters.standardize)
    return split.x_test[:5].astype(np.float32)
