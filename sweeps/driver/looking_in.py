"""The way from a recorded sweep to its page in MLflow's UI: what to start, what to open."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.plan.provenance import without_credentials
from sweeps.record.messages import Begun
from sweeps.record.pages.saved_view import CHARTS, SEEDS, table_link
from trainables.commands.mlflow_ui import ui_of

_COLUMN = 20  # where what is to be pasted begins


def ways_in(uri: str, begun: Begun, sweep: str, views: Mapping[str, str]) -> list[str]:
    """The lines that lead to the charts of the sweep's trials, ready to paste.

    `sweep`: its run name. `views`: as `save_views` gives them. A store that nobody serves takes two
    steps: start MLflow's UI on it, at a port that is free, and open the link.
    """
    links = {"charts of trials": views.get(CHARTS) or table_link(begun.experiment_id, sweep)}
    if SEEDS in views:
        links["averages of seeds"] = views[SEEDS]
    ui = ui_of(without_credentials(uri), begun.run_id)
    if ui.start is None:
        lines = [_line(title, ui.address + link) for title, link in links.items()]
        if ui.port is not None:
            lines.append(f"(MLflow's UI is running on this store, at port {ui.port})")
        return lines
    first, *others = links.values()
    return [
        "charts of all trials in MLflow's UI, in two steps:",
        _line("  1. start", ui.start),
        _line("  2. open", ui.address + first),
        *(_line("     or, of seeds", ui.address + link) for link in others),
    ]


def _line(title: str, pasted: str) -> str:
    return f"{f'{title}:':<{_COLUMN}}{pasted}"
