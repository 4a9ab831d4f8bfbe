"""Bias and variance add up to the error, and neither depends on how many models there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.bias_variance import BiasOptions, main
from analysis.figures.bias_variance_figure import points_of
from analysis.reading.connection import open_store
from analysis.reading.errors import Stop
from analysis.reading.load_sweep import load_sweep
from analysis.recorded_models.bias_variance import decompose, parts
from support.record_fixture import DATASET, Recorded, new_store, write_sweep
from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial

SEEDS = 200
TRUTH = np.eye(3)[np.arange(30) % 3]


def _drawn(models: int, seed: int, spread: float = 0.1) -> np.ndarray:
    """(S, 30, 3): predictions around 1/3, each entry with that deviation."""
    return 1 / 3 + np.random.default_rng(seed).normal(0, spread, (models, 30, 3))


def test_models_that_agree_have_no_variance() -> None:
    same = np.repeat(_drawn(1, 0), 5, axis=0)
    error, bias, variance = decompose(same, np.ones((5, 30), bool), TRUTH)
    assert variance == pytest.approx(0, abs=1e-12)
    assert error == pytest.approx(bias)
    assert error == pytest.approx(((same[0] - TRUTH) ** 2).sum(axis=1).mean())


def test_error_is_the_mean_squared_error_of_the_rows_that_are_judged() -> None:
    drawn, judged = _drawn(9, 1), np.random.default_rng(2).random((9, 30)) < 0.5
    judged[:2] = True
    error, bias, variance = decompose(drawn, judged, TRUTH)
    squared = ((drawn - TRUTH) ** 2).sum(axis=2)
    by_row = np.where(judged, squared, 0).sum(axis=0) / judged.sum(axis=0)
    assert error == pytest.approx(by_row.mean())
    assert error == pytest.approx(bias + variance)
    elsewhere = np.where(judged[..., None], drawn, 1e9)  # what trained on a row says nothing of it
    assert decompose(elsewhere, judged, TRUTH) == pytest.approx((error, bias, variance))


@pytest.mark.parametrize("models", [2, 5, 50])
def test_neither_part_depends_on_the_number_of_models(models: int) -> None:
    runs = 4000 // models
    found = np.array(
        [decompose(_drawn(models, k), np.ones((models, 30), bool), TRUTH) for k in range(runs)]
    )
    bias = ((1 / 3 - TRUTH) ** 2).sum(axis=1).mean()
    assert found[:, 1].mean() == pytest.approx(bias, abs=0.004)
    assert found[:, 2].mean() == pytest.approx(3 * 0.1**2, abs=0.001)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two penalties on moons, really trained, so that what is recomputed is what was recorded."""
    folder = tmp_path_factory.mktemp("bias")
    store, moons, seeds = new_store(folder), data.load("moons"), range(SEEDS)
    sweep = []
    for l2 in (0.0, 1.0):
        hp = Hyperparameters(
            dataset="moons", standardize=True, hidden=(6,), epochs=40, lr=0.2, batch_size=8, l2=l2
        )
        trained = train_pack([Model(hp, Seed.of(seed)) for seed in seeds], moons)
        trial = Trial(f"l2={l2:.6f}", hp, tuple(seeds))
        sweep.append(Recorded(trial, trained.curves, trained.parameters))
    facts = {**DATASET, "name": "moons", "digest": moons.digest}
    write_sweep(store, folder / "art", "seeds", ("l2",), sweep, "moons", changes={"dataset": facts})
    return store


def test_the_error_is_that_of_the_recorded_models_and_a_penalty_trades_variance_for_bias(
    uri: str,
) -> None:
    found = points_of([load_sweep(open_store(uri), "seeds")])
    none, much = (one.found for one in found.points)
    assert found.field == "l2"
    for each in (none, much):
        assert each.error.n == 20
        assert each.error.mean == pytest.approx((each.bias.mean or 0) + (each.variance.mean or 0))
    assert (much.variance.high or 1) < (none.variance.low or 0)
    assert (much.bias.low or 0) > (none.bias.high or 1)


def test_the_script_draws_it_and_says_what_it_needs(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(BiasOptions(tracking_uri=uri, sweeps=("moons",), out=tmp_path, upload=False)) == 0
    assert "The error is least at" in capsys.readouterr().out
    assert len(list(tmp_path.glob("bias_variance_l2_*.png"))) == 1
    assert main(BiasOptions(tracking_uri=uri)) == 2
    assert "needs the run id of a sweep" in capsys.readouterr().err


def test_few_seeds_are_refused(uri: str) -> None:
    record = load_sweep(open_store(uri), "seeds")
    few = Trial("few", record.configurations[0].hyperparameters, tuple(range(30)))
    with pytest.raises(Stop, match="at least 200 seeds, moons has 30"):
        parts(record, few)
