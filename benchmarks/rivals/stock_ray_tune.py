"""A sweep with stock Ray Tune: a function trainable, a report an epoch, `MLflowLoggerCallback`.

    python stock_ray_tune.py --l2 0 0.05 0.1 --seeds 0 1 --epochs 500

A trial for each λ and seed, one core each, recorded in `mlflow.db` in the current folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback

from jobs import Model
from lesson_loop import epochs
from trainables import data
from trainables.hyperparameters import Hyperparameters


def train_model(config: dict[str, Any]) -> None:
    """Trains one model with the lesson's loop and reports both accuracies after every epoch."""
    hyperparameters = Hyperparameters(l2=config["l2"], epochs=config["epochs"], split="random")
    for epoch in epochs(Model(hyperparameters, config["seed"]), data.load("iris")):
        tune.report({"train_accuracy": epoch.train_accuracy, "test_accuracy": epoch.test_accuracy})


def main() -> None:
    """Runs the sweep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--l2", type=float, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    options = parser.parse_args()
    here = Path.cwd()
    tuner = tune.Tuner(
        tune.with_resources(train_model, {"cpu": 1}),
        param_space={
            "l2": tune.grid_search(options.l2),
            "seed": tune.grid_search(options.seeds),
            "epochs": options.epochs,
        },
        run_config=tune.RunConfig(
            name="l2",
            storage_path=str(here / "ray_results"),
            callbacks=[
                MLflowLoggerCallback(
                    tracking_uri=f"sqlite:///{here}/mlflow.db", experiment_name="l2"
                )
            ],
        ),
    )
    results = tuner.fit()
    if results.num_errors:
        raise SystemExit(f"{results.num_errors} trials failed: {results.errors[0]}")


if __name__ == "__main__":
    main()
