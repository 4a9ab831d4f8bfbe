"""The way from a recorded sweep to its page in MLflow's UI: what to start, what to open."""

from __future__ import annotations

import shlex
import shutil
import socket
from collections.abc import Mapping
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from sweeps.plan.provenance import without_credentials
from sweeps.record.messages import Begun
from sweeps.record.pages.saved_view import CHARTS, SEEDS, table_link

_HOST, _FIRST_PORT, _PORTS = "127.0.0.1", 5000, 100  # MLflow's own, and how many are tried
_ANSWER_SECONDS = 1.0
_COLUMN = 20  # where what is to be pasted begins


def ways_in(uri: str, begun: Begun, sweep: str, views: Mapping[str, str]) -> list[str]:
    """The lines that lead to the charts of the sweep's trials, ready to paste.

    `sweep`: its run name. `views`: as `save_views` gives them. A store that nobody serves takes two
    steps: start MLflow's UI on it, at a port that is free, and open the link.
    """
    links = {"charts of trials": views.get(CHARTS) or table_link(begun.experiment_id, sweep)}
    if SEEDS in views:
        links["averages of seeds"] = views[SEEDS]
    if uri.startswith("http"):
        server = without_credentials(uri).rstrip("/")
        return [_line(title, server + link) for title, link in links.items()]
    port, serves_it = _port(begun.run_id)
    server = f"http://{_HOST}:{port}"
    if serves_it:
        lines = [_line(title, server + link) for title, link in links.items()]
        return [*lines, f"(MLflow's UI is running on this store, at port {port})"]
    store = shlex.quote(without_credentials(uri))
    mlflow = "mlflow" if shutil.which("mlflow") else "python -m mlflow"
    first, *others = links.values()
    return [
        "charts of all trials in MLflow's UI, in two steps:",
        _line("  1. start", f"{mlflow} ui --port {port} --backend-store-uri {store}"),
        _line("  2. open", server + first),
        *(_line("     or, of seeds", server + link) for link in others),
    ]


def _line(title: str, pasted: str) -> str:
    return f"{f'{title}:':<{_COLUMN}}{pasted}"


def _port(run_id: str) -> tuple[int, bool]:
    """A port that is free, or at which MLflow's UI shows that run already, and whether it does.

    MLflow's usual one, or the next that is either.
    """
    for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS):
        try:
            socket.create_server((_HOST, port)).close()
        except OSError:
            if _shows(port, run_id):
                return port, True
        else:
            return port, False
    return _FIRST_PORT, False


def _shows(port: int, run_id: str) -> bool:
    """Whether an MLflow that knows the run answers at the port of this machine."""
    address = f"http://{_HOST}:{port}/api/2.0/mlflow/runs/get?run_id={run_id}"
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=_ANSWER_SECONDS) as answer:
            return run_id.encode() in answer.read()
    except (OSError, HTTPException):
        return False
