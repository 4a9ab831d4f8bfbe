"""Shares of variance by source: by hand, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from analysis.stats.sources import sources
from support.iris_like import Floats

SOURCES = ("split", "init", "order")


def _model(draws: Floats) -> Floats:
    """A made-up result of three sources' `draws` (S, 3): variances 4, 1 and ¼ that add up."""
    return np.asarray(2 * draws[:, 0] + draws[:, 1] + 0.5 * draws[:, 2])


def _product(draws: Floats) -> Floats:
    """Interplay of two sources alone; the third does nothing."""
    return np.asarray(draws[:, 0] * draws[:, 1])


def _study(of, draws: Floats) -> tuple[Floats, dict[str, Floats]]:  # type: ignore[no-untyped-def]
    """Base and exchanged results, as the seeds sweep makes them."""
    exchanged = {}
    for column, name in enumerate(SOURCES):
        other = draws.copy()
        other[:, column] = np.roll(draws[:, column], -1)
        exchanged[name] = of(other)
    return of(draws), exchanged


def test_formulas_by_hand() -> None:
    # Exchanging the split gives just the next seed's result: all comes from the split. Of six
    # seeds with 0 and 1 in turn every (base - exchanged)² is 1, and twelve values, six of them 1,
    # have a variance of 12/11 · ¼: a total of 1.83, cut to what a share can be.
    base = np.array([0.0, 1, 0, 1, 0, 1])
    split, init = sources(base, {"split": np.roll(base, -1), "init": base}, default_rng(0))
    assert split.first_order == 1
    assert split.total == 1
    assert init == ("init", 0, 0, 0, 0, 0, 0, 6, "changes no model")


def test_general_case_by_hand() -> None:
    base, other = np.array([1.0, 2, 4, 8, 16]), np.array([3.0, 5, 4, 13, 2])
    found = sources(base, {"init": other}, default_rng(0))[0]
    variance = np.var(np.concatenate([base, other]), ddof=1)
    # The next seeds' bases are 2, 4, 8, 16 and, around the corner, 1.
    assert found.first_order == pytest.approx(1 - (1 + 1 + 16 + 9 + 1) / 5 / (2 * variance))
    near = np.array([3.0, 1, 4, 9, 15])
    found = sources(base, {"init": near}, default_rng(0))[0]
    variance = np.var(np.concatenate([base, near]), ddof=1)
    assert found.total == pytest.approx((4 + 1 + 0 + 1 + 1) / 5 / (2 * variance))


def test_no_share_and_no_bound_of_one_is_beyond_0_to_1() -> None:
    draws = default_rng(9)
    for seed in range(20):
        found = sources(*_study(_model, draws.standard_normal((12, 3))), default_rng(seed), 99)
        numbers = np.array([one[1:7] for one in found])
        assert (numbers >= 0).all()
        assert (numbers <= 1).all()


def test_sources_that_add_up_have_equal_shares_of_both_orders() -> None:
    found = sources(
        *_study(_model, default_rng(1).standard_normal((20_000, 3))), default_rng(0), 99
    )
    for one, truth in zip(found, np.array([4, 1, 0.25]) / 5.25, strict=True):
        assert one.first_order == pytest.approx(truth, abs=0.02)
        assert one.total == pytest.approx(truth, abs=0.02)


def test_interplay_is_in_the_total_alone() -> None:
    split, init, order = sources(
        *_study(_product, default_rng(2).standard_normal((20_000, 3))), default_rng(0), 99
    )
    for one in (split, init):
        assert one.first_order == pytest.approx(0, abs=0.04)
        assert one.total == pytest.approx(1, abs=0.04)
    assert order.remark == "changes no model"


def test_scale_and_origin_do_not_matter() -> None:
    base, exchanged = _study(_model, default_rng(3).standard_normal((30, 3)))
    expected = sources(base, exchanged, default_rng(4), 199)
    moved = {name: 5 - 1e-3 * values for name, values in exchanged.items()}
    for one, other in zip(
        expected, sources(5 - 1e-3 * base, moved, default_rng(4), 199), strict=True
    ):
        assert one[1:7] == pytest.approx(other[1:7])


def test_where_nothing_can_be_said_a_word_says_why() -> None:
    base, rng = default_rng(5).random(8), default_rng(0)
    few = base.copy()
    few[[0, 2, 4, 6]] = np.nan
    found = sources(base, {"init": few}, rng)[0]
    assert found == ("init", *[None] * 6, 4, "4 seeds with all models, 5 needed: no shares")
    flat = sources(np.full(8, 0.1 + 0.2), {"init": np.full(8, 0.3)}, rng)[0]
    assert flat == ("init", *[None] * 6, 8, "no variance over the seeds: no shares")
    assert sources(np.zeros(0), {"init": np.zeros(0)}, rng)[0].n == 0
    with pytest.raises(ValueError, match=r"init needs the base's shape \(8,\), got \(7,\)"):
        sources(base, {"init": base[:7]}, rng)


def test_diverged_models_take_their_seeds_out_and_leave_no_nan() -> None:
    base, exchanged = _study(_model, default_rng(6).standard_normal((40, 3)))
    base[3] = np.nan  # takes out seed 3 and, since it is the next one of it, seed 2
    exchanged["init"][10] = np.inf
    found = sources(base, exchanged, default_rng(0), 199)
    assert [one.n for one in found] == [38, 37, 38]
    assert np.isfinite(np.array([one[1:7] for one in found], dtype=float)).all()


def test_intervals_hold_each_share_and_lie_around_it() -> None:
    # 300 seeds. Neighbouring pairs share a seed: without blocks the split's interval is too short.
    rng = default_rng(7)
    truth = np.array([4, 1, 0.25]) / 5.25
    held = np.zeros((400, 3, 2))
    for sample in held:
        found = sources(*_study(_model, rng.standard_normal((300, 3))), rng, 299)
        for row, one, share in zip(sample, found, truth, strict=True):
            row[:] = (
                one.first_low <= share <= one.first_high,
                one.total_low <= share <= one.total_high,
            )
    assert (held.mean(axis=0) >= 0.91).all()
    assert (held.mean(axis=0) <= 0.97).all()
