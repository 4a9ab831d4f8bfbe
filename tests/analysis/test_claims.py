"""The lesson's claims on made-up sweeps: each rule's three answers, and what cannot be answered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np
import pytest

from analysis.claims import CLAIMS, judge
from analysis.claims_of_lesson.claims_table import markdown
from analysis.claims_of_lesson.lesson_sweeps import SETTINGS, LessonSweeps
from analysis.claims_of_lesson.one_part import LEVEL
from analysis.claims_of_lesson.size_claim import gain
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.recorded_models.weight_evidence import weights
from support.claim_cases import BIG, CASES, FLAT, MOVING, Case, falls, gains
from support.lesson_fixture import (
    PLAUSIBLE,
    World,
    in_memory,
    lesson,
    made_up,
)
from support.record_fixture import Recorded, diverging


def verdict_on(claim: str, worlds: Mapping[str, World], seeds: int = 30) -> Verdict:
    return next(one for one in judge(lesson(worlds, seeds)) if one.id == claim)


def test_all_claims_of_the_lesson_are_judged_in_order() -> None:
    claims = [claim.id for claim in CLAIMS]
    assert list(dict.fromkeys(case.claim for case in CASES)) == claims
    assert [verdict.id for verdict in judge(lesson(PLAUSIBLE))] == claims


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.claim}-{case.verdict}")
def test_a_verdict_follows_from_what_is_true_of_the_sweeps(case: Case) -> None:
    verdict = verdict_on(case.claim, case.worlds, case.seeds)
    assert verdict.verdict == case.verdict, verdict
    check(verdict)
    assert verdict.n == case.seeds
    assert len(verdict.run_ids) == len(case.worlds)


def check(verdict: Verdict) -> None:
    """What holds for every verdict: complete, no NaN, an interval that fits the word."""
    assert verdict.effect is not None
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.low <= verdict.effect <= verdict.high
    assert verdict.test
    assert verdict.unit
    decided = verdict.verdict != "inconclusive"
    if decided:
        assert verdict.p is not None
        assert verdict.p < LEVEL
        assert verdict.seeds_needed is None
    if verdict.verdict == "partly":
        assert "Holds: " in verdict.reason
        assert "Does not hold: " in verdict.reason
    assert (verdict.beyond_rows == "–") == (not decided or verdict.id == "seeds-vary")
    assert no_nan(verdict)


def no_nan(verdict: Verdict) -> bool:
    numbers = [value for value in asdict(verdict).values() if isinstance(value, float)]
    text = f"{verdict.reason} {verdict.test} {verdict.unit}"
    return all(map(math.isfinite, numbers)) and not re.search(r"\b(nan|None|inf)\b", text)


@pytest.mark.parametrize("claim", ["dropout-lowers-train", "l1-sparse", "size-matters-data"])
def test_what_is_contradicted_is_left_open_with_fewer_seeds_and_says_from_how_many(
    claim: str,
) -> None:
    case = next(one for one in CASES if (one.claim, one.verdict) == (claim, "contradicted"))
    few = verdict_on(claim, case.worlds, 298)
    assert (few.verdict, few.seeds_needed) == ("inconclusive", 300)


def test_the_gap_claim_says_which_way_the_gap_moves() -> None:
    down = verdict_on("dropout-gap", {"dropout": World(train=lambda hp: 0.97 - 0.1 * hp.dropout)})
    up = verdict_on("dropout-gap", {"dropout": World(test=lambda hp: 0.95 - 0.1 * hp.dropout)})
    assert (down.verdict, up.verdict) == ("supported", "supported")
    assert "The gap falls" in down.reason
    assert "The gap rises" in up.reason


def test_a_trend_that_is_clear_and_small_is_told_and_contradicts_nothing() -> None:
    world = World(test=lambda hp: 0.95 + 0.2 * hp.l2, luck=0.0005)
    verdict = verdict_on("l2-no-trend", {"small-l2": world})
    assert verdict.verdict == "supported"
    assert "That is a clear rise, whatever its size." in verdict.reason


def test_sparsity_is_told_at_the_penalty_that_acts() -> None:
    verdict = verdict_on("l1-sparse", {"l1": FLAT, "strong-l1": BIG}, 300)
    assert "Holds: at λ = 3. Does not hold: at the lesson's λ, up to 0.005." in verdict.reason
    weak = in_memory("strong-l1", made_up("strong-l1", BIG, 12, 60)[:2])
    judged = judge(
        LessonSweeps({"l1": in_memory("l1", made_up("l1", FLAT, 12, 60)), "strong-l1": weak})
    )
    reasons = {one.id: one.reason for one in judged}
    for claim in ("l1-sparse", "l1-early"):
        assert "is 0.3, none of 1 or more" in reasons[claim]


def test_batches_that_are_given_enough_epochs_are_a_part_of_their_own() -> None:
    slow = World(pace=lambda hp: 4 + hp.batch_size / 4)
    verdict = verdict_on("batch-final", {"batch_size": slow, "long-batch": FLAT}, 300)
    assert verdict.verdict == "partly"
    holds, fails = (re.search(rf"{word}: (.*?)\.", verdict.reason)[1] for word in ("Holds", "hold"))  # type: ignore[index]
    assert "64 last; size 64 above 90 % after 60 epochs" in holds
    assert fails.endswith("size 64 above 90 %")


def test_weights_of_silent_units_are_told_apart() -> None:
    """Two of 32 units decay to nothing, the others are as they were."""
    sweep = made_up("l2", World(norm=lambda hp: 1 - 5 * hp.l2), 30, 60)
    last = sweep[-1]
    values = {name: each.copy() for name, each in last.weights.items()}
    largest = np.abs(values["0.weight"]).max(axis=(1, 2), keepdims=True)
    values["0.weight"][:, :2] = 1e-4 * largest
    values["1.weight"][:, :, :2] *= 1e-3
    sweep[-1] = replace(last, weights=values)
    record = in_memory("l2", sweep)
    found, before = (weights(record, record.usable[place]) for place in (-1, 0))
    assert found.silent == pytest.approx(100 * 2 / 32)
    assert before.silent == pytest.approx(0)
    # 8 of 224 weights near zero, beside those that are by chance, and none of them live.
    assert (found.zeros - found.live_zeros > 3).all()
    (verdict,) = (one for one in judge(LessonSweeps({"l2": record})) if one.id == "l2-shrinks")
    assert verdict.verdict == "supported"
    assert "6 % of the hidden units are silent at 0.1, 0 % at 0" in verdict.reason


def test_models_that_never_get_there_count_with_all_their_epochs() -> None:
    world = World(pace=lambda hp: 8 if hp.dropout < 0.9 else 1000)
    verdict = verdict_on("dropout-slower", {"dropout": world})
    assert verdict.verdict == "supported"
    assert "never at dropout 0.9; 30 models never get there and count with all" in verdict.reason


def test_gains_are_measured_on_seeds_that_chose_nothing() -> None:
    # Configurations that differ by luck alone gain nothing, though the best of them seems to.
    luck = replace(FLAT, luck=0.05)
    records = lesson({"small": luck, "large": luck}, seeds=200).records
    verdict = next(v for v in judge(LessonSweeps(records)) if v.id == "size-matters-net")
    small = records["small"]
    tests = np.array([100 * small.final(one, "test/accuracy") for one in small.usable])
    naive = tests[1:].mean(axis=1).max() - tests[0].mean()
    said = float(re.search(r"iris, hidden 32, ([-+.\d]+) ", verdict.reason)[1])  # type: ignore[index]
    assert said < naive


def test_gains_are_differences_of_the_same_seed() -> None:
    record = lesson({"large": gains(0.04)}).records["large"]
    first, *others = record.usable
    finals = {one: 100 * record.final(one, "test/accuracy") for one in record.usable}
    found = gain(record)
    for half, chosen in zip((0, 1), found.chosen, strict=True):
        best = max(others, key=lambda one: finals[one][half::2].mean())
        assert chosen == best
        expected = (finals[best] - finals[first])[1 - half :: 2]
        assert found.values[1 - half :: 2] == pytest.approx(expected)


def test_trials_with_an_exchanged_source_are_no_configurations_of_their_own() -> None:
    plain = made_up("small-l2", seeds=60)
    exchanged = [
        replace(
            other,
            trial=replace(
                one.trial,
                name=f"{one.trial.name} next=init",
                vary=("split", "order", "dropout"),
                others="next",
            ),
        )
        for one, other in zip(plain, made_up("small-l2", falls(0.3), 60), strict=True)
    ]
    records = [in_memory("small-l2", sweep) for sweep in (plain, [*plain, *exchanged])]
    alone, both = (judge(LessonSweeps({"small-l2": record})) for record in records)
    assert [one.verdict for one in alone].count("supported") == 1
    assert both == alone


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_few_seeds_leave_claims_open_and_say_why(seeds: int) -> None:
    for verdict in judge(lesson(PLAUSIBLE, seeds)):
        assert no_nan(verdict)
        if seeds == 1:
            assert verdict.verdict == "inconclusive"
            assert re.search(r"\b1 (pair|seed)|several seeds|at least 4", verdict.reason)


def test_equal_values_are_no_reason_for_nan() -> None:
    def frozen(role: str) -> list[Recorded]:
        sweep = made_up(role, FLAT, 6, 60)
        for one in sweep:
            for values in one.curves.values():
                values[:] = 0.95
            for values in one.weights.values():
                values[:] = 0.5
        return sweep

    found = judge(LessonSweeps({role: in_memory(role, frozen(role)) for role in SETTINGS}))
    assert all(map(no_nan, found))
    assert {verdict.verdict for verdict in found} == {"inconclusive"}  # six signs are weak


def test_diverged_models_are_left_out_and_named() -> None:
    worlds = {role: made_up(role, world, 12, 60) for role, world in PLAUSIBLE.items()}
    for role, sweep in worlds.items():
        sweep[1] = diverging(sweep[1], model=2, epoch=30)
        assert role in SETTINGS
    found = judge(LessonSweeps({role: in_memory(role, one) for role, one in worlds.items()}))
    assert all(map(no_nan, found))
    by_id = {verdict.id: verdict for verdict in found}
    assert "1 of 72 models diverged" in by_id["dropout-none-best"].reason
    assert by_id["l2-no-trend"].reason.count("diverged") == 1
    for claim in ("dropout-slower", "batch-early"):
        assert by_id[claim].n == 11


def test_a_lacking_baseline_or_configuration_is_said() -> None:
    sweep = made_up("l2", FLAT, 12, 60)
    record = in_memory("l2", sweep)
    headless = replace(record, trials=record.trials.iloc[1:])
    weak = in_memory("l2", sweep[:3])
    for broken, reason in ((headless, "baseline"), (weak, "0.05, not near 0.1")):
        found = {v.id: v for v in judge(LessonSweeps({"l2": broken}))}
        assert found["l2-too-strong"].verdict == "inconclusive"
        assert reason in found["l2-too-strong"].reason
        assert found["l2-too-strong"].run_ids == (record.run_id,)


def test_pairs_of_different_data_are_refused() -> None:
    records = dict(lesson({"small": FLAT}).records)
    records["large"] = in_memory("large", made_up("large", FLAT, 12, 60), digest="f" * 16)
    verdict = next(v for v in judge(LessonSweeps(records)) if v.id == "size-matters-net")
    assert verdict.verdict == "inconclusive"
    assert "different data" in verdict.reason


def test_markdown_escapes_what_would_break_its_table() -> None:
    sweeps = lesson({"l2": FLAT})
    sick = replace(judge(sweeps)[5], reason="a | b\nc")
    assert "a \\| b c" in markdown(sweeps, [sick])


def test_the_gap_is_judged_under_either_split_and_the_reason_says_which() -> None:
    found = judge(lesson({"dropout": MOVING, "dropout-stratified": FLAT}, 1000))
    by_id = {verdict.id: verdict for verdict in found}
    random, stratified = by_id["dropout-gap"], by_id["dropout-gap-stratified"]
    assert (random.verdict, stratified.verdict) == ("supported", "contradicted")
    assert "under a random split." in random.reason
    assert "under a stratified split." in stratified.reason
    assert not set(random.run_ids) & set(stratified.run_ids)
