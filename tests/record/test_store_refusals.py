"""Tracking servers that cannot be used: refused in one line with what to do, before any trial."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from mlflow import MlflowClient

from support.everything import all_runs
from support.faulty_proxy import faulty_proxy
from support.servers import MlflowServer, mlflow_server
from support.sweep_process import started

pytestmark = pytest.mark.sweep

TINY = ("--num-samples", "2", "--seeds", "1", "--epochs", "5", "--max-concurrent", "1")


@pytest.fixture(scope="module")
def server() -> Iterator[MlflowServer]:
    with mlflow_server() as running:
        yield running


def refusal(uri: str, folder: Path, *flags: str) -> str:
    """The one line with which a sweep refuses the store at `uri`."""
    with started("sweeps/l2.py", *TINY, *flags, "--tracking-uri", uri, cwd=folder) as process:
        assert process.wait() == 4, process.stderr
        (line,) = process.messages
        assert process.stdout == ""
        assert process.living_after_the_end() == []
        assert process.temporary_files() == []
    assert line.startswith("error: ")
    assert list(folder.iterdir()) == []
    return line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("http://127.0.0.1:9", "start it, or check the address"),
        ("http://nowhere.invalid:5000", "start it, or check the address"),
        ("postgresql+psycopg://nobody@127.0.0.1:9/none", "127.0.0.1"),
        ("./mlruns", "sqlite:///"),
        ("gopher://127.0.0.1/x", "sqlite:///"),
    ],
)
def test_address_of_no_store(tmp_path: Path, uri: str, remedy: str) -> None:
    assert remedy in refusal(uri, tmp_path)


@pytest.mark.slow
def test_server_that_lets_in_other_hosts_only(tmp_path: Path) -> None:
    with mlflow_server(flags=("--allowed-hosts", "tracking.example.org")) as server:
        line = refusal(server.uri, tmp_path)
        assert "--allowed-hosts" in line
        assert "403" in line


@pytest.mark.slow
def test_server_that_never_answers(server: MlflowServer, tmp_path: Path) -> None:
    with faulty_proxy(server.uri) as proxy:
        proxy.fault("hang")
        assert "does not answer" in refusal(proxy.uri, tmp_path)


@pytest.mark.slow
def test_server_that_fails(server: MlflowServer, tmp_path: Path) -> None:
    with faulty_proxy(server.uri) as proxy:
        proxy.fault("error", status=503, retry_after=3600)
        assert "503" in refusal(proxy.uri, tmp_path)


@pytest.mark.slow
def test_server_of_something_else(tmp_path: Path) -> None:
    """Any web server: it answers, but not as MLflow does."""
    (tmp_path / "cwd").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        try:
            uri = f"http://127.0.0.1:{other.server_address[1]}"
            assert "MLflow" in refusal(uri, tmp_path / "cwd")
        finally:
            other.shutdown()


@pytest.mark.slow
def test_encrypted_address_of_a_server_that_is_not(server: MlflowServer, tmp_path: Path) -> None:
    assert "https" in refusal(server.uri.replace("http:", "https:"), tmp_path)


@pytest.mark.slow
def test_deleted_experiment(server: MlflowServer, tmp_path: Path) -> None:
    client = MlflowClient(server.uri)
    client.delete_experiment(client.create_experiment("gone"))
    line = refusal(server.uri, tmp_path, "--experiment-name", "gone")
    assert "mlflow experiments restore" in line
    assert "--experiment-name" in line
    assert all_runs(client, "gone") == []
