"""The stored best model answers for raw rows by itself, and says which model it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import LoggedModel
from mlflow.models import Model
from safetensors import safe_open
from safetensors.numpy import load_file

from support.made_up_results import made_up
from support.record import Record
from support.scripts import HANG, environment
from sweeps import l2
from sweeps.record.pages.best_model import best_seed, write_model
from sweeps.record.pages.model_network import ChosenModel, network_of
from sweeps.record.pages.model_words import description, which_seed
from trainables import data
from trainables.pack_run import PackRun

WINE = data.load("wine")
# A process that has neither this project nor scikit-learn, whatever is installed.
BARE = (
    "import sys\n"
    "sys.modules.update(dict.fromkeys(('trainables', 'sweeps', 'analysis', 'sklearn')))\n"
    "import mlflow, pandas as pd\n"
    "place, rows, out = sys.argv[1:]\n"
    "model = mlflow.pyfunc.load_model(place)\n"
    "model.predict(pd.read_csv(rows)).to_json(out, orient='split', double_precision=15)\n"
    "network = mlflow.pytorch.load_model(place)\n"
    "print(*(type(layer).__module__ for layer in network))\n"
)


def answers(place: str, rows: pd.DataFrame, folder: Path, store: str = "") -> pd.DataFrame:
    """What the model at that address predicts of the rows in a CSV file, in a bare process."""
    folder.mkdir()
    rows.to_csv(folder / "rows.csv", index=False)
    own = {k: v for k, v in environment().items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", BARE, place, "rows.csv", "out.json"],
        cwd=folder,
        env=own | ({"MLFLOW_TRACKING_URI": store} if store else {}),
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(name.startswith("torch.nn.") for name in done.stdout.split())
    return pd.read_json((folder / "out.json").open(), orient="split", precise_float=True)


def table(dataset: data.Dataset, x: np.ndarray) -> pd.DataFrame:
    """The rows as people have them: whole numbers without a point, columns in any order."""
    frame = pd.DataFrame(x, columns=list(dataset.feature_names))
    whole = {name: np.int64 for name in frame if (frame[name] % 1 == 0).all()}
    return frame.astype(whole).assign(vintage="unknown").iloc[:, ::-1]


@pytest.fixture(scope="module")
def wine() -> ChosenModel:
    """A model of wine, standardised, really trained."""
    flags = ("--dataset", "wine", "--standardize", "--seeds", "3", "--epochs", "60")
    manifest, _ = made_up(l2.SWEEP, "--num-samples", "2", *flags)
    (result,) = PackRun([manifest.baseline_trial], WINE).advance()
    index = best_seed(result, manifest.summary_epochs, "test")
    return ChosenModel(manifest, result, index, WINE)


@pytest.fixture(scope="module")
def stored(wine: ChosenModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that model."""
    folder = tmp_path_factory.mktemp("wine") / "model"
    write_model(folder, wine, network_of(wine), Model())
    return folder


def test_a_standardised_model_is_right_about_raw_rows_of_a_csv_file(
    wine: ChosenModel, stored: Path, tmp_path: Path
) -> None:
    rows = wine.rows()
    everything = table(WINE, np.concatenate([rows.x_test, rows.x_train]))
    assert "int64" in set(map(str, everything.dtypes))
    found = answers(str(stored), everything, tmp_path / "empty")
    assert list(found.columns) == list(WINE.class_names)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    right = found.to_numpy().argmax(axis=1) == np.concatenate([rows.y_test, rows.y_train])
    tested = len(rows.y_test)
    curves = wine.result.trained.curves
    assert right[:tested].mean() == pytest.approx(curves["test/accuracy"][wine.index, -1])
    assert right[tested:].mean() == pytest.approx(curves["train/accuracy"][wine.index, -1])
    assert right.mean() > 0.9


def test_its_loss_on_raw_rows_is_the_one_that_was_recorded(wine: ChosenModel, stored: Path) -> None:
    rows = wine.rows()
    found = mlflow.pyfunc.load_model(str(stored)).predict(table(WINE, rows.x_test)).to_numpy()
    loss = -np.log(found[np.arange(len(found)), rows.y_test]).mean()
    recorded = wine.result.trained.curves["test/loss"][wine.index, -1]
    assert loss == pytest.approx(recorded, rel=1e-4)


def test_its_weights_can_be_read_without_torch_or_pickle(wine: ChosenModel, stored: Path) -> None:
    rows = wine.rows()
    weights = load_file(stored / "weights.safetensors")
    for name, values in wine.parameters.items():
        assert np.array_equal(weights[name], values)
    np.testing.assert_allclose(weights["mean"], rows.x_train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(weights["deviation"], rows.x_train.std(axis=0), rtol=1e-6)
    with safe_open(stored / "weights.safetensors", framework="numpy") as opened:
        names = opened.metadata()
    assert json.loads(names["columns"]) == list(WINE.feature_names)
    assert json.loads(names["classes"]) == list(WINE.class_names)


def test_what_is_no_number_is_refused_and_what_is_missing_has_no_answer(stored: Path) -> None:
    model = mlflow.pyfunc.load_model(str(stored))
    rows = table(WINE, WINE.x[:3])
    assert model.predict(rows[:0]).shape == (0, 3)
    found = model.predict(rows.astype({"hue": float}).assign(hue=[1.0, np.nan, 1.0]))
    assert found.isna().all(axis=1).tolist() == [False, True, False]
    with pytest.raises(ValueError, match=r"column hue needs numbers.*'blue'"):
        model.predict(rows.assign(hue=["1.0", "blue", "1.2"]))
    with pytest.raises(mlflow.MlflowException, match="hue"):
        model.predict(rows.drop(columns="hue"))


def test_it_says_which_seeds_it_is_and_how_that_was_chosen(wine: ChosenModel, stored: Path) -> None:
    facts = Model.load(stored).metadata or {}
    assert facts["seed"] == wine.seed
    assert facts["configuration"] == wine.result.trial.name
    assert facts["standardized"] is True
    assert f"seed {wine.seed} of the 3 seeds 0 to 2" in facts["chosen"]
    assert "the highest test accuracy, mean of epochs" in facts["chosen"]
    numbers = {"model/test_accuracy": 1.0, "model/train_accuracy": 0.99}
    text = description(wine, numbers, "some-run")
    assert f"seed {wine.seed} of the 3" in text
    assert "100.0 % of its seed's 36 test rows" in text
    assert "took part in that choice" in text
    assert "scaled by the model itself" in text
    lone, (result, *_) = made_up(l2.SWEEP, "--num-samples", "2", "--seeds", "1")
    only = ChosenModel(lone, result, 0, data.load("iris"))
    assert which_seed(only) == "seed 0, the trial's only one"
    folded, (result, *_) = made_up(l2.SWEEP, "--num-samples", "2", "--seeds", "2", "--folds", "4")
    chosen = which_seed(ChosenModel(folded, result, 0, data.load("iris")))
    assert "the highest cross-validated accuracy" in chosen


def _best_model(record: Record, **query: Any) -> list[LoggedModel]:
    found = record.client.search_logged_models([record.parent.info.experiment_id], **query)
    return list(found)


@pytest.mark.slow
@pytest.mark.sweep
def test_a_sweeps_model_is_found_by_its_accuracy_and_answers(
    l2_record: Record, tmp_path: Path
) -> None:
    (model,) = _best_model(l2_record)
    (accuracy,) = (m.value for m in model.metrics or [] if m.key == "model/test_accuracy")
    iris = [{"dataset_name": "iris", "dataset_digest": l2_record.manifest["dataset"]["digest"]}]
    at_least = "metrics.`model/test_accuracy` >= {}"
    assert _best_model(l2_record, filter_string=at_least.format(accuracy), datasets=iris)
    assert not _best_model(l2_record, filter_string=at_least.format(1.01), datasets=iris)
    wine = [{"dataset_name": "wine"}]
    assert not _best_model(l2_record, filter_string=at_least.format(0), datasets=wine)
    assert l2_record.parent.data.metrics["model/test_accuracy"] == accuracy
    outputs = l2_record.parent.outputs
    assert outputs is not None
    assert [output.model_id for output in outputs.model_outputs] == [model.model_id]
    assert str(model.status) == "READY"

    folder = model.artifact_location.removeprefix("file://")
    seed, facts = model.params["seed"], Model.load(folder).metadata or {}
    curves = l2_record.table("curves")
    last = curves[
        (curves["config"] == facts["configuration"])
        & (curves["seed"] == int(seed))
        & (curves["epoch"] == 40)
    ]
    assert accuracy == pytest.approx(last["test/accuracy"].item(), rel=1e-5)
    note = model.tags["mlflow.note.content"]
    assert f"seed {seed} of the 3 seeds 0 to 2" in note
    assert facts["configuration"] in note

    dataset = data.load("iris")
    place = f"runs:/{l2_record.parent.info.run_id}/best_model"
    store = f"sqlite:///{l2_record.folder}/mlflow.db"
    found = answers(place, table(dataset, dataset.x), tmp_path / "empty", store)
    assert list(found.columns) == ["setosa", "versicolor", "virginica"]
    assert (found.to_numpy().argmax(axis=1) == dataset.y).mean() > 0.5
