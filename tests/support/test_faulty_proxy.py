"""The proxy of the fault tests does what those tests take for granted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from support.faulty_proxy import FaultyProxy, faulty_proxy
from support.scripts import HANG

API = "/api/2.0/mlflow"


@pytest.fixture
def received() -> list[tuple[str, str, bytes]]:
    """What the server behind the proxy was sent: method, path, body."""
    return []


@pytest.fixture
def proxy(received: list[tuple[str, str, bytes]]) -> Iterator[FaultyProxy]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            received.append((self.command, self.path, body))
            self.send_response(201)
            self.send_header("X-Own", "kept")
            self.end_headers()
            self.wfile.write(b"answer to " + body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with faulty_proxy(f"http://127.0.0.1:{server.server_address[1]}") as running:
            yield running
        server.shutdown()


def post(
    proxy: FaultyProxy, path: str = "/runs/create", seconds: float = HANG
) -> requests.Response:
    return requests.post(f"{proxy.uri}{API}{path}", b"this", timeout=seconds)


def test_passes_on_what_it_is_sent(proxy: FaultyProxy, received: list[object]) -> None:
    answer = post(proxy)
    assert (answer.status_code, answer.content) == (201, b"answer to this")
    assert answer.headers["X-Own"] == "kept"
    assert received == [("POST", f"{API}/runs/create", b"this")]
    assert proxy.count("/runs/create") == proxy.count(outcome="pass") == 1


def test_refuses_until_it_is_healed_on_the_same_port(proxy: FaultyProxy) -> None:
    with requests.Session() as session:  # whose connection is open when the port closes
        session.post(f"{proxy.uri}{API}/runs/create", b"this", timeout=HANG)
        proxy.refuse()
        for client in (session, requests):
            with pytest.raises(requests.ConnectionError):
                client.post(f"{proxy.uri}{API}/runs/create", b"this", timeout=HANG)
        proxy.heal()
        assert session.post(f"{proxy.uri}{API}/runs/create", b"this", timeout=HANG).ok


def test_hangs_and_never_passes_on(proxy: FaultyProxy, received: list[object]) -> None:
    proxy.fault("hang")
    with pytest.raises(requests.Timeout):
        post(proxy, seconds=0.3)
    cut: list[bool] = []

    def wait() -> None:
        with pytest.raises(requests.ConnectionError):
            post(proxy)
        cut.append(True)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while proxy.count(outcome="hang") < 2:
        pass
    proxy.heal()
    waiting.join(HANG)
    assert cut == [True]
    assert received == []
    assert post(proxy).ok


def test_answers_errors_itself(proxy: FaultyProxy, received: list[object]) -> None:
    proxy.fault("error", status=429, retry_after=7)
    answer = post(proxy)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert received == []


def test_loses_answers_of_every_other_request_meant(
    proxy: FaultyProxy, received: list[object]
) -> None:
    proxy.fault("lose", path="/runs/create", every=2)
    for lost in (True, False, True):
        if lost:
            with pytest.raises(requests.ConnectionError):
                post(proxy)
        else:
            assert post(proxy).ok
        assert post(proxy, "/runs/search").ok
    assert len(received) == 6  # the server has seen them all
    assert proxy.count("/runs/create", "lose") == 2


def test_slow_request_arrives_though_its_client_has_gone(
    proxy: FaultyProxy, received: list[object]
) -> None:
    proxy.fault("slow", seconds=HANG)
    with pytest.raises(requests.Timeout):
        post(proxy, seconds=0.3)
    assert received == []
    proxy.heal()  # ends the wait as well
    while not received:
        pass
