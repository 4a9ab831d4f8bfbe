"""A poor line between two bridges: frames take their time, and some do not arrive.

    python tests/support/poor_line.py BRIDGE OTHER_BRIDGE SECONDS JITTER LOSS

Each frame of either direction takes SECONDS, more or less by up to JITTER, and gets lost with
the probability LOSS; frames may overtake others. What `tc qdisc add ... netem` does, for kernels
without netem. Needs root; the line is there when the script has said so, and ends with it.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

_TUNSETIFF = 0x400454CA
_TAP, _NO_PACKET_INFORMATION = 0x0002, 0x1000
_LONGEST_FRAME = 65536


def _end_at(bridge: str, name: str) -> int:
    """A port of the bridge; what is written to it comes in, and what leaves there is read."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wish = struct.pack("16sH22x", name.encode(), _TAP | _NO_PACKET_INFORMATION)
    fcntl.ioctl(device, _TUNSETIFF, wish)
    subprocess.run(["ip", "link", "set", name, "master", bridge, "up"], check=True)
    return device


def _relay(ends: tuple[int, int], seconds: float, jitter: float, loss: float) -> None:
    draws = random.Random(0)
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    under_way: list[tuple[float, int, int, bytes]] = []  # when, where and what arrives
    number = 0
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        for end in select.select(ends, (), (), wait)[0]:
            frame = os.read(end, _LONGEST_FRAME)
            if draws.random() >= loss:
                number += 1
                arrives = time.monotonic() + seconds + draws.uniform(-jitter, jitter)
                heapq.heappush(under_way, (arrives, number, other[end], frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(under_way)
            os.write(end, frame)


if __name__ == "__main__":
    first, second, *numbers = sys.argv[1:]
    made = _end_at(first, f"l-{first}"[:15]), _end_at(second, f"l-{second}"[:15])
    print("connected", flush=True)
    _relay(made, *map(float, numbers))
