"""Where regularization helps: what is chosen on some seeds is judged on others, and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.helping.gain_figures import gain_plot, strength_plot
from analysis.helping.gains import Gain, gains, without
from analysis.helping.helping_sweeps import (
    REGULARIZERS,
    Stopping,
    fits,
    load_helping,
    load_stopping,
)
from analysis.helping.stopping import stops
from analysis.helping.stopping_figure import stopping_plot
from analysis.plotting.draw import draw
from analysis.reading.connection import open_store
from analysis.reading.errors import Stop
from analysis.reading.script_options import Places
from analysis.reading.sweep_record import SweepRecord
from analysis.where_it_helps import main
from support.legible import require_legible
from support.record_fixture import DATASET, Recorded, configuration_name, new_store, write_sweep
from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import Hyperparameters
from trainables.result import CURVES
from trainables.trial import Trial

SEEDS, EPOCHS = 40, 30
VALUES = {"dropout": (0.2, 0.5), "l1": (0.1, 1.0), "l2": (0.01, 0.1), "noise": (0.3, 1.0)}
# (S, E): test accuracy of a configuration, from an index of seeds (S, 1) and one of epochs (E,).
World = Callable[[Hyperparameters, np.ndarray, np.ndarray], np.ndarray]


def _two_help(hp: Hyperparameters, _seed: np.ndarray, _epoch: np.ndarray) -> np.ndarray:
    return np.asarray(0.8 + 0.06 * (hp.l2 == 0.1) + 0.01 * (hp.l1 == 1) - 0.05 * (hp.noise > 0))


def _only_the_first_seeds(hp: Hyperparameters, seed: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.asarray(0.8 + 0.1 * (hp.dropout == 0.5) * (seed < SEEDS // 2))


def _falls_again(_hp: Hyperparameters, _seed: np.ndarray, epoch: np.ndarray) -> np.ndarray:
    return np.asarray(0.8 + 0.05 * (epoch == 9))


WORLDS: Mapping[str, World] = {
    "iris": _two_help,
    "moons": _only_the_first_seeds,
    "wide": _falls_again,
}


def _rises(_hp: Hyperparameters, _seed: np.ndarray, epoch: np.ndarray) -> np.ndarray:
    return np.asarray(0.6 + 0.005 * epoch)


def _best_at(*epochs: int) -> World:
    """Validation accuracy that is best at the first of these epochs for even seeds, and so on."""

    def world(_hp: Hyperparameters, seed: np.ndarray, epoch: np.ndarray) -> np.ndarray:
        return np.asarray(0.7 + 0.1 * (epoch == np.array(epochs)[seed % len(epochs)]))

    return world


# What the folds of each data set's baseline say; `iris` has none.
VALIDATION: Mapping[str, World] = {"moons": _rises, "wide": _best_at(9, 9, 20)}


def _with_folds(baseline: Recorded, world: World) -> list[Recorded]:
    """That configuration alone, the same models, and what their folds' say beside them."""
    trial = replace(baseline.trial, name="lr=0.005", folds=5)
    seed, epoch = np.arange(SEEDS)[:, None], np.arange(EPOCHS)
    accuracy = (world(trial.hyperparameters, seed, epoch) + np.zeros((SEEDS, EPOCHS))).astype("f4")
    folds = {"cv/accuracy": accuracy, "cv/loss": 1 - accuracy}
    return [Recorded(trial, {**baseline.curves, **folds}, baseline.weights)]


def _sweep(dataset: str, world: World) -> list[Recorded]:
    """The baseline and each value alone; seeds differ, and configurations by next to nothing."""
    base = Hyperparameters(dataset=dataset, epochs=EPOCHS)
    each = [base, *(base.at(**{name: v}) for name, values in VALUES.items() for v in values)]
    of_seeds = np.random.default_rng(0).normal(0, 0.03, (SEEDS, 1))
    seed, epoch = np.arange(SEEDS)[:, None], np.arange(EPOCHS)
    sweep = []
    for number, hp in enumerate(each):
        luck = np.random.default_rng(number + 1).normal(0, 0.003, (SEEDS, 1))
        test = world(hp, seed, epoch) + of_seeds + luck + np.zeros((SEEDS, EPOCHS))
        curves = {name: test.astype(np.float32) for name in CURVES}
        curves["train/accuracy"] = np.ones_like(curves["train/accuracy"])
        trial = Trial(configuration_name(REGULARIZERS, hp), hp, tuple(range(SEEDS)))
        weights = {
            f"{layer}.{kind}": np.zeros((SEEDS, 1, 1)[: 3 if kind == "weight" else 2], np.float32)
            for layer in (0, 1)
            for kind in ("weight", "bias")
        }
        sweep.append(Recorded(trial, curves, weights))
    return sweep


def _other_seeds(one: Recorded) -> Recorded:
    return replace(one, trial=replace(one.trial, seeds=tuple(range(100, 100 + SEEDS))))


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("helping")
    store = new_store(folder)
    for name, world in WORLDS.items():
        facts = {**DATASET, "name": name, **DATASETS[name]._asdict()}
        changes = {"dataset": facts | {"class_names": [], "feature_names": []}}
        sweep = _sweep(name, world)
        write_sweep(store, folder / "art", "seeds", REGULARIZERS, sweep, name, changes=changes)
        if name in VALIDATION:
            folds = _with_folds(sweep[0], VALIDATION[name])
            write_sweep(
                store, folder / "art", "seeds", ["lr"], folds, f"{name}-folds", changes=changes
            )
            fewer = [_other_seeds(folds[0])]  # newer, but not of the models that are judged
            write_sweep(
                store, folder / "art", "seeds", ["lr"], fewer, f"{name}-others", changes=changes
            )
    # One that tries combinations: it is no such sweep.
    both = [*_sweep("iris", _two_help)[:2]]
    write_sweep(store, folder / "art", "seeds", ("dropout", "l2"), both, "other")
    return store


@pytest.fixture(scope="module")
def records(uri: str) -> Mapping[str, SweepRecord]:
    return load_helping(open_store(uri))


@pytest.fixture(scope="module")
def stopping(uri: str, records: Mapping[str, SweepRecord]) -> Mapping[str, Stopping]:
    return load_stopping(open_store(uri), records)


@pytest.fixture(scope="module")
def found(
    records: Mapping[str, SweepRecord], stopping: Mapping[str, Stopping]
) -> dict[tuple[str, str], Gain]:
    return {(one.dataset, one.regularizer): one for one in gains(records, stopping)}


def test_each_data_sets_sweep_is_found_and_no_other(records: Mapping[str, SweepRecord]) -> None:
    assert list(records) == list(WORLDS)
    assert all(fits(record.manifest) for record in records.values())


def test_what_helps_is_told_from_what_harms_and_from_luck(
    found: dict[tuple[str, str], Gain],
) -> None:
    words = {name: found["iris", name].verdict for name in REGULARIZERS}
    assert words == {
        "dropout": "not more than luck",
        "l1": "helps",
        "l2": "helps, by more than 2 points",
        "noise": "harms",
    }
    assert found["iris", "l2"].chosen == "L2 λ 0.1"
    assert found["iris", "l2"].gain.mean == pytest.approx(0.06, abs=0.004)


def test_a_gain_is_judged_on_seeds_that_did_not_choose(found: dict[tuple[str, str], Gain]) -> None:
    gain = found["moons", "dropout"]
    assert gain.chosen == "dropout 0.5"
    assert gain.claimed == pytest.approx(0.1, abs=0.004)
    assert gain.gain.mean == pytest.approx(0, abs=0.004)
    assert gain.gain.n == SEEDS // 2
    assert gain.verdict == "not more than luck"


def test_folds_are_those_of_the_same_models(stopping: Mapping[str, Stopping]) -> None:
    assert [one.record.manifest.run_name for one in stopping.values()] == [
        "moons-folds",
        "wide-folds",
    ]


def test_early_stopping_is_chosen_on_validation_rows_and_judged_on_test_rows(
    stopping: Mapping[str, Stopping], found: dict[tuple[str, str], Gain]
) -> None:
    each = stops(stopping["wide"])
    expected = np.array([10, 10, 21])[np.arange(SEEDS) % 3]
    np.testing.assert_array_equal(each.epochs, expected)
    record, trial = stopping["wide"]
    test = record.curve(trial, "test/accuracy")
    np.testing.assert_array_equal(each.test, test[np.arange(SEEDS), expected - 1])
    gain = found["wide", "early"]
    assert gain.chosen == "epochs 10 to 21, median 10"
    # Epoch 10 is 5 points better on the test rows than the mean of the last, epoch 21 is not.
    judging = expected[SEEDS // 2 :]
    assert gain.gain.mean == pytest.approx(0.05 * (judging == 10).mean(), abs=1e-6)
    assert gain.gain.n == len(judging)
    # The mean of epochs 16 to 28 has the best one in it for those that stop at 21.
    assert gain.claimed == pytest.approx(0.1 - 0.1 / 13 * (judging == 21).mean(), abs=1e-6)


def test_where_validation_rows_gain_to_the_end_nothing_is_stopped(
    stopping: Mapping[str, Stopping],
) -> None:
    assert set(stops(stopping["moons"]).epochs) == {EPOCHS}


def test_of_epochs_that_validation_rows_cannot_tell_apart_the_loss_decides(
    stopping: Mapping[str, Stopping],
) -> None:
    record, trial = stopping["moons"]
    curves = record.curves.copy()
    epoch = np.tile(np.arange(EPOCHS), SEEDS)
    curves["cv/accuracy"] = np.float32(0.7)
    curves["cv/loss"] = np.where(epoch == 12, 0.2, 0.3).astype(np.float32)
    curves.loc[: EPOCHS - 1, "cv/accuracy"] = np.nan  # a fold of the first seed diverged at once
    each = stops(Stopping(replace(record, curves=curves), trial))
    assert np.isnan([each.epochs[0], each.test[0], each.promised[0]]).all()
    assert set(each.epochs[1:]) == {13}


def test_p_is_corrected_for_the_whole_table(records: Mapping[str, SweepRecord]) -> None:
    (alone,) = (one for one in gains({"iris": records["iris"]}) if one.regularizer == "l1")
    (among,) = (one for one in gains(records) if (one.dataset, one.regularizer) == ("iris", "l1"))
    assert alone.gain == among.gain
    assert alone.p is not None
    assert among.p is not None
    assert alone.gain.p is not None
    assert alone.gain.p < alone.p < among.p


def test_every_gain_stands_in_the_figures_and_can_be_read(
    records: Mapping[str, SweepRecord],
    stopping: Mapping[str, Stopping],
    found: dict[tuple[str, str], Gain],
) -> None:
    plot = gain_plot(records, list(found.values()), without(records))
    drawn = plot.table()
    shown = drawn[(drawn["series"] == "L2") & (drawn["row"] == "iris")]
    assert shown["x"].tolist() == pytest.approx([100 * (found["iris", "l2"].gain.mean or 0)])
    assert set(drawn["row"]) == set(WORLDS)
    strengths = strength_plot(records)
    of_l2 = strengths.table().query("panel == 'L2' and series == 'iris'")
    assert of_l2["x"].tolist() == [0.01, 0.1]
    stopped = stopping_plot(stopping)
    dots = stopped.table().query("series == 'wide, of 30 epochs'")
    assert dots["x"].tolist() == pytest.approx((stops(stopping["wide"]).epochs / 0.3).tolist())
    for each in (plot, strengths, stopped):
        require_legible(draw(each))


def test_the_script_prints_and_saves_the_table(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(Places(tracking_uri=uri, out=tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "by more than 2 points: L2 on iris; early stopping on wide" in " ".join(printed.split())
    table = pd.read_csv(tmp_path / "where_it_helps.csv")
    assert len(table) == 14
    assert "no early stopping on iris: it needs folds" in " ".join(printed.split())
    assert "lesson.py --where-it-helps --only stops-iris" in " ".join(printed.split())
    assert (table["low"] <= table["gain"]).all()
    page = (tmp_path / "where_it_helps.md").read_text(encoding="utf-8")
    assert "| iris | L2 | L2 λ 0.1 | +" in page
    assert "- wide, folds: wide-folds, MLflow run " in page
    assert (tmp_path / "where_it_helps_gains.png").is_file()
    assert (tmp_path / "where_it_helps_stopping.png").is_file()


def test_a_store_without_such_a_sweep_is_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"lesson\.py --where-it-helps$") as none:
        load_helping(open_store(new_store(tmp_path)))
    assert none.value.code == 2
