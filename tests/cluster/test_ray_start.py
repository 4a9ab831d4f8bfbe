"""How many trials a node has room for."""

from __future__ import annotations

import pytest

from sweeps.cluster.ray_start import slots_of


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
