"""Sources of randomness: which follow a trial's seeds, and that a model's numbers obey."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import SOURCES, Hyperparameters
from trainables.pack_run import PackRun
from trainables.result import CURVES, TrialResult, from_bytes, to_bytes
from trainables.train_one import train_one
from trainables.trial import Trial

IRIS = data.load("iris")
HP = Hyperparameters(dropout=0.3, l2=0.01, epochs=2, hidden=(9,))
SEEDS = (7, 3, 11, 5)


def _trial(*vary: str, others: Any = "first", seeds: tuple[int, ...] = SEEDS) -> Trial:
    return Trial("l2=0.01", HP, seeds, vary, others)


def _exchanging(source: str, seeds: tuple[int, ...] = SEEDS) -> Trial:
    return _trial(*(one for one in SOURCES if one != source), others="next", seeds=seeds)


def _trained(trials: list[Trial], models_at_once: int | None = None) -> list[TrialResult]:
    run = PackRun(trials, IRIS, models_at_once=models_at_once)
    results: list[TrialResult] = []
    while not run.done:
        results += run.advance()
    return results


def _assert_trained_with(result: TrialResult, seeds: list[Seed]) -> None:
    """Every model is that of the readable trainer with the seed given."""
    for index, seed in enumerate(seeds):
        alone = train_one(HP, seed, IRIS)
        for name, values in alone.parameters.items():
            np.testing.assert_allclose(
                result.trained.parameters[name][index], values[0], rtol=1e-4, atol=1e-5
            )
        for name in CURVES:
            np.testing.assert_allclose(
                result.trained.curves[name][index], alone.curves[name][0], rtol=1e-4, atol=1e-5
            )


def test_all_four_come_from_the_seed_unless_said_otherwise() -> None:
    assert Trial("a", HP, SEEDS).model_seeds() == [Seed.of(seed) for seed in SEEDS]


def test_sources_held_fixed_come_from_the_first_seed() -> None:
    assert _trial("init", "dropout").model_seeds() == [(7, seed, 7, seed) for seed in SEEDS]


@pytest.mark.parametrize("source", SOURCES)
def test_an_exchanged_source_comes_from_the_next_seed_and_after_the_last_from_the_first(
    source: str,
) -> None:
    following = {7: 3, 3: 11, 11: 5, 5: 7}
    expected = [Seed.of(seed)._replace(**{source: following[seed]}) for seed in SEEDS]
    assert _exchanging(source).model_seeds() == expected


@pytest.mark.parametrize("source", SOURCES)
def test_models_with_an_exchanged_source_are_those_of_the_readable_trainer(source: str) -> None:
    # In one pack with others, and in chunks that cut through the trial.
    trials = [Trial("all", HP, SEEDS), _exchanging(source), _trial(source)]
    everything, exchanged, alone = _trained(trials, models_at_once=5)
    following = (*SEEDS[1:], SEEDS[0])
    pairs = list(zip(SEEDS, following, strict=True))
    _assert_trained_with(everything, [Seed.of(seed) for seed in SEEDS])
    _assert_trained_with(exchanged, [Seed.of(a)._replace(**{source: b}) for a, b in pairs])
    _assert_trained_with(alone, [Seed.of(SEEDS[0])._replace(**{source: seed}) for seed in SEEDS])


def test_with_one_source_that_changes_nothing_all_models_are_one() -> None:
    hp = Hyperparameters(epochs=3, hidden=(5,))  # no dropout: its draws are never asked for
    (result,) = _trained([Trial("a", hp, SEEDS, ("dropout",))])
    assert all((values == values[:1]).all() for values in result.trained.parameters.values())
    (result,) = _trained([Trial("a", hp, SEEDS, ("init",))])
    weights = result.trained.parameters["0.weight"]
    assert len(np.unique(weights.reshape(len(SEEDS), -1), axis=0)) == len(SEEDS)


@pytest.mark.parametrize("trial", [_trial("split"), _trial("init", "order"), _exchanging("order")])
def test_a_trial_survives_json_and_the_way_to_the_record(trial: Trial) -> None:
    assert Trial.from_dict(json.loads(json.dumps(trial.as_dict()))) == trial
    (result,) = _trained([trial])
    (again,) = from_bytes(to_bytes([result]))
    assert again.trial == trial


def test_what_varies_is_part_of_the_key_and_its_absence_of_older_records() -> None:
    everything = Trial("a", HP, SEEDS)
    others = [_trial(source) for source in SOURCES] + [_exchanging(source) for source in SOURCES]
    held = [_trial(*_exchanging(source).vary) for source in SOURCES]
    keys = {trial.key for trial in [everything, *others, *held]}
    assert len(keys) == 13
    assert everything.key == HP.key()
    assert set(everything.as_dict()) == {"key", "name", "hyperparameters", "seeds"}


def test_a_changed_source_in_the_manifest_is_refused() -> None:
    values = _exchanging("init").as_dict()
    with pytest.raises(ValueError, match="is not that of its values"):
        Trial.from_dict({**values, "vary": ["split", "init", "order"]})


def test_the_exchanged_source_is_named() -> None:
    assert [_exchanging(source).exchanged for source in SOURCES] == list(SOURCES)
    assert _trial("init", "order", "dropout").exchanged == ""
    assert Trial("a", HP, SEEDS).exchanged == ""


@pytest.mark.parametrize(
    ("vary", "others", "seeds", "text"),
    [
        ((), "first", SEEDS, "vary needs some of"),
        (("init", "split"), "first", SEEDS, "in that order"),
        (("init", "init"), "first", SEEDS, "in that order"),
        (("weights",), "first", SEEDS, "vary needs some of"),
        (SOURCES, "last", SEEDS, "others needs first or next"),
        (SOURCES, "next", SEEDS, "all sources but one"),
        (("split", "init"), "next", SEEDS, "all sources but one"),
        (("split", "init", "order"), "next", (4,), "at least two seeds"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(
    vary: tuple[str, ...], others: Any, seeds: tuple[int, ...], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        Trial("a", HP, seeds, vary, others)
