"""Tracking stores that fail under a sweep: nothing is lost, nothing twice, training does not wait.

`paced` is the same sweep without a fault. A fault begins when the first trial's run has been
created and lasts until the last model is trained, unless a test says otherwise: were training to
wait for the store, the sweep would hang.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.everything import Everything
from support.faulty_proxy import FaultyProxy, faulty_proxy
from support.invariants import check_invariants, kept_folders
from support.scripts import PACED, ROOT
from support.servers import MlflowServer, mlflow_server
from support.sweep_process import SweepProcess, flip_a_byte, run_upload, started

pytestmark = [pytest.mark.sweep, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[MlflowServer]:
    with mlflow_server() as running:
        yield running


@pytest.fixture
def proxy(server: MlflowServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.uri) as running:
        yield running


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> str:
    """A name of its own for each test, since they share a server."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name)


def first_trial_begun(proxy: FaultyProxy) -> Callable[[], bool]:
    return lambda: proxy.count("/runs/create", "pass") >= 2  # the first is the sweep's own


def completes(
    process: SweepProcess, server: MlflowServer, experiment: str, paced: Everything
) -> None:
    assert process.wait() == 0, process.stderr
    check_invariants(server.uri, experiment=experiment, reference=paced, process=process)


@contextmanager
def unwell(how: str, server: MlflowServer, proxy: FaultyProxy) -> Iterator[None]:
    """The server, or the proxy in front of it, does not do its work in the meantime."""
    try:
        if how == "down":
            server.kill()
        elif how == "frozen":
            server.freeze()
        elif how == "silent":
            proxy.fault("hang")
        else:
            # An error, then a wish for an hour of patience, then overload until the end.
            for status, wait in ((500, None), (429, 3600), (503, None)):
                proxy.fault("error", status=status, retry_after=wait)
                time.sleep(2)
        yield
    finally:
        proxy.heal()
        server.thaw() if how == "frozen" else server.start()


@pytest.mark.parametrize("how", ["down", "frozen", "silent", "errors"])
def test_server_that_is_unwell_for_a_while(
    server: MlflowServer,
    proxy: FaultyProxy,
    experiment: str,
    tmp_path: Path,
    paced: Everything,
    how: str,
) -> None:
    flags = (*PACED, "--tracking-uri", proxy.uri, "--experiment-name", experiment)
    with started("sweeps/l2.py", *flags, cwd=tmp_path) as process:
        process.wait_until(first_trial_begun(proxy), "the first trial was recorded")
        with unwell(how, server, proxy):
            process.wait_until_trained()
        completes(process, server, experiment, paced)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "slow", "seconds": 0.5},
        # Later than the client waits: the run is created when nobody reckons with it any more.
        {"kind": "slow", "seconds": 9, "path": "/runs/create", "every": 2},
        {"kind": "lose", "path": "/runs/create"},
        {"kind": "lose", "every": 3},
    ],
    ids=["slow", "much-too-late", "creation-unanswered", "every-third-unanswered"],
)
def test_server_whose_answers_come_late_or_never(
    server: MlflowServer,
    proxy: FaultyProxy,
    experiment: str,
    tmp_path: Path,
    paced: Everything,
    fault: dict[str, object],
) -> None:
    flags = (*PACED, "--tracking-uri", proxy.uri, "--experiment-name", experiment)
    impatient = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "4"}
    with started("sweeps/l2.py", *flags, cwd=tmp_path, **impatient) as process:
        process.wait_until(lambda: proxy.count("/runs/create") >= 1, "the sweep's run was created")
        proxy.fault(**fault)  # type: ignore[arg-type]
        completes(process, server, experiment, paced)
        assert proxy.count(outcome=str(fault["kind"])) > 0


def test_unanswered_creation_of_the_sweep_itself(
    server: MlflowServer,
    proxy: FaultyProxy,
    experiment: str,
    tmp_path: Path,
    paced: Everything,
) -> None:
    proxy.fault("lose", path="s/create", every=2)  # experiments and runs, the first one included
    flags = (*PACED, "--tracking-uri", proxy.uri, "--experiment-name", experiment)
    with started("sweeps/l2.py", *flags, cwd=tmp_path) as process:
        completes(process, server, experiment, paced)


def test_server_down_to_the_end_and_results_brought_in_later(
    server: MlflowServer,
    proxy: FaultyProxy,
    experiment: str,
    tmp_path: Path,
    paced: Everything,
) -> None:
    flags = (*PACED, "--tracking-uri", proxy.uri, "--experiment-name", experiment)
    with started("sweeps/l2.py", *flags, "--store-patience", "3", cwd=tmp_path) as process:
        process.wait_until(first_trial_begun(proxy), "the first trial was recorded")
        proxy.refuse()
        assert process.wait() == 4, process.stderr
        assert f"python {ROOT}/sweeps/upload.py" in process.stderr
        assert "Traceback" not in process.stderr
        assert process.living_after_the_end() == []
        assert process.temporary_files() == []
        (folder,) = kept_folders(tmp_path)
        assert folder.name in process.stderr

    code, _ = run_upload(tmp_path)
    assert code == 4  # still down
    proxy.heal()
    for file in sorted(folder.rglob("*")):
        content = file.read_bytes()
        flip_a_byte(file)
        code, errors = run_upload(tmp_path)
        assert code == 7, f"{file.name}: {errors}"
        assert file.name in errors
        file.write_bytes(content)
    code, errors = run_upload(tmp_path)
    assert code == 0, errors
    check_invariants(server.uri, experiment=experiment, reference=paced)
    assert list(tmp_path.iterdir()) == []
    code, errors = run_upload(tmp_path)
    assert code == 0, errors
    check_invariants(server.uri, experiment=experiment, reference=paced)
