"""A session of a user's: sweeps in one process, and what was seen of them; see `test_door`.

Run as a script in an empty folder. It does what people do: it has no `if __name__ == "__main__"`.
"""

import asyncio
import os
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from sweeps import SweepError, SweepResult, load_sweep, run
from sweeps.l2 import SWEEP

FEW = {"num_samples": 3, "seeds": 2, "epochs": 20, "confirm": 0}
facts: dict[str, object] = {"imported": os.getpid()}
with Path("imported.txt").open("a") as file:
    file.write(f"{os.getpid()}\n")  # a line for every process that runs this script


def workers(*titles: str) -> dict[int, str]:
    """Ray's workers with such a title, by process number."""
    found = {}
    for each in psutil.Process().children(recursive=True):
        try:
            title = " ".join(each.cmdline())
        except psutil.Error:
            continue
        if title.startswith(titles):
            found[each.pid] = title
    return found


def refusal(call: Callable[[], object]) -> tuple[type, str, int]:
    """What `call` raises."""
    try:
        call()
    except SweepError as error:
        return type(error), str(error), error.exit_code
    raise AssertionError("nothing was refused")


first = run(SWEEP, num_samples=6, seeds=3, epochs=40, log_seeds=True, confirm=0)
facts["first"] = (first.run_id, first.tracking_uri)

# Those that have run a pack of the first sweep may take a moment to go.
deadline = time.monotonic() + 300
while len(ready := workers("ray::IDLE")) < (os.cpu_count() or 1) or workers("ray::Pack"):
    assert time.monotonic() < deadline, f"no workers stand ready, only {workers('ray::')}"
    time.sleep(0.1)
trained: dict[int, str] = {}
over = threading.Event()


def watch() -> None:
    """Notes which workers train."""
    while not over.wait(0.03):
        trained.update(workers("ray::Pack"))


watching = threading.Thread(target=watch)
watching.start()
second = run(SWEEP, num_samples=6, seeds=3, epochs=400, first_seed=3, confirm=0)
over.set()
watching.join()
facts["ready"], facts["trained"] = set(ready), set(trained)
facts["recorders"] = [
    each.pid
    for each in psutil.Process().children()
    if "sweeps.record.process" in " ".join(each.cmdline())
]

facts["mistakes"] = refusal(
    lambda: run(SWEEP, num_sample=3, seeds=0, search="x", quiet=1, l2=0.5, tracking_uri=7)
)
facts["no store"] = refusal(lambda: run(SWEEP, **FEW, tracking_uri="sqlite:////nowhere/x.db"))
facts["no run"] = refusal(lambda: load_sweep("0" * 32))


async def in_a_loop() -> SweepResult:
    """As a cell of a notebook: a loop runs in this thread."""
    return run(SWEEP, **FEW, tracking_uri="sqlite:///other.db")


def in_a_thread() -> None:
    """As a server does."""
    facts["other"] = asyncio.run(in_a_loop()).run_id


thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()

again = load_sweep(first.run_id)
facts["equal"] = (
    again.trials.equals(first.trials)
    and again.curves.equals(first.curves)
    and (again.best, again.baseline) == (first.best, first.baseline)
)
facts["failures"] = dict(first.failures)
facts["trials"], facts["curves"] = first.trials, first.curves
facts["best"], facts["baseline"] = first.best, first.baseline
facts["figures"] = [plot.name for plot in first.figures().plots]
facts["shown"] = first.figures()._repr_html_()
facts["saved"] = [path.name for path in first.figures().save("figures")]

import ray  # noqa: E402  # now it is the user's

sessions = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray")
own = sessions / ray.get_runtime_context().get_session_name()
facts["own session"] = [own.is_dir()]
ray.shutdown()
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
mine = ray.get_runtime_context().gcs_address
run(SWEEP, **FEW, first_seed=7, max_concurrent=1)
facts["their Ray stays"] = ray.is_initialized() and ray.get_runtime_context().gcs_address == mine
free = ray.available_resources()  # type: ignore[no-untyped-call]
facts["their Ray is free"] = free.get("CPU") == 1
facts["own session"] += [own.is_dir()]  # type: ignore[operator]
facts["their session"] = (sessions / ray.get_runtime_context().get_session_name()).is_dir()
facts["other address"] = refusal(lambda: run(SWEEP, **FEW, address="192.0.2.7:6379"))
facts["Tune's settings"] = sorted(name for name in os.environ if name.startswith("TUNE_"))
Path("facts.pickle").write_bytes(pickle.dumps(facts))
