"""An HTTP proxy between a sweep and its tracking server that misbehaves as it is told."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

from support.scripts import HANG

Kind = Literal["pass", "hang", "error", "slow", "lose"]
_OF_THE_CONNECTION = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass
class Fault:
    """What happens to a request, if it is one of those meant.

    `hang`: no answer until the fault is over, and the server never sees the request. `error`:
    the proxy answers `status`, with Retry-After if given, and the server never sees it. `slow`: it
    is passed on after `seconds`. `lose`: the server answers, but the connection is cut instead
    of passing its answer on. Of the requests whose path ends in `path`, every `every`-th is meant,
    the first one included.
    """

    kind: Kind
    path: str = ""
    every: int = 1
    status: int = 503
    retry_after: int | None = None
    seconds: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    seen: int = 0

    def takes(self, path: str) -> bool:
        """Whether this request is meant; counts it."""
        if not path.endswith(self.path):
            return False
        self.seen += 1
        return (self.seen - 1) % self.every == 0


class FaultyProxy:
    """Listens on `port`, passes on to `upstream`, counts requests by path and what became of them.

    Paths are those of MLflow's REST API without `/api/2.0/mlflow`, such as `/runs/create`.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        assert parts.hostname
        assert parts.port
        self._upstream = (parts.hostname, parts.port)
        self._lock = threading.Lock()
        self._fault = Fault("pass")
        self._open: set[socket.socket] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.listen()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, path: str = "", outcome: str = "") -> int:
        """How many requests to paths that end so had that outcome: a fault's kind, or `pass`."""
        with self._lock:
            return sum(
                number
                for (of, what), number in self._counts.items()
                if of.endswith(path) and outcome in ("", what)
            )

    def fault(self, kind: Kind, **how: Any) -> None:
        """From now on requests are treated so; see `Fault`. What hung so far is cut off."""
        with self._lock:
            before, self._fault = self._fault, Fault(kind, **how)
        before.over.set()

    def heal(self) -> None:
        """From now on every request is passed on; the port is open."""
        self.fault("pass")
        self.listen()

    def refuse(self) -> None:
        """Closes the port and every connection, as a server that is down."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self._lock:
            self._fault.over.set()
            connections = list(self._open)
        for connection in connections:
            _cut(connection)

    def listen(self) -> None:
        """Opens the port, the same one each time."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), self._handler())
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _decide(self, path: str) -> Fault:
        with self._lock:
            fault = self._fault if self._fault.takes(path) else Fault("pass")
            self._counts[path, fault.kind] += 1
            return fault

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = (
                True  # or an answer in two parts waits 40 ms for the first's receipt
            )

            def setup(self) -> None:
                super().setup()
                with proxy._lock:
                    proxy._open.add(self.connection)

            def finish(self) -> None:
                with proxy._lock:
                    proxy._open.discard(self.connection)
                with suppress(OSError):
                    super().finish()

            def handle(self) -> None:
                with suppress(OSError):  # the client has gone, or was cut off
                    super().handle()

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy._decide(urlsplit(self.path).path.removeprefix("/api/2.0/mlflow"))
                if fault.kind == "hang":
                    fault.over.wait()
                    _cut(self.connection)
                    self.close_connection = True
                    return
                if fault.kind == "error":
                    self._answer_error(fault)
                    return
                if fault.kind == "slow":
                    fault.over.wait(fault.seconds)
                self._exchange(body, lose=fault.kind == "lose")

            def _exchange(self, body: bytes, lose: bool) -> None:
                host, port = proxy._upstream
                server = HTTPConnection(host, port, timeout=HANG)
                try:
                    server.request(self.command, self.path, body, dict(self.headers))
                    answer = server.getresponse()
                    content = answer.read()
                except OSError:
                    lose = True  # what a client sees of a server that dies
                finally:
                    server.close()
                if lose:
                    _cut(self.connection)
                    self.close_connection = True
                    return
                self.send_response(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in _OF_THE_CONNECTION:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def _answer_error(self, fault: Fault) -> None:
                self.send_response(fault.status)
                if fault.retry_after is not None:
                    self.send_header("Retry-After", str(fault.retry_after))
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"unwell")

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _pass_on

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False  # `refuse` must not wait for requests that hang

    def handle_error(self, request: object, address: object) -> None:
        """Says nothing: broken connections are what this proxy is for."""


def _cut(connection: socket.socket) -> None:
    """Ends a connection at once with a reset, so that nothing half-sent looks like an answer."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy in front of `upstream`; its port is closed at the end."""
    proxy = FaultyProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.refuse()
