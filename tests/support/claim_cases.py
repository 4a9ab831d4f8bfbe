"""What may be true of the lesson's sweeps, and the verdict on each claim that it must lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from support.lesson_fixture import World
from trainables.hyperparameters import Hyperparameters

FLAT = World()
NOISY = World(luck=0.05)
MOVING = World(train=lambda hp: 0.97 - 0.1 * hp.dropout)


def falls(by: float, field: str = "l2") -> World:
    """Both accuracies fall by that much per unit of the field."""
    return World(
        test=lambda hp: 0.95 - by * getattr(hp, field),
        train=lambda hp: 0.97 - by * getattr(hp, field),
    )


def gains(by: float, luck: float = 0.005) -> World:
    """Any regularization gains that much test accuracy."""
    return World(test=lambda hp: 0.9 + by * bool(hp.dropout or hp.l2), luck=luck)


def better_at_once(hp: Hyperparameters) -> float:
    """A little dropout helps much, more of it harms."""
    return 0.9 - 0.2 * hp.dropout + 0.08 * (hp.dropout == 0.1)


class Case(NamedTuple):
    """Worlds by role, and the verdict that they must lead to; 300 seeds where one is against it."""

    claim: str
    verdict: str
    worlds: Mapping[str, World]
    seeds: int = 30


def _case(claim: str, verdict: str, seeds: int = 0, **worlds: World) -> Case:
    against = verdict in ("partly", "contradicted", "supported, small")
    named = {
        role.replace("_", "-") if role != "batch_size" else role: one
        for role, one in worlds.items()
    }
    return Case(claim, verdict, named, seeds or (300 if against else 30))


BIG = World(zeros=lambda hp: min(0.6, 0.2 * hp.l1))  # a sweep of large L1
CASES = (
    _case("dropout-none-best", "supported", dropout=falls(0.2, "dropout")),
    _case("dropout-none-best", "supported, small", dropout=falls(0.008, "dropout")),
    _case("dropout-none-best", "contradicted", dropout=falls(-0.04, "dropout")),
    _case("dropout-none-best", "partly", dropout=World(better_at_once, better_at_once)),
    _case("dropout-none-best", "inconclusive", dropout=NOISY),
    _case("dropout-slower", "supported", dropout=World(pace=lambda hp: 8 * (1 + hp.dropout))),
    _case("dropout-slower", "contradicted", dropout=World(pace=lambda hp: 16 - 8 * hp.dropout)),
    _case("dropout-slower", "inconclusive", dropout=NOISY),
    _case("dropout-lowers-train", "supported", dropout=falls(0.1, "dropout")),
    _case("dropout-lowers-train", "supported, small", dropout=falls(0.02, "dropout")),
    _case("dropout-lowers-train", "contradicted", dropout=FLAT),
    _case("dropout-lowers-train", "inconclusive", dropout=NOISY),
    _case("dropout-gap", "supported", dropout=MOVING),
    _case("dropout-gap", "contradicted", 1000, dropout=FLAT),
    _case("dropout-gap", "inconclusive", dropout=NOISY),
    _case("dropout-gap-stratified", "supported", dropout_stratified=MOVING),
    _case("dropout-gap-stratified", "contradicted", 1000, dropout_stratified=FLAT),
    _case("dropout-gap-stratified", "inconclusive", dropout_stratified=NOISY),
    _case("l2-no-trend", "supported", 60, small_l2=FLAT),
    _case("l2-no-trend", "contradicted", small_l2=falls(8)),
    _case("l2-no-trend", "partly", small_l2=falls(2)),
    _case("l2-no-trend", "inconclusive", small_l2=NOISY),
    _case("l2-too-strong", "supported", l2=falls(0.5)),
    _case("l2-too-strong", "contradicted", l2=FLAT),
    _case("l2-too-strong", "partly", l2=World(test=lambda hp: 0.95 - 0.5 * hp.l2)),
    _case("l2-too-strong", "inconclusive", l2=NOISY),
    _case("l2-shrinks", "supported", l2=World(norm=lambda hp: 1 - 5 * hp.l2)),
    _case(
        "l2-shrinks",
        "contradicted",
        l2=World(norm=lambda hp: 1 + 5 * hp.l2, zeros=lambda hp: 4 * hp.l2),
    ),
    _case("l2-shrinks", "partly", l2=World(norm=lambda hp: 1 + 5 * hp.l2)),
    _case("l2-shrinks", "inconclusive", l2=FLAT),
    _case("l1-sparse", "supported", l1=World(zeros=lambda hp: 60 * hp.l1)),
    _case("l1-sparse", "contradicted", l1=FLAT, strong_l1=FLAT),
    _case("l1-sparse", "partly", l1=FLAT, strong_l1=BIG),
    _case("l1-sparse", "inconclusive", l1=World(zeros=lambda hp: 0.01 + 20 * hp.l1)),
    _case("l1-final", "supported", l1=FLAT),
    _case("l1-final", "contradicted", l1=falls(20, "l1")),
    _case("l1-final", "inconclusive", l1=NOISY),
    _case("l1-early", "supported", strong_l1=World(pace=lambda hp: 10 - hp.l1 / 2)),
    _case("l1-early", "contradicted", strong_l1=World(pace=lambda hp: 10 + hp.l1)),
    _case("l1-early", "inconclusive", strong_l1=replace(NOISY, luck=0.1)),
    _case("batch-early", "supported", batch_size=World(pace=lambda hp: hp.batch_size)),
    _case("batch-early", "contradicted", batch_size=World(pace=lambda hp: 64 / hp.batch_size)),
    _case("batch-early", "inconclusive", batch_size=NOISY),
    _case("batch-final", "supported", batch_size=World(pace=lambda hp: 4 + hp.batch_size / 16)),
    _case("batch-final", "contradicted", batch_size=World(test=lambda _: 0.85)),
    _case(
        "batch-final",
        "partly",
        batch_size=World(test=lambda hp: 0.95 - 0.1 * (hp.batch_size == 64)),
    ),
    _case(
        "batch-final",
        "inconclusive",
        batch_size=World(test=lambda hp: 0.95 - 0.05 * (hp.batch_size == 64)),
    ),
    _case("seeds-vary", "supported", l2=NOISY),
    _case("seeds-vary", "supported", l2=NOISY, init=NOISY),
    _case("seeds-vary", "partly", l2=NOISY, init=falls(3)),
    _case("seeds-vary", "contradicted", l2=falls(3)),
    _case("seeds-vary", "inconclusive", l2=World(test=lambda hp: 0.95 - 0.5 * hp.l2, luck=0.007)),
    _case("size-matters-net", "supported", small=FLAT, large=gains(0.04)),
    _case("size-matters-net", "contradicted", 1000, small=FLAT, large=FLAT),
    _case("size-matters-net", "inconclusive", small=FLAT, large=gains(0.02, luck=0.1)),
    _case("size-matters-data", "supported", small=FLAT, harder=gains(0.03)),
    _case("size-matters-data", "supported, small", small=FLAT, harder=gains(0.006)),
    _case("size-matters-data", "contradicted", small=gains(0.03), harder=FLAT),
    _case("size-matters-data", "inconclusive", small=FLAT, harder=gains(0.02, luck=0.1)),
)
