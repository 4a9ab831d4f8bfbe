"""The last lines of a sweep: what to start and what to open, ready to paste."""

from __future__ import annotations

import shlex
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from sweeps.driver.looking_in import ways_in
from sweeps.record.messages import Begun
from sweeps.record.pages.saved_view import CHARTS, SEEDS

STORE = "sqlite:////some where/mlflow.db"
BEGUN = Begun("1" * 32, "7")
VIEWS = {CHARTS: "/#/charts", SEEDS: "/#/seeds"}


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that is free, which the user has named to MLflow in place of its usual one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    monkeypatch.setenv("MLFLOW_PORT", str(number))
    return number


@pytest.fixture
def served(port: int) -> Iterator[int]:
    """The port, at which something says of every run that it knows it."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.split("run_id=")[1].encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield port
        server.shutdown()


def _pasted(lines: list[str]) -> list[str]:
    return [line.split(":  ", 1)[1].strip() for line in lines if ":  " in line]


def test_an_sqlite_store_takes_two_steps_that_agree_on_the_port(port: int) -> None:
    start, opened, seeds = _pasted(ways_in(STORE, BEGUN, "l2", VIEWS))
    words = shlex.split(start)
    assert words[words.index("ui") - 1] == "mlflow"
    assert words[words.index("--backend-store-uri") + 1] == STORE
    assert words[words.index("--port") + 1] == str(port)
    assert (opened, seeds) == (
        f"http://127.0.0.1:{port}/#/charts",
        f"http://127.0.0.1:{port}/#/seeds",
    )


def test_a_port_that_is_taken_is_passed_over(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        start, opened, _ = _pasted(ways_in(STORE, BEGUN, "l2", VIEWS))
    chosen = urlsplit(opened).port
    assert chosen
    assert chosen > port
    assert f"--port {chosen} " in start
    with socket.create_server(("127.0.0.1", chosen)):
        pass  # it is free


@pytest.mark.parametrize("given", ["", "0", "70000", "http", "-1", "²"])
def test_what_is_no_port_is_not_taken_for_one(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_PORT", given)
    _, opened, _ = _pasted(ways_in(STORE, BEGUN, "l2", VIEWS))
    assert urlsplit(opened).port in range(5000, 5100)


def test_a_ui_that_shows_the_sweep_already_need_not_be_started(served: int) -> None:
    lines = ways_in(STORE, BEGUN, "l2", VIEWS)
    assert _pasted(lines)[0] == f"http://127.0.0.1:{served}/#/charts"
    assert "--port" not in "".join(lines)


def test_of_a_running_server_there_is_the_link_alone() -> None:
    lines = ways_in("https://me:secret@host:8080/mlflow/", BEGUN, "l2", {CHARTS: "/#/charts"})
    assert _pasted(lines) == ["https://host:8080/mlflow/#/charts"]
    assert len(lines) == 1


def test_without_a_view_the_link_leads_to_the_table_of_the_trials(port: int) -> None:
    _, opened = _pasted(ways_in(STORE, BEGUN, "l2-1", {}))
    assert opened.startswith(f"http://127.0.0.1:{port}/#/experiments/7/runs?")
    assert "l2-1" in opened
