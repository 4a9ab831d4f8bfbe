"""A pack in chunks hands over every trial once, with the numbers of training all at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.pack_run import PackRun
from trainables.result import CURVES, Trained, TrialResult
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial

IRIS = data.load("iris")
SEEDS = [(0, 1, 2), (3,), (4, 5, 6, 7, 8), (0, 9), (2, 1, 0)]
MODELS = sum(map(len, SEEDS))


def _trials(epochs: int = 4) -> list[Trial]:
    """Trials of one shape with different numbers of seeds."""
    return [
        Trial(
            f"l2={number / 100:.6f}",
            Hyperparameters(l2=number / 100, dropout=number / 10, epochs=epochs, hidden=(9,)),
            seeds,
        )
        for number, seeds in enumerate(SEEDS)
    ]


def _finish(run: PackRun, seconds: float = float("inf")) -> list[TrialResult]:
    results: list[TrialResult] = []
    while not run.done:
        results += run.advance(seconds)
    return results


def _assert_equal_bits(found: Trained, expected: Trained) -> None:
    for name in CURVES:
        assert np.array_equal(found.curves[name], expected.curves[name]), name
    assert list(found.parameters) == list(expected.parameters)
    for name, values in expected.parameters.items():
        assert np.array_equal(found.parameters[name], values), name


@pytest.mark.parametrize("seconds", [0.0, float("inf")], ids=["epoch_by_epoch", "at_once"])
@pytest.mark.parametrize("models_at_once", [1, 2, 3, 4, 5, 8, 13, MODELS, 256])
def test_trials_are_those_of_one_pack_of_all_models_whatever_the_chunks(
    models_at_once: int, seconds: float
) -> None:
    trials = _trials()
    models = [Model(t.hyperparameters, Seed.of(seed)) for t in trials for seed in t.seeds]
    together = train_pack(models, IRIS)
    results = _finish(PackRun(trials, IRIS, models_at_once=models_at_once), seconds)
    assert [result.trial for result in results] == trials
    first = 0
    for result in results:
        stop = first + len(result.trial.seeds)
        _assert_equal_bits(result.trained, together.take(list(range(first, stop))))
        first = stop


def test_a_step_without_time_trains_one_epoch() -> None:
    run = PackRun(_trials(epochs=3), IRIS)
    done = []
    while not run.done:
        run.advance(seconds=0)
        done.append(run.models_done)
    assert done == pytest.approx([MODELS / 3, 2 * MODELS / 3, MODELS])


@pytest.mark.parametrize("models_at_once", [1, 4, 256])
def test_models_done_grows_with_every_step_from_none_to_all(models_at_once: int) -> None:
    run = PackRun(_trials(), IRIS, models_at_once=models_at_once)
    done = [run.models_done]
    while not run.done:
        run.advance(seconds=0)
        done.append(run.models_done)
    assert done[0] == 0
    assert done[-1] == MODELS
    assert all(after > before for before, after in pairwise(done))


def test_trials_are_handed_over_as_soon_as_their_last_seed_is_trained() -> None:
    run = PackRun(_trials(), IRIS, models_at_once=3)  # 14 models in chunks of 3, 3, 2, 3, 3
    handed_over = [[result.trial.seeds for result in run.advance()] for _ in range(5)]
    assert handed_over == [[(0, 1, 2)], [(3,)], [], [(4, 5, 6, 7, 8), (0, 9)], [(2, 1, 0)]]
    assert run.done


def test_nothing_is_handed_over_before_a_chunk_is_trained() -> None:
    run = PackRun(_trials(epochs=2), IRIS)
    assert run.advance(seconds=0) == []
    assert not run.done
    assert len(run.advance(seconds=0)) == len(SEEDS)
    assert run.done


def test_a_trial_carries_its_share_of_the_time_and_the_device() -> None:
    results = _finish(PackRun(_trials(), IRIS, device_name="a device", models_at_once=256))
    a_model = [result.seconds / len(result.trial.seeds) for result in results]
    assert a_model[0] > 0
    assert a_model == pytest.approx([a_model[0]] * len(SEEDS))
    assert {result.device for result in results} == {"a device"}


def test_chunks_are_of_equal_size_within_a_model() -> None:
    trials = [Trial("a", Hyperparameters(epochs=1, hidden=(2,)), tuple(range(17)))]
    run = PackRun(trials, IRIS, models_at_once=5)
    done = [0.0]
    while not run.done:
        run.advance()
        done.append(run.models_done)
    sizes = np.diff(done)
    assert sizes.max() - sizes.min() <= 1
    assert sizes.max() <= 5
