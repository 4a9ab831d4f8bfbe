"""How many trials a node has room for, and how many CPUs a sweep's own Ray is given."""

from __future__ import annotations

import pytest

from sweeps.cluster.ray_start import cpus_to_use, slots_of
from sweeps.plan.options import Options


@pytest.mark.parametrize(
    ("node", "cpus", "gpus", "expected"),
    [
        ({"CPU": 4}, 1, 0, 4),
        ({"CPU": 4}, 2, 0, 2),
        ({"CPU": 1}, 2, 0, 0),  # another node's CPUs are of no use
        ({"CPU": 0.3}, 0.1, 0, 3),
        ({"CPU": 8, "GPU": 1}, 1, 0.25, 4),
        ({"CPU": 3, "GPU": 1}, 1, 0.25, 3),
        ({"CPU": 8, "GPU": 2}, 1, 0.3, 6),  # 0.1 of each GPU stays idle
        ({"CPU": 8, "GPU": 2}, 1, 1, 2),
        ({"CPU": 8, "GPU": 3}, 1, 2, 1),
        ({"CPU": 8}, 1, 0.25, 0),
        ({}, 1, 0, 0),
    ],
)
def test_trials_are_counted_that_fit_on_one_node(
    node: dict[str, float], cpus: float, gpus: float, expected: int
) -> None:
    assert slots_of(node, cpus, gpus) == expected


@pytest.mark.parametrize(
    ("options", "useful", "expected"),
    [
        ({}, None, None),
        ({}, 1, 1),
        ({}, 100_000, None),  # more than any machine has
        ({"max_concurrent": 1}, 100_000, 1),
        ({"max_concurrent": 100_000}, 1, 1),
        ({"cpus_per_trial": 0.1}, 8, 1),
        ({"cpus_per_trial": 100_000}, 1, None),  # which Ray then is asked for in vain
        ({"gpus_per_trial": 1}, 1, None),
    ],
)
def test_ray_has_the_cpus_that_short_work_needs(
    options: dict[str, float], useful: int | None, expected: int | None
) -> None:
    assert cpus_to_use(Options(**options), useful) == expected  # type: ignore[arg-type]
