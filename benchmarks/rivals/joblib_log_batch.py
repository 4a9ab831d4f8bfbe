"""A sweep without a framework: joblib over the lesson's loop, one `log_batch` for each model.

    python joblib_log_batch.py --l2 0 0.05 0.1 --seeds 0 1 --epochs 500

A process on every core trains; the main process records each model, with every epoch, as it comes
in, in `mlflow.db` in the current folder.
"""

from __future__ import annotations

import argparse
import os
import time

import torch
from joblib import Parallel, delayed
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from jobs import Model
from lesson_loop import Epoch, epochs
from trainables import data
from trainables.hyperparameters import Hyperparameters

_MOST = 1000  # metrics that a `log_batch` takes: both accuracies of 500 epochs


def train_model(l2: float, seed: int, count: int) -> tuple[float, int, list[Epoch]]:
    """Trains one model with the lesson's loop for `count` epochs."""
    torch.set_num_threads(1)
    model = Model(Hyperparameters(l2=l2, epochs=count, split="random"), seed)
    return l2, seed, list(epochs(model, data.load("iris")))


def record(
    client: MlflowClient, experiment_id: str, l2: float, seed: int, curve: list[Epoch]
) -> None:
    """Writes one model as one finished run."""
    run = client.create_run(experiment_id, run_name=f"l2={l2:.6f} seed={seed}")
    now = int(time.time() * 1000)
    params = [Param("l2", str(l2)), Param("seed", str(seed)), Param("epochs", str(len(curve)))]
    metrics = [
        Metric(name, value, now, step)
        for step, epoch in enumerate(curve, 1)
        for name, value in epoch._asdict().items()
    ]
    for start in range(0, len(metrics), _MOST):
        client.log_batch(
            run.info.run_id, metrics[start : start + _MOST], params if not start else []
        )
    client.set_terminated(run.info.run_id)


def main() -> None:
    """Runs the sweep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--l2", type=float, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    options = parser.parse_args()
    client = MlflowClient(f"sqlite:///{os.getcwd()}/mlflow.db")
    experiment_id = client.create_experiment("l2")
    trained = Parallel(n_jobs=os.cpu_count(), return_as="generator_unordered")(
        delayed(train_model)(l2, seed, options.epochs)
        for l2 in options.l2
        for seed in options.seeds
    )
    for l2, seed, curve in trained:
        record(client, experiment_id, l2, seed, curve)


if __name__ == "__main__":
    main()
