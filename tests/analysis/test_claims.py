"""The lesson's claims on made-up sweeps: each rule's three answers, and what cannot be answered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from analysis.claims import CLAIMS, judge, main
from analysis.claims_of_lesson.claims_table import WIDTH, markdown
from analysis.claims_of_lesson.lesson_sweeps import SETTINGS, LessonSweeps, load_lesson
from analysis.claims_of_lesson.size_claim import gain
from analysis.claims_of_lesson.verdicts import Evidence, Part, Verdict, decide, directed
from analysis.reading.connection import open_store
from analysis.reading.errors import Stop
from analysis.reading.script_options import Places
from analysis.stats.seeds import Difference
from support.lesson_fixture import (
    PLAUSIBLE,
    World,
    dataset_of,
    in_memory,
    lesson,
    made_up,
    write_role,
)
from support.record_fixture import Faults, Recorded, diverging, new_store
from support.warm_scripts import run_warm
from trainables.hyperparameters import Hyperparameters

FLAT = World()
NOISY = World(luck=0.05)


def falls(by: float, field: str = "l2") -> World:
    """Both accuracies fall by that much per unit of the field."""
    return World(
        test=lambda hp: 0.95 - by * getattr(hp, field),
        train=lambda hp: 0.97 - by * getattr(hp, field),
    )


def gains(by: float, luck: float = 0.005) -> World:
    """Any regularization gains that much test accuracy."""
    return World(test=lambda hp: 0.9 + by * bool(hp.dropout or hp.l2), luck=luck)


def sizes(small: World, large: World, harder: World) -> dict[str, World]:
    return {"small": small, "large": large, "harder": harder}


def tied_at_zero(hp: Hyperparameters) -> float:
    return 0.95 - 0.2 * max(0.0, hp.dropout - 0.1)


# For each claim a world that supports it, one that contradicts it, one that leaves it open; where
# it rests on one sweep, in the role that stands first.
WORLDS: Mapping[str, tuple[str, World, World, World]] = {
    "dropout-none-best": (
        "dropout",
        falls(0.2, "dropout"),
        falls(-0.04, "dropout"),
        World(test=tied_at_zero, train=tied_at_zero),
    ),
    "dropout-slower": (
        "dropout",
        World(pace=lambda hp: 8 * (1 + hp.dropout)),
        World(pace=lambda hp: 16 * (1 - hp.dropout / 2)),
        NOISY,
    ),
    "dropout-lowers-train": ("dropout", falls(0.1, "dropout"), FLAT, NOISY),
    "dropout-gap": ("dropout", World(train=lambda hp: 0.97 - 0.1 * hp.dropout), FLAT, NOISY),
    "l2-no-trend": ("small-l2", FLAT, falls(5), NOISY),
    "l2-too-strong": ("l2", falls(0.5), FLAT, NOISY),
    "l2-shrinks": (
        "l2",
        World(norm=lambda hp: 1 - 5 * hp.l2),
        World(norm=lambda hp: 1 + 5 * hp.l2),
        FLAT,
    ),
    "l1-sparse": (
        "l1",
        World(zeros=lambda hp: 60 * hp.l1),
        FLAT,
        World(zeros=lambda hp: 0.01 + 20 * hp.l1),
    ),
    "l1-final": ("l1", FLAT, falls(10, "l1"), NOISY),
    "l1-early": ("l1", World(pace=lambda hp: 10 - 1000 * hp.l1), FLAT, replace(NOISY, luck=0.1)),
    "batch-early": (
        "batch_size",
        World(pace=lambda hp: hp.batch_size),
        World(pace=lambda hp: 64 / hp.batch_size),
        FLAT,
    ),
    "batch-final": (
        "batch_size",
        World(pace=lambda hp: 4 + hp.batch_size / 16),
        World(test=lambda hp: 0.95 if hp.batch_size < 64 else 0.85),
        World(test=lambda hp: 0.95 if hp.batch_size < 64 else 0.9, pace=lambda _: 4),
    ),
    "seeds-vary": ("l2", NOISY, falls(3), World(test=lambda hp: 0.95 - 0.5 * hp.l2, luck=0.007)),
}
SIZES = {
    "supported": sizes(FLAT, gains(0.04), gains(0.03)),
    "contradicted": sizes(FLAT, FLAT, FLAT),
    "inconclusive": sizes(FLAT, gains(0.04), gains(0.02, luck=0.1)),
}
ANSWERS = ("supported", "contradicted", "inconclusive")


def verdict_on(claim: str, worlds: Mapping[str, World], seeds: int = 12) -> Verdict:
    return next(one for one in judge(lesson(worlds, seeds)) if one.id == claim)


def test_all_claims_of_the_lesson_are_judged_in_order() -> None:
    assert {*WORLDS, "size-matters"} == {claim.id for claim in CLAIMS}
    assert [verdict.id for verdict in judge(lesson(PLAUSIBLE))] == [claim.id for claim in CLAIMS]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("claim", WORLDS)
def test_a_verdict_follows_from_what_is_true_of_the_sweep(claim: str, answer: str) -> None:
    role, *worlds = WORLDS[claim]
    seeds = 100 if claim == "seeds-vary" and answer == "contradicted" else 12
    verdict = verdict_on(claim, {role: worlds[ANSWERS.index(answer)]}, seeds)
    assert verdict.verdict == answer, verdict
    check(verdict)
    assert verdict.n == seeds
    assert len(verdict.run_ids) == 1


def test_the_test_named_is_the_one_that_decides() -> None:
    flat, falling = ({"l2": world} for world in (FLAT, falls(0.5)))
    assert verdict_on("l2-too-strong", falling).test == "paired t"
    assert verdict_on("l2-too-strong", flat).test == "two one-sided t, ± 1"
    assert verdict_on("l1-final", {"l1": FLAT}).test == "two one-sided t, ± 1"
    assert verdict_on("l1-final", {"l1": falls(10, "l1")}).test == "t beyond ± 1"


@pytest.mark.parametrize("answer", ANSWERS)
def test_size_matters_compares_gains_of_settings(answer: str) -> None:
    verdict = verdict_on("size-matters", SIZES[answer])
    assert verdict.verdict == answer, verdict
    check(verdict)
    assert len(verdict.run_ids) == 3


def check(verdict: Verdict) -> None:
    """What holds for every verdict: complete, no NaN, an interval that fits the word."""
    assert verdict.effect is not None
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.low <= verdict.effect <= verdict.high
    assert verdict.test
    assert verdict.unit
    if verdict.verdict != "inconclusive":
        assert verdict.p is not None
        assert verdict.p < 0.05
    assert (verdict.beyond_rows == "–") == (
        verdict.verdict == "inconclusive" or verdict.id == "seeds-vary"
    )
    assert no_nan(verdict)


def no_nan(verdict: Verdict) -> bool:
    numbers = [value for value in asdict(verdict).values() if isinstance(value, float)]
    text = f"{verdict.reason} {verdict.test} {verdict.unit}"
    return all(map(math.isfinite, numbers)) and not re.search(r"\b(nan|None|inf)\b", text)


def test_the_gap_claim_says_which_way_the_gap_moves() -> None:
    down = verdict_on("dropout-gap", {"dropout": World(train=lambda hp: 0.97 - 0.1 * hp.dropout)})
    up = verdict_on("dropout-gap", {"dropout": World(test=lambda hp: 0.95 - 0.1 * hp.dropout)})
    assert (down.verdict, up.verdict) == ("supported", "supported")
    assert "The gap falls" in down.reason
    assert "The gap rises" in up.reason


def test_small_penalties_with_a_small_but_clear_trend_contradict_no_trend() -> None:
    world = World(test=lambda hp: 0.95 - 0.5 * hp.l2, luck=0.0005)
    verdict = verdict_on("l2-no-trend", {"small-l2": world})
    assert verdict.verdict == "contradicted"
    assert abs(verdict.effect or 0) < 1
    assert "within ± 1 point, but the direction is clear" in verdict.reason


def test_sparsity_says_how_much_penalty_it_takes() -> None:
    worlds = {"l1": FLAT, "strong-l1": World(zeros=lambda hp: min(0.9, 0.1 * hp.l1))}
    verdict = verdict_on("l1-sparse", worlds)
    assert verdict.verdict == "contradicted"
    assert "It takes λ = 3 " in verdict.reason
    none = verdict_on("l1-sparse", {**worlds, "strong-l1": FLAT})
    assert "No λ up to 10 " in none.reason


def test_models_that_never_get_there_count_with_all_their_epochs() -> None:
    world = World(pace=lambda hp: 8 if hp.dropout < 0.9 else 1000)
    verdict = verdict_on("dropout-slower", {"dropout": world})
    assert verdict.verdict == "supported"
    assert "60 at 0.9; 12 models never get there" in verdict.reason


def test_gains_are_measured_on_seeds_that_chose_nothing() -> None:
    # Configurations that differ by luck alone gain nothing, though the best of them seems to.
    luck = replace(FLAT, luck=0.05)
    records = lesson(sizes(luck, luck, luck), seeds=200).records
    verdict = next(v for v in judge(LessonSweeps(records)) if v.id == "size-matters")
    small = records["small"]
    tests = np.array([100 * small.final(one, "test/accuracy") for one in small.usable])
    naive = tests[1:].mean(axis=1).max() - tests[0].mean()
    said = float(re.search(r"small \(iris, hidden 32\) ([-+.\d]+)", verdict.reason)[1])  # type: ignore[index]
    assert said < naive


def test_what_is_as_predicted_however_little_does_not_count_against_a_claim() -> None:
    small = World(test=lambda hp: 0.9 + 0.002 * bool(hp.dropout), luck=0.0005)
    unclear = replace(NOISY, luck=0.1)
    tiny = verdict_on("size-matters", sizes(World(luck=0.0005), small, unclear))
    assert tiny.verdict == "inconclusive"
    assert "as claimed: 1 of 2 parts, to be otherwise: 0" in tiny.reason


def test_gains_are_differences_of_the_same_seed() -> None:
    record = lesson(SIZES["supported"]).records["large"]
    first, *others = record.usable
    finals = {one: 100 * record.final(one, "test/accuracy") for one in record.usable}
    found = gain(record)
    for half, chosen in zip((0, 1), found.chosen, strict=True):
        best = max(others, key=lambda one: finals[one][half::2].mean())
        assert chosen == best
        expected = (finals[best] - finals[first])[1 - half :: 2]
        assert found.values[1 - half :: 2] == pytest.approx(expected)


def test_trials_with_an_exchanged_source_are_no_configurations_of_their_own() -> None:
    plain = made_up("small-l2")
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
        for one, other in zip(plain, made_up("small-l2", falls(0.3)), strict=True)
    ]
    records = [in_memory("small-l2", sweep) for sweep in (plain, [*plain, *exchanged])]
    alone, both = (judge(LessonSweeps({"small-l2": record})) for record in records)
    assert [one.verdict for one in alone].count("supported") == 1
    assert both == alone


def test_correction_over_the_claims_can_take_a_verdict_back() -> None:
    shown = Difference(-1.0, -1.9, -0.1, 12, 0.03, "")
    evidence = Evidence("a", "points", shown, None, "paired t")
    found = directed([Part(evidence, -1)], "Because.", ["run"])
    (alone,) = decide([("a", "A")], [found])
    first, second = decide([("a", "A"), ("b", "B")], [found, found])
    assert alone.verdict == "supported"
    assert (first.verdict, second.verdict) == ("inconclusive", "inconclusive")
    assert first.p == pytest.approx(0.06)
    assert first.reason.startswith("Because. Leans to supported, but not after Holm's")


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
    assert min(verdict.p for verdict in found if verdict.p is not None) >= 0.5**6  # six signs
    assert {v.test for v in found if v.verdict == "supported"} <= {"sign test, as all seeds agree"}
    by_id = {verdict.id: verdict.verdict for verdict in found}
    assert by_id["dropout-none-best"] == "inconclusive"
    assert by_id["l1-sparse"] == "inconclusive"  # after Holm: the sign test of six seeds is weak


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
    for claim in ("dropout-slower", "batch-early", "l1-early"):
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
    records = dict(lesson(SIZES["supported"]).records)
    records["large"] = in_memory("large", made_up("large", FLAT, 12, 60), digest="f" * 16)
    verdict = next(v for v in judge(LessonSweeps(records)) if v.id == "size-matters")
    assert verdict.verdict == "inconclusive"
    assert "different data" in verdict.reason


def test_markdown_escapes_what_would_break_its_table() -> None:
    sweeps = lesson({"l2": FLAT})
    sick = replace(judge(sweeps)[5], reason="a | b\nc")
    assert "a \\| b c" in markdown(sweeps, [sick])


# ---- the store


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_store(tmp_path)


def test_the_newest_finished_sweep_in_the_lessons_setting_plays_the_role(uri: str) -> None:
    client = open_store(uri)
    write_role(uri, "l2", run_name="old")
    wanted = write_role(uri, "l2", run_name="new")
    write_role(uri, "l2", made_up("l2", seeds=2, epochs=40), run_name="short")
    write_role(uri, "l2", run_name="unfinished", status="KILLED")
    two = write_role(uri, "small-l2")
    found = load_lesson(client, allow_partial=True).records
    assert {role: record.run_id for role, record in found.items()} == {
        "l2": wanted,
        "small-l2": two,
    }


def test_missing_sweeps_are_named_with_the_remedy(uri: str) -> None:
    client = open_store(uri)
    with pytest.raises(Stop, match=r"dropout, l2, .*: python sweeps/lesson\.py$") as none:
        load_lesson(client, allow_partial=True)
    assert none.value.code == 2
    write_role(uri, "l2")
    with pytest.raises(Stop, match=r"for: dropout, l1, .*: python sweeps/lesson\.py$") as some:
        load_lesson(client)
    assert some.value.code == 3
    found = judge(load_lesson(client, allow_partial=True))
    assert "No finished sweep for dropout" in found[0].reason


def test_sweeps_on_different_data_are_refused(uri: str) -> None:
    write_role(uri, "l2")
    other = {"dataset": {**dataset_of("l1"), "digest": "f" * 16}}
    write_role(uri, "l1", changes=other)
    with pytest.raises(Stop, match=r"different data .* --again") as refused:
        load_lesson(open_store(uri), allow_partial=True)
    assert refused.value.code == 2


def test_partial_sweeps_are_said_to_be(uri: str) -> None:
    sweep = made_up("l2", seeds=4)
    write_role(uri, "l2", sweep, faults=Faults(failed=[sweep[0].trial.name]))
    sweeps = load_lesson(open_store(uri), allow_partial=True)
    found = {verdict.id: verdict for verdict in judge(sweeps)}
    assert "baseline" in found["l2-too-strong"].reason
    assert "(partial: 1 of 5 trials missing)" in markdown(sweeps, list(found.values()))


def test_the_script_prints_saves_and_uploads_the_table(lesson_store: str, tmp_path: Path) -> None:
    done = run_warm("analysis/claims.py", "--tracking-uri", lesson_store, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    places = ("MLflow runs in ", "figures/")  # whose paths are as long as they are
    lines = [line for line in done.stdout.splitlines() if not line.startswith(places)]
    assert max(map(len, lines)) <= WIDTH
    sweeps = load_lesson(open_store(lesson_store))
    expected = judge(sweeps)
    table = pd.read_csv(tmp_path / "figures" / "claims.csv")
    assert list(table["id"]) == [one.id for one in expected]
    assert list(table["verdict"]) == [one.verdict for one in expected]
    assert table["effect"].to_numpy() == pytest.approx([one.effect for one in expected])
    page = (tmp_path / "figures" / "claims.md").read_text(encoding="utf-8")
    for one in expected:
        assert re.search(rf"^{one.id} +{one.verdict} ", done.stdout, re.MULTILINE)
        assert f"| **{one.id}**: " in page
    client = MlflowClient(lesson_store)
    for record in sweeps.records.values():
        assert f"/#/runs/{record.run_id})" in page
        uploaded = [each.path for each in client.list_artifacts(record.run_id, "figures")]
        assert {"figures/claims.csv", "figures/claims.md"} <= set(uploaded)


def test_the_script_refuses_in_one_line(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    write_role(uri, "l2")
    for options, code in (
        (Places(tracking_uri=uri), 3),
        (Places(tracking_uri=f"sqlite:///{tmp_path}/none.db"), 4),
        (Places(tracking_uri=uri, allow_partial=True, out=blocked), 2),
    ):
        assert main(options) == code
        assert len(capsys.readouterr().err.splitlines()) == 1
