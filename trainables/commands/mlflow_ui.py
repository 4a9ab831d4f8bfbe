"""Where MLflow's UI shows a store: at its server, or at a port of this machine.

A store that is a file or a database has no address of its own, but `mlflow ui` shows it at one.
Links agree with the command that starts it, since both come from here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

PORT = "MLFLOW_PORT"  # the variable from which `mlflow ui`, too, takes its port
_HOST, _USUAL_PORT, _PORTS = "127.0.0.1", 5000, 100  # MLflow's own, and how many are tried
_MOST = 65_535
_ANSWER_SECONDS = 1.0


class MlflowUi(NamedTuple):
    """MLflow's UI on a store: its `address`, without a slash at the end.

    `start`: the command that starts it there; None where it runs already. `port`: of this machine;
    None of a server.
    """

    address: str
    start: str | None = None
    port: int | None = None

    def page_of_run(self, run_id: str) -> str:
        """The address of that run's page."""
        return f"{self.address}/#/runs/{run_id}"


def ui_of(store: str, run_id: str) -> MlflowUi:
    """The UI that shows the run of that id.

    `store`: the tracking URI. Of a server it is its own address, without user and password. Any
    other is shown at the port that the variable MLFLOW_PORT names, else at 5000, or at the next one
    that is free or at which a UI shows that run already.
    """
    if store.startswith("http"):
        parts = urlsplit(store)
        host = parts.netloc.rpartition("@")[2]
        return MlflowUi(f"{parts.scheme}://{host}{parts.path.rstrip('/')}")
    port, shown = _port(run_id)
    address = f"http://{_HOST}:{port}"
    if shown:
        return MlflowUi(address, port=port)
    mlflow = "mlflow" if shutil.which("mlflow") else "python -m mlflow"
    start = f"{mlflow} ui --port {port} --backend-store-uri {shlex.quote(store)}"
    return MlflowUi(address, start, port)


def _port(run_id: str) -> tuple[int, bool]:
    """A port that is free, or at which MLflow's UI shows that run already, and whether it does."""
    first = _first_port()
    for port in range(first, min(first + _PORTS, _MOST + 1)):
        try:
            socket.create_server((_HOST, port)).close()
        except OSError:
            if _shows(port, run_id):
                return port, True
        else:
            return port, False
    return first, False


def _first_port() -> int:
    """What `mlflow ui` would refuse as a port is not taken for one here, either."""
    given = os.environ.get(PORT, "")
    number = int(given) if given.isascii() and given.isdecimal() else 0
    return number if 0 < number <= _MOST else _USUAL_PORT


def _shows(port: int, run_id: str) -> bool:
    """Whether an MLflow that knows the run answers at the port of this machine."""
    address = f"http://{_HOST}:{port}/api/2.0/mlflow/runs/get?run_id={run_id}"
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=_ANSWER_SECONDS) as answer:
            return run_id.encode() in answer.read()
    except (OSError, HTTPException):
        return False
