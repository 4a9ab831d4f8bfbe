"""Paired tests: by hand, against scipy and statsmodels, and by how often they are wrong."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from analysis.stats.paired import Paired, compare_paired, holm, smallest_n
from analysis.stats.seeds import paired_difference
from support.iris_like import LAST_EPOCH, Floats

ZERO = np.zeros


def _compared(differences: list[float] | Floats, test_to_train: float | None = 0.25) -> Paired:
    return compare_paired(np.array(differences), ZERO(len(differences)), test_to_train, _rng())


def _rng() -> np.random.Generator:
    return default_rng(0)


def test_three_pairs_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, standard deviation 1.
    found = compare_paired(np.array([11.0, 22, 33]), np.array([10.0, 20, 30]), 0.25, _rng())
    assert found.difference == paired_difference(np.array([1.0, 2, 3]), ZERO(3))
    # Nadeau and Bengio: variance (1/3 + 1/4) · 1; t(0.975, 2 degrees) = 4.302653 from tables.
    half = 4.302653 * (7 / 12) ** 0.5
    assert found.corrected.low == pytest.approx(2 - half, abs=1e-6)
    assert found.corrected.high == pytest.approx(2 + half, abs=1e-6)
    t = 2 / (7 / 12) ** 0.5
    assert found.corrected.p == pytest.approx(1 - t / (2 + t**2) ** 0.5)
    # All 8 choices of signs: only + + + and - - - lie as far out.
    assert found.permutation_p == pytest.approx(2 / 8)
    assert found.wilcoxon_p == pytest.approx(2 / 8)
    # Hedges: Γ(1) / (√1 · Γ(½)) = 1/√π.
    assert found.effect_size == pytest.approx(2 / np.pi**0.5)
    # Wilson with 3 of 3: from 1 / (1 + z²/3) on.
    assert found.improvement == pytest.approx((1, 1 / (1 + 1.959964**2 / 3), 1), abs=1e-6)
    assert found.remark == ""


def test_hedges_correction_with_five_pairs_by_hand() -> None:
    # Γ(2) / (√2 · Γ(3/2)) = 0.797885; mean 3, standard deviation √2.5.
    found = _compared([1.0, 2, 3, 4, 5]).effect_size
    assert found == pytest.approx(0.797885 * 3 / 2.5**0.5, abs=1e-5)


def test_which_way_the_difference_goes() -> None:
    found, other = _compared([0.1, 0.2, 0.3, -0.1]), _compared([-0.1, -0.2, -0.3, 0.1])
    assert found.effect_size == pytest.approx(-other.effect_size)  # type: ignore[operator]
    assert found.improvement[0] == 1 - other.improvement[0] == 0.75  # type: ignore[index]
    assert found.permutation_p == other.permutation_p
    assert found.wilcoxon_p == other.wilcoxon_p
    assert found.smallest_n == other.smallest_n


def test_wilcoxon_with_zeros_and_ties_by_hand() -> None:
    # Sizes 0, 1, 1, 2 have ranks 1, 2½, 2½, 4 (Pratt: the zero is ranked, then left out); the
    # seen sum 2½ + 2½ - 4 = 1. Of the sums ±2½ ±2½ ±4 all are at least 1 away from 0.
    assert _compared([0.0, 1, 1, -2]).wilcoxon_p == 1
    # Ranks 2, 3, 4, 5: the seen sum 4, and of the eight sums with + 2 all but 0 and -2 are as far.
    assert _compared([0.0, 1, 2, 3, -4]).wilcoxon_p == pytest.approx(6 / 8)
    # + 2½ + 2½ + 4 = 9 and its opposite are 2 of 8.
    assert _compared([0.0, 1, 1, 2]).wilcoxon_p == pytest.approx(1 / 4)


@pytest.mark.parametrize("n", [12, 13])
def test_without_ties_wilcoxon_is_scipys(n: int) -> None:
    differences = default_rng(n).normal(0.5, 1, n)
    found = _compared(differences).wilcoxon_p
    method = "exact" if n == 12 else "asymptotic"
    assert found == pytest.approx(stats.wilcoxon(differences, method=method).pvalue)


def test_ties_that_rounding_breaks_stay_ties() -> None:
    baseline = np.array([1, 3, 6, 11, 17, 23, 28, 13]) / 30
    values = baseline + np.array([1, -1, 1, 1, 1, -1, 1, 1]) / 30
    assert len(set(np.abs(values - baseline))) > 1
    expected = _compared(np.array([1.0, -1, 1, 1, 1, -1, 1, 1]))
    found = compare_paired(values, baseline, None, _rng())
    assert found.wilcoxon_p == expected.wilcoxon_p
    assert found.permutation_p == expected.permutation_p
    assert compare_paired(baseline, baseline + 1e-14, None, _rng()).improvement[0] == 0.5  # type: ignore[index]


def test_few_pairs_try_every_choice_of_signs() -> None:
    differences = np.array([3, 1, -2, 0, 4, 1, 1, -1]) / 30
    sums = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=8)]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)
    found = [
        compare_paired(differences, ZERO(8), None, default_rng(seed)).permutation_p
        for seed in (1, 2)
    ]
    assert found == [pytest.approx(expected)] * 2


def test_many_pairs_try_random_signs_as_scipy_does() -> None:
    differences = default_rng(5).normal(0.3, 1, 40)
    found = _compared(differences).permutation_p
    expected = stats.permutation_test(
        (differences,),
        lambda sample, axis: sample.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        rng=_rng(),
    ).pvalue
    assert found == pytest.approx(expected, abs=0.015)
    # None of the random ones is as far out as these: (0 + 1) / (9999 + 1).
    assert _compared(np.linspace(1, 2, 40)).permutation_p == pytest.approx(1e-4)


def test_where_nothing_is_tested_a_word_says_why() -> None:
    nan = np.nan
    assert _compared([nan]).remark == "no pair without divergence"
    assert _compared([1.0, nan])[2:] == (*[None] * 5, "1 pair: no interval")
    two = _compared([1.0, 2.0])
    assert (two.effect_size, two.smallest_n, two.remark) == (None, None, "2 pairs: no effect size")
    alike = _compared([0.0] * 10)
    assert alike[2:5] == (None, None, None)
    assert alike.improvement[0] == 0.5  # type: ignore[index]
    assert (alike.smallest_n, alike.remark) == (None, "all 10 differences are 0: no test")
    # No t-test without a spread; but ten of ten better is far out among signs.
    equal = _compared([0.1] * 10)
    assert equal.remark == "all 10 differences are equal: no test"
    assert equal.permutation_p == equal.wilcoxon_p == 2 / 1024
    assert equal.corrected == equal.difference
    one_split = _compared([1.0, 2, 3], None).corrected
    assert one_split[:6] == (2.0, None, None, 3, None, "one split: nothing on other rows")
    with pytest.raises(ValueError, match="test_to_train must be above 0, got 0"):
        _compared([1.0, 2, 3], 0)


def test_diverged_models_are_left_out_in_pairs() -> None:
    values, baseline = default_rng(7).random((2, 20))
    expected = compare_paired(values, baseline, 0.25, _rng())
    values, baseline = (np.insert(one, 3, [np.nan, 1.0]) for one in (values, baseline))
    baseline[4] = np.inf
    assert compare_paired(values, baseline, 0.25, _rng()) == expected


def test_holm_by_hand_and_as_statsmodels() -> None:
    # Sorted 0.01 · 4, 0.02 · 3, 0.03 · 2 and 0.04 · 1, each at least the one before.
    assert holm([0.04, 0.01, None, 0.03, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06])
    assert holm([]) == []
    assert holm([None]) == [None]
    p_values = default_rng(0).random(9).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([0.5, np.nan])


@pytest.mark.parametrize("effect", [0.02, -0.1, 0.35, 0.8, 1.5, 3.0])
def test_smallest_n_agrees_with_statsmodels(effect: float) -> None:
    power = TTestPower()
    n = smallest_n(effect)
    assert n is not None
    assert power.power(effect, n, 0.05) >= 0.8
    assert power.power(effect, n - 1, 0.05) < 0.8


def test_smallest_n_at_the_ends() -> None:
    assert smallest_n(0.0) is None
    assert smallest_n(0.008) is None
    assert smallest_n(0.009) == pytest.approx(96_899, rel=1e-3)
    assert smallest_n(1e6) == 2


@pytest.mark.parametrize(("effect", "level"), [(0.24, 1e-5), (0.8, 1e-5), (1.5, 1e-3)])
def test_smallest_n_agrees_with_statsmodels_at_other_levels(effect: float, level: float) -> None:
    n = smallest_n(effect, level)
    assert n is not None
    # One side: the other adds less than 1e-9, for which an older scipy gives no number.
    powers = [
        TTestPower().power(effect, each, level / 2, alternative="larger") for each in (n, n - 1)
    ]
    assert powers[0] >= 0.8 > powers[1]


def test_smallest_n_falls_as_the_effect_grows_also_where_scipy_gives_no_number() -> None:
    found = [smallest_n(effect, 1e-5) for effect in (1, 2, 3, 5, 10, 30, 100, 1000)]
    assert found == sorted(found, reverse=True)  # type: ignore[type-var]
    assert found[-1] == 3


def test_skewed_differences_with_a_mean_of_0_are_something_to_signed_ranks_alone() -> None:
    # Docs and docstring have the shares of 2,000 studies.
    draws = default_rng(5)
    shares = np.zeros(2)
    for values in draws.exponential(size=(200, 100)) - 1:
        found = compare_paired(values, np.zeros(100), None, draws, 199)
        shares += [found.wilcoxon_p < 0.05, found.permutation_p < 0.05]  # type: ignore[operator]
    assert shares[0] / 200 == pytest.approx(0.39, abs=0.1)
    assert shares[1] / 200 < 0.12


def test_smallest_n_keeps_its_promise() -> None:
    n = smallest_n(0.8)
    assert n == 15
    samples = default_rng(3).normal(0.8, 1, (20_000, n))
    assert (stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(
        0.8, abs=0.03
    )


@pytest.mark.parametrize(("n", "rows"), [(10, 2.0), (12, 0.5), (30, 0.5), (30, 2.0)])
def test_without_a_difference_the_tests_find_one_in_5_percent_at_most(n: int, rows: float) -> None:
    # Two configurations that agree but for `rows` / 30 of accuracy, which chance alone gives them:
    # 37 to 65 % of the differences are 0, most others ±1/30.
    rng = default_rng(n)
    samples = 600
    baseline = LAST_EPOCH.draw(rng, (samples, n))
    change = rng.poisson(rows / 2, (2, samples, n)) / 30
    found = [
        compare_paired(values, other, None, rng, 399)
        for values, other in zip(baseline + change[0], baseline + change[1], strict=True)
    ]
    p_values = np.array(
        [[one.difference.p, one.wilcoxon_p, one.permutation_p] for one in found], dtype=float
    )
    wrong = (p_values < 0.05).mean(axis=0)
    assert (wrong <= 0.068).all()  # 0.05 and two standard errors of 600 samples
    assert wrong[0] >= 0.02
    held = np.mean([one.improvement[1] <= 0.5 <= one.improvement[2] for one in found])  # type: ignore[index]
    assert held >= 0.94


def test_on_splits_of_the_same_rows_only_the_corrected_test_keeps_its_level() -> None:
    # Two fixed classifiers are equally good on all rows that there are. A study has 150 rows and
    # tests on 30 of them in each of 20 splits, so its test sets overlap.
    rng = default_rng(11)
    studies, splits = 500, 20
    better = rng.integers(-1, 2, (studies, 150))
    order = np.argsort(rng.random((studies, splits, 150)), axis=2)[:, :, :30]
    differences = np.take_along_axis(better[:, None], order, axis=2).mean(axis=2)
    found = [compare_paired(one, ZERO(splits), 30 / 120, rng, 9) for one in differences]
    assert np.mean([one.difference.p < 0.05 for one in found]) > 0.25  # type: ignore[operator]
    assert np.mean([one.corrected.p < 0.05 for one in found]) == pytest.approx(0.05, abs=0.02)  # type: ignore[operator]


def test_holm_is_wrong_once_in_20_sweeps_at_most() -> None:
    # Six configurations against a common baseline, none of which differs.
    models = default_rng(12).normal(size=(2000, 7, 10))
    p_values = stats.ttest_1samp(models[:, 1:] - models[:, :1], 0, axis=2).pvalue
    adjusted = np.array([holm(row.tolist()) for row in p_values], dtype=float)
    assert (p_values.min(axis=1) < 0.05).mean() > 0.12
    assert 0.02 <= (adjusted.min(axis=1) < 0.05).mean() <= 0.055
