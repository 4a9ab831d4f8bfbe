"""What a stored model says of itself: which seed's it is, how it was chosen, what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeps.plan.ranking import how_chosen, judged_on
from sweeps.record.pages.model_network import ChosenModel
from sweeps.record.pages.named_probabilities import CLASSES, COLUMNS
from sweeps.record.pages.words import percent
from trainables.record_format import Artifact, Final, Metric
from trainables.result import interval

TEST = f"{Metric.MODEL}{Final.TEST_ACCURACY}"
TRAIN = f"{Metric.MODEL}{Final.TRAIN_ACCURACY}"


def which_seed(model: ChosenModel) -> str:
    """Which of the trial's seeds it is, and how that was chosen, in words."""
    manifest, seeds = model.manifest, model.result.trial.seeds
    if len(seeds) == 1:
        return f"seed {model.seed}, the trial's only one"
    window = manifest.summary_epochs
    judge = "cross-validated" if manifest.folds else judged_on(manifest)
    return (
        f"seed {model.seed} of the {len(seeds)} seeds {min(seeds)} to {max(seeds)}: the one with "
        f"the highest {judge} accuracy, mean of epochs {window.start + 1} to {window.stop}, and of "
        f"equals the lowest {judge} loss"
    )


def facts(model: ChosenModel) -> dict[str, Any]:
    """The model's metadata."""
    manifest, trial, dataset = model.manifest, model.result.trial, model.dataset
    chosen = which_seed(model)
    return {
        "sweep": manifest.run_name,
        "configuration": trial.name,
        "seed": model.seed,
        "chosen": f"{chosen}; {how_chosen(manifest)}" if manifest.folds else chosen,
        "standardized": trial.hyperparameters.standardize,
        "dataset": dataset.name,
        "dataset_digest": dataset.digest,
        COLUMNS: list(dataset.feature_names),
        CLASSES: list(dataset.class_names),
    }


def description(model: ChosenModel, numbers: Mapping[str, float], run_id: str) -> str:
    """The model's description in Markdown. `numbers`: its accuracies, see `TEST` and `TRAIN`."""
    manifest, trial, rows = model.manifest, model.result.trial, model.rows()
    all_seeds = interval(model.result.finals(manifest.summary_epochs)[Final.TEST_ACCURACY])
    if manifest.folds:
        caution = f"It was {how_chosen(manifest)}."
    else:
        caution = "Its test rows took part in that choice: their figure flatters it."
    if len(trial.seeds) > 1:
        caution += f" Mean test accuracy of all seeds: {percent(all_seeds)}."
    scaled = ", scaled by the model itself" if trial.hyperparameters.standardize else ""
    return (
        f"**`{trial.name}`, the best trial of {manifest.run_name}**: "
        f"{which_seed(model)}.\n\n"
        f"As it is stored, after the last epoch, it gets {_share(numbers[TEST])} of its seed's "
        f"{len(rows.y_test)} test rows right and {_share(numbers[TRAIN])} of its "
        f"{len(rows.y_train)} training rows. {caution}\n\n"
        f"It takes rows with the columns of {model.dataset.name} as they stand in the data"
        f"{scaled}, and gives a probability for each class:\n\n"
        "```python\n"
        f'model = mlflow.pyfunc.load_model("runs:/{run_id}/{Artifact.BEST_MODEL}")\n'
        'model.predict(pd.read_csv("rows.csv"))\n'
        "```"
    )


def _share(accuracy: float) -> str:
    return f"{100 * accuracy:.1f} %"
