"""Which trials train together, and about how long that takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import Hyperparameters
from trainables.trial import Trial

# Measured on one core of an AMD EPYC (AVX-512), float32: only for estimates and for balance.
_SECONDS_A_CALL = 5e-5  # of one step whatever the number of models: torch's calls
_SECONDS_A_STEP = 1.6e-6  # of one model's step, lesson's network: products of tiny matrices
_SECONDS_A_ROW = 3e-8  # of a step
_SECONDS_AN_EVALUATED_ROW = 2e-8
_LESSON_WEIGHTS = 4 * 32 + 32 * 3
_PACK_SECONDS = 20.0  # longer packs are cut: less to train again after a failure
_MOST_PACKS_A_SLOT = 8
_MIXED_PACKS_A_SLOT = 4
_SECONDS_A_WORKER = 1.0  # of training that are worth its start: seconds of a core for its imports

# Models that train together share the cost of torch's calls; estimates assume about this many.
_TOGETHER = 256


def training_seconds(hyperparameters: Hyperparameters, models: int) -> float:
    """Estimated seconds of one core for `models` models of that configuration, in a full pack."""
    hp = hyperparameters
    facts = DATASETS[hp.dataset].without(hp.hold_out)
    widths = [facts.features, *hp.hidden, facts.classes]
    weights = sum(a * b for a, b in pairwise(widths))
    size = max(1.0, weights / _LESSON_WEIGHTS)
    steps = facts.train // hp.batch_size + (not hp.drop_last and facts.train % hp.batch_size > 0)
    a_step = _SECONDS_A_STEP + hp.batch_size * _SECONDS_A_ROW
    a_model = size * (steps * a_step + facts.rows * _SECONDS_AN_EVALUATED_ROW)
    calls = (steps + 6) * _SECONDS_A_CALL * max(1.0, models / _TOGETHER)
    return hp.epochs * (models * a_model + calls)


def seconds_together(trials: Sequence[Trial], more_models: int = 0) -> float:
    """Estimated seconds of one core for all of the trials, those of a shape together.

    `more_models`: of about the same kinds, which are trained after these.
    """
    share = 1 + more_models / sum(trial.models for trial in trials)
    return sum(
        training_seconds(
            group[0].hyperparameters, round(share * sum(each.models for each in group))
        )
        for group in _by_shape(trials).values()
    )


def useful_workers(seconds: float) -> int:
    """How many processes at most save more of so many seconds of training than they cost."""
    return max(1, math.ceil(seconds / _SECONDS_A_WORKER))


def form_packs(
    trials: Sequence[Trial], slots: int, pack: int | None, mixed: bool = False
) -> list[list[Trial]]:
    """Trials of equal shapes together, the packs that take longest first.

    With `pack`, that many configurations a pack. Otherwise as few packs as keep all `slots` busy to
    the end: one a slot while that is short work, more for long sweeps, and for slots of `mixed`
    speeds, where the fast ones come back for more.
    """
    by_shape = _by_shape(trials)
    costs = {shape: sum(map(_seconds, group)) for shape, group in by_shape.items()}
    total = sum(costs.values())
    fewest = _MIXED_PACKS_A_SLOT if mixed else 1
    rounds = max(fewest, min(_MOST_PACKS_A_SLOT, round(total / slots / _PACK_SECONDS)))
    counts = _shares([costs[shape] / total for shape in by_shape], slots * rounds)
    packs = []
    for group, count in zip(by_shape.values(), counts, strict=True):
        packs += _cut(group, min(count, len(group)), pack)
    return sorted(packs, key=lambda each: -sum(map(_seconds, each)))


def _by_shape(trials: Sequence[Trial]) -> dict[tuple[object, ...], list[Trial]]:
    found: dict[tuple[object, ...], list[Trial]] = defaultdict(list)
    for trial in trials:
        found[trial.hyperparameters.shape()].append(trial)
    return found


def _shares(parts: list[float], count: int) -> list[int]:
    """`count` divided by `parts`, which add up to 1, by largest remainder; at least 1 each."""
    shares = [max(1, int(part * count)) for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: shares[i] - parts[i] * count)
    for i in by_remainder[: max(0, count - sum(shares))]:
        shares[i] += 1
    return shares


def _seconds(trial: Trial) -> float:
    return training_seconds(trial.hyperparameters, trial.models)


def _cut(group: list[Trial], count: int, size: int | None) -> list[list[Trial]]:
    if size is not None:
        return [group[start : start + size] for start in range(0, len(group), size)]
    bounds = [round(i * len(group) / count) for i in range(count + 1)]
    return [group[a:b] for a, b in pairwise(bounds)]
