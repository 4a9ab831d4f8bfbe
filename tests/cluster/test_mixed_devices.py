"""Packs are shared out over GPUs and CPUs as they come free, and never over more than there are."""

from __future__ import annotations

import heapq
from collections import Counter

from sweeps.cluster.mixed_devices import MixedDevices
from sweeps.cluster.ray_start import Slots

SECONDS = {"cuda": 1.0, "cpu": 7.0}  # of a pack


def played(packs: int, rooms: list[Slots]) -> tuple[list[int], Counter[str], float]:
    """The packs in the order in which they ended, how many each device had, and when all ended.

    `rooms`: the slots that there are in each second; the last of them stay.
    """
    now = 0.0
    search = MixedDevices(packs, lambda: rooms[min(int(now), len(rooms) - 1)])
    running: list[tuple[float, int, str]] = []
    ended: list[int] = []
    on: Counter[str] = Counter()
    given = 0
    while len(ended) < packs:
        while given < packs and (config := search.suggest(str(config_id := given))) is not None:
            device = config["device"]
            assert config["pack"] == given
            heapq.heappush(running, (now + SECONDS[device], config_id, device))
            given += 1
            taken = Counter(device for _, _, device in running)
            room = rooms[min(int(now), len(rooms) - 1)]
            assert len(running) == 1 or taken[device] <= getattr(room, device)
        now, number, device = heapq.heappop(running)
        search.on_trial_complete(str(number))
        ended.append(number)
        on[device] += 1
    return ended, on, now


def test_every_pack_is_given_once_and_the_fast_device_takes_more() -> None:
    ended, on, seconds = played(40, [Slots(cuda=1, cpu=2)])
    assert sorted(ended) == list(range(40))
    assert on["cuda"] > on["cpu"]
    # 9/7 packs a second, and at most one slow pack that begins when the others end
    assert seconds <= 40 / (1 + 2 / SECONDS["cpu"]) + SECONDS["cpu"]


def test_devices_that_come_late_are_used() -> None:
    _, on, _ = played(20, [Slots(0, 1)] * 10 + [Slots(2, 1)])
    assert on["cuda"] > 0


def test_a_pack_waits_when_there_is_no_node_at_all() -> None:
    search = MixedDevices(3, lambda: Slots(0, 0))
    assert search.suggest("a") == {"pack": 0, "device": "cpu"}
    assert search.suggest("b") is None
