"""What a sweep says of its configurations and the baseline: rarely more than there is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from support.made_up_results import made_up
from sweeps import l2
from sweeps.plan.against_baseline import BaselineDifference, differences
from sweeps.record.pages.words import points, verdict
from trainables.manifest import Manifest

SEEDS = 10


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    found, _ = made_up(l2.SWEEP, "--num-samples", "50", "--seeds", str(SEEDS), "--epochs", "2")
    return found


def _drawn(manifest: Manifest, draws: np.random.Generator) -> dict[str, np.ndarray]:
    """Accuracies whose seeds differ much, and whose configurations do not differ at all."""
    seeds = draws.normal(0.95, 0.03, SEEDS)
    return {trial.key: seeds + draws.normal(0, 0.01, SEEDS) for trial in manifest.trials}


def test_an_interval_is_the_paired_t_interval_at_the_level_of_all_together(
    manifest: Manifest,
) -> None:
    values = _drawn(manifest, np.random.default_rng(1))
    found = differences(manifest, values, manifest.trials)
    assert set(found) == {trial.key for trial in manifest.trials} - {manifest.baseline}
    for key, difference in found.items():
        expected = stats.ttest_rel(values[key], values[manifest.baseline])
        low, high = expected.confidence_interval(1 - 0.05 / 49)
        assert difference[:3] == pytest.approx(
            ((values[key] - values[manifest.baseline]).mean(), low, high)
        )


def test_luck_is_called_more_than_luck_in_at_most_one_of_twenty_sweeps(manifest: Manifest) -> None:
    draws = np.random.default_rng(2)
    wrong = 0
    for _ in range(400):
        found = differences(manifest, _drawn(manifest, draws), manifest.trials)
        wrong += any(each.more_than_luck for each in found.values())
    assert wrong <= 0.05 * 400  # each at its own 95 % would be wrong in most of them


def test_what_is_there_is_found(manifest: Manifest) -> None:
    values = _drawn(manifest, np.random.default_rng(3))
    lower = manifest.trials[7]
    values[lower.key] -= 0.05
    found = differences(manifest, values, manifest.trials)
    assert [key for key, each in found.items() if each.more_than_luck] == [lower.key]
    assert verdict(found[lower.key]) == "differs from the baseline by more than luck"
    other = found[manifest.trials[8].key]
    assert verdict(other) == "cannot be told from the baseline with these seeds"


def test_what_cannot_be_compared_is_said(manifest: Manifest) -> None:
    values = _drawn(manifest, np.random.default_rng(4))
    same, shifted, diverged, lacking = manifest.trials[1:5]
    values[same.key] = values[manifest.baseline]
    values[shifted.key] = values[manifest.baseline] + 1 / 30
    values[diverged.key][3] = np.nan
    del values[lacking.key]
    found = differences(manifest, values, manifest.trials)
    assert not {diverged.key, lacking.key} & set(found)
    assert "equal with every seed" in verdict(found[same.key])
    assert points(found[same.key]) == "0.00"
    assert "the same with every seed" in verdict(found[shifted.key])
    one = {key: each[:1] for key, each in values.items()}
    assert "one seed: no interval" in verdict(differences(manifest, one, [same])[same.key])
    del values[manifest.baseline]
    assert differences(manifest, values, manifest.trials) == {}


def test_what_rounds_to_zero_keeps_its_sign() -> None:
    assert points(BaselineDifference(-0.00002, -0.00004, 0.00008)) == "-0.00 [-0.00, +0.01]"
