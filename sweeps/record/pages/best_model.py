"""The best trial's model as an MLflow model, which answers by itself, without this project."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sweeps.record.pages import model_words, named_probabilities
from sweeps.record.pages.model_network import ChosenModel, accuracy, network_of, scale_of
from sweeps.record.store.mlflow_private import trust_requirements
from trainables.record_format import Artifact, Final, Parameter, Tag, short
from trainables.result import TrialResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import Model, ModelSignature
    from torch import nn

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_EXAMPLE_ROWS = 5


def rehearse() -> None:
    """Imports what `log_best_model` needs, which takes seconds the first time."""
    for name in ("torch", "mlflow.models", "mlflow.pytorch", "safetensors.numpy"):
        import_module(name)


def best_seed(result: TrialResult, summary_epochs: range, judge: str) -> int:
    """Index of the seed with the highest final accuracy; of equals, the lowest loss.

    `judge`: on which rows, `test` or, so that no test row takes part in the choice, `cv`.
    """
    finals = result.finals(summary_epochs)
    accuracies = np.nan_to_num(finals[Final.accuracy(judge)], nan=-1.0)
    loss = np.nan_to_num(finals[Final.loss(judge)], nan=np.inf)
    return int(np.lexsort((loss, -accuracies))[0])


def log_best_model(
    client: MlflowClient,
    experiment_id: str,
    run_id: str,
    model: ChosenModel,
    params: Mapping[str, str],
    now: int,
) -> None:
    """Stores the model as an output of that sweep's run, with its accuracies, linked to the data.

    `params`: those of its trial's run. `now`: the time of the numbers in milliseconds since 1970.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric
    from mlflow.models import Model

    network, rows = network_of(model), model.rows()
    numbers = {
        model_words.TEST: accuracy(network, rows.x_test, rows.y_test),
        model_words.TRAIN: accuracy(network, rows.x_train, rows.y_train),
    }
    about = model_words.description(model, numbers, run_id)
    params = {**params, Parameter.SEED: str(model.seed)}
    with _patient_requests(), tempfile.TemporaryDirectory(prefix="sweep-") as scratch:
        logged = client.create_logged_model(
            experiment_id, Artifact.BEST_MODEL, run_id, {Tag.NOTE: about}, params, "classifier"
        )
        description = Model(
            artifact_path=logged.artifact_location, run_id=run_id, model_id=logged.model_id
        )
        folder = Path(scratch, Artifact.BEST_MODEL)
        write_model(folder, model, network, description)
        client.log_model_artifacts(logged.model_id, str(folder))
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        of = {
            "model_id": logged.model_id,
            "dataset_name": model.dataset.name,
            "dataset_digest": model.dataset.digest,
            "run_id": run_id,
        }
        points = [Metric(name, short(value), now, 0, **of) for name, value in numbers.items()]
        client.log_batch(run_id, metrics=points)
        # Last of all: what is an output of the run is whole.
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])


def write_model(folder: Path, model: ChosenModel, network: nn.Module, description: Model) -> None:
    """Writes the model's folder: network, loader, weights, and as `MLmodel` the `description`."""
    import mlflow.pyfunc
    import mlflow.pytorch
    import pandas as pd
    import torch

    columns = list(model.dataset.feature_names)
    logging.getLogger("mlflow.pytorch").setLevel(logging.ERROR)  # it warns of any pickle
    trust_requirements()
    loader = Path(named_probabilities.__file__)
    mlflow.pytorch.save_model(
        network,
        folder,
        mlflow_model=description,
        code_paths=[str(loader)],
        signature=_signature(model),
        input_example=pd.DataFrame(model.rows().x_test[:_EXAMPLE_ROWS], columns=columns),
        metadata=model_words.facts(model),
        # Given, because MLflow would find them by loading the model in another process.
        pip_requirements=[f"torch=={torch.__version__.split('+')[0]}", "numpy", "pandas"],
        # The other format needs five seconds of imports for the same network.
        serialization_format="pickle",
    )
    _write_weights(folder / Artifact.MODEL_WEIGHTS, model)
    # In place of MLflow's own loader for torch, which knows no names.
    environments = {"conda_env": "conda.yaml", "python_env": "python_env.yaml"}
    mlflow.pyfunc.add_to_model(description, loader.stem, code="code", **environments)
    description.save(folder / "MLmodel")


def _signature(model: ChosenModel) -> ModelSignature:
    """The columns of the data in, those of the classes out."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    # Of any type, because MLflow refuses whole numbers for float64, and a column of a CSV file is
    # of whole numbers as soon as none of its values has a fraction. The loader wants numbers.
    anything = AnyType()  # type: ignore[no-untyped-call]
    return ModelSignature(
        Schema([ColSpec(anything, name) for name in model.dataset.feature_names]),
        Schema([ColSpec(DataType.double, name) for name in model.dataset.class_names]),
    )


def _write_weights(path: Path, model: ChosenModel) -> None:
    """Every weight and bias, with the scale of the features, readable without torch and pickle."""
    from safetensors.numpy import save_file

    tensors = {**model.parameters, **scale_of(model)._asdict()}
    names = {
        named_probabilities.COLUMNS: json.dumps(model.dataset.feature_names),
        named_probabilities.CLASSES: json.dumps(model.dataset.class_names),
    }
    save_file({name: np.ascontiguousarray(each) for name, each in tensors.items()}, path, names)


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
