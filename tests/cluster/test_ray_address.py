"""A sweep joins the cluster that is named or meant for sharing, and never a neighbour's own Ray."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweeps.cluster.ray_address import ResourceError, find_cluster, follow_authentication
from sweeps.plan.ray_choice import problem


@contextmanager
def node_of(address: str) -> Iterator[None]:
    """A process that looks like the one that Ray has on every node of a cluster."""
    asleep = "import time; print(flush=True); time.sleep(600)"
    process = subprocess.Popen(
        ["/any/where/raylet", "-c", asleep, f"--gcs-address={address}"],
        executable=sys.executable,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def listening() -> Iterator[str]:
    """The address of a port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ray's temporary folder, of this test alone; nothing of Ray is set."""
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    return tmp_path


def found(asked: str) -> tuple[str | None, list[str]]:
    """The cluster that is found, and what was said about it."""
    notes: list[str] = []
    return find_cluster(asked, notes.append), notes


def share(folder: Path, address: str) -> None:
    """Leaves the address where `ray start` does."""
    (folder / "ray" / "ray_current_cluster").write_text(address)


def test_a_ray_that_was_not_started_for_all_is_left_alone(listening: str) -> None:
    with node_of(listening):
        assert found("auto") == (None, [])


def test_the_cluster_that_this_machine_was_made_a_node_of_is_used(
    temporary: Path, listening: str
) -> None:
    share(temporary, listening)
    with node_of("127.0.0.1:4"), node_of(listening):
        assert found("auto") == (listening, [])


def test_local_is_local_whatever_runs(
    temporary: Path, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(temporary, listening)
    monkeypatch.setenv("RAY_ADDRESS", listening)
    with node_of(listening):
        assert found("local") == (None, [])


def test_a_cluster_that_has_gone_is_not_used_and_that_is_said(
    temporary: Path, listening: str
) -> None:
    # Something listens there, and a Ray runs here: but not that one.
    share(temporary, listening)
    with node_of("127.0.0.1:4"):
        address, (note,) = found("auto")
    assert address is None
    assert listening in note
    assert "starts its own Ray" in note


def test_what_another_user_has_left_there_is_not_used(
    temporary: Path, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(temporary, listening)
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    with node_of(listening):
        assert found("auto") == (None, [])


def test_the_environment_goes_before_the_cluster_of_this_machine(
    temporary: Path, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(temporary, "127.0.0.1:4")
    with node_of("127.0.0.1:4"), node_of(listening):
        monkeypatch.setenv("RAY_ADDRESS", listening)
        assert found("auto") == (listening, [])
        monkeypatch.setenv("RAY_ADDRESS", "local")
        assert found("auto") == (None, [])
        monkeypatch.setenv("RAY_ADDRESS", "auto")
        assert found("auto") == ("127.0.0.1:4", [])


@pytest.mark.parametrize("variable", [False, True])
def test_a_cluster_that_was_named_must_answer(
    variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    source = "RAY_ADDRESS" if variable else "--address"
    with pytest.raises(ResourceError, match=f"no Ray cluster answers at {address} .{source}."):
        find_cluster("auto" if variable else address, print)


def test_a_cluster_that_has_no_node_here_is_refused(listening: str) -> None:
    with node_of("127.0.0.1:4"), pytest.raises(ResourceError, match="this machine is no node of"):
        find_cluster(listening, print)


def test_an_address_in_the_environment_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(ResourceError, match=r"RAY_ADDRESS needs auto, local or host:port.*ray://"):
        find_cluster("auto", print)


@pytest.mark.parametrize("good", ["auto", "local", "10.0.0.1:6379", "head-1.example:1", "[::1]:9"])
def test_addresses(good: str) -> None:
    assert problem(good) == ""


@pytest.mark.parametrize(
    "bad", ["", "head", "head:", ":6379", "h:0", "h:65536", "ray://h:1", "a b:1"]
)
def test_what_is_no_address_is_refused(bad: str) -> None:
    assert "host:port" in problem(bad)


@pytest.mark.parametrize("asked_for", [True, False])
def test_a_token_is_shown_where_the_cluster_asks_for_it(
    asked_for: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token" if asked_for else "disabled")
    with node_of("127.0.0.1:4"):
        monkeypatch.delenv("RAY_AUTH_MODE")
        follow_authentication("127.0.0.1:5")
        assert "RAY_AUTH_MODE" not in os.environ
        follow_authentication("127.0.0.1:4")
    assert os.environ.get("RAY_AUTH_MODE") == ("token" if asked_for else None)


def test_what_the_user_says_about_tokens_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    with node_of("127.0.0.1:4"):
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        follow_authentication("127.0.0.1:4")
    assert os.environ["RAY_AUTH_MODE"] == "disabled"
