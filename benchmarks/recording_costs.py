"""What recording costs: the product's recorder writes real results into real stores.

Recorders run as in a sweep, each in a process of its own with a sweep of its own. The clock runs
from the first delivery until the last trial is recorded: neither start nor end of a sweep counts.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from sleeping import Prepared
from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import parse
from sweeps.record.client import Recorder
from sweeps.record.messages import Begin, Begun, Closed, Finish, Open, Problem, Ready, Recorded
from sweeps.record.messages import Results as Delivery
from tracking_servers import Store
from trainables import data

_STILL_SECONDS = 0.6  # without CPU time: a recorder has made its imports


@dataclass(frozen=True)
class Recording:
    """What it took to record: `seconds` from first to last, CPU seconds a trial by process.

    `promised`: trials of each sweep, of which its recorder wrote a part, `together` a delivery.
    """

    store: str
    recorders: int
    promised: int
    together: int
    trials: int
    seconds: float
    cpu_a_trial: dict[str, float]
    load: float

    @property
    def seconds_a_trial(self) -> float:
        """Of all recorders together."""
        return self.seconds / self.trials


class _Client:
    """A recorder with its sweep of `promised` trials, which has begun."""

    def __init__(self, uri: str, promised: int, flags: Sequence[str], number: int) -> None:
        # Other seeds, since two sweeps at once may not promise the same.
        more = ["--num-samples", str(promised + 1), "--first-seed", str(1000 * number)]
        options = parse(SWEEP, "", [*flags, *more])
        manifest = make_manifest(*DeclaredSweep(SWEEP, options).plan())
        self.trials = manifest.trials
        self._recorder = Recorder()
        self.process = psutil.Process(self._recorder.pid)
        self._recorder.send(Open(uri, "benchmark"))
        ready = self._recorder.expect(Ready)
        assert isinstance(ready, Ready)
        if ready.problem:
            raise RuntimeError(ready.problem)
        begin = Begin(manifest, data.load(options.dataset), os.getpid(), 120)
        self._recorder.send(begin)
        begun = self._recorder.expect(Begun)
        assert isinstance(begun, Begun)
        if begun.problem:
            raise RuntimeError(begun.problem)
        while self._busy():
            pass

    def _busy(self) -> bool:
        before = self.cpu_seconds()
        time.sleep(_STILL_SECONDS)
        return self.cpu_seconds() - before > 0.02

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def deliver(self, contents: Sequence[bytes]) -> None:
        for content in contents:
            self._recorder.send(Delivery(content))

    def wait_for(self, trials: int) -> None:
        """Returns when that many more trials are recorded."""
        while trials > 0:
            for event in self._recorder.events(wait=1):
                if isinstance(event, Problem):
                    raise RuntimeError(event.text)
                trials -= isinstance(event, Recorded)

    def close(self) -> None:
        self._recorder.send(Finish("KILLED"))  # a part of the sweep is all there is
        self._recorder.expect(Closed)
        self._recorder.join()


def record(
    name: str, store: Store, prepared: Path, flags: Sequence[str], recorders: int, promised: int,
    together: int, trials: int,
) -> Recording:  # fmt: skip
    """Records that many trials for each of the recorders.

    `prepared`: real results of trials with those `flags`. Each sweep promises one trial more.
    """
    results = Prepared(prepared)
    clients = [_Client(store.uri, promised, flags, number) for number in range(recorders)]
    try:
        contents = []
        for client in clients:
            # One more than is measured, for the imports that the first needs.
            client.deliver([results.results_of(client.trials[:1])])
            client.wait_for(1)
            chosen = client.trials[1 : trials + 1]
            parts = [chosen[start : start + together] for start in range(0, trials, together)]
            contents.append([results.results_of(part) for part in parts])
        used = store.cpu_seconds() | {"recorder": sum(each.cpu_seconds() for each in clients)}
        load, began = os.getloadavg()[0], time.perf_counter()
        for client, mine in zip(clients, contents, strict=True):
            client.deliver(mine)
        for client in clients:
            client.wait_for(trials)
        seconds = time.perf_counter() - began
        after = store.cpu_seconds() | {"recorder": sum(each.cpu_seconds() for each in clients)}
    finally:
        for client in clients:
            client.close()
    cpu = {part: (after[part] - used[part]) / (trials * recorders) for part in used}
    return Recording(name, recorders, promised, together, trials * recorders, seconds, cpu, load)


@contextmanager
def counted(uri: str) -> Iterator[tuple[str, list[int]]]:
    """Another address of the server at `uri`, and the bytes sent there and back through it."""
    there = urlsplit(uri)
    counts = [0, 0]
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: list[socket.socket] = [listener]

    def pump(source: socket.socket, target: socket.socket, way: int) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                counts[way] += len(content)
                target.sendall(content)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((there.hostname, there.port))
                open_sockets.extend((client, server))
                for way, pair in enumerate(((client, server), (server, client))):
                    threading.Thread(target=pump, args=(*pair, way), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", counts
    finally:
        for each in open_sockets:
            each.close()
