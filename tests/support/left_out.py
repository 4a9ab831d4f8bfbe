"""Which tests plain `pytest` runs, how many at a time and in which order; for conftest.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_xdist_auto_num_workers",
]

_SLOWEST_FIRST = ("hosts", "slow", "sweep", "browser")  # markers
_LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the slow tests too, as CI does")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two at a time keep two cores busy: most of a test's time is waiting for processes to start.

    Tests that are named one by one start sooner, and can be looked into, in pytest's own process.
    """
    return 0 if all("::" in argument for argument in config.args) else 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_out_slow_ones(config, items)
    _sort_slowest_first(items)


def _leave_out_slow_ones(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Unless all are asked for, some by a mark, or a file or a test in it by its name."""
    if config.option.all or config.option.markexpr:
        return
    places = [Path(argument.partition("::")[0]) for argument in config.args]
    named = {(config.invocation_params.dir / place).resolve() for place in places}
    left_out: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        slow = item.get_closest_marker("slow") is not None
        (left_out if slow and item.path not in named else left).append(item)
    items[:] = left
    config.hook.pytest_deselected(items=left_out)
    config.stash[_LEFT_OUT] = len(left_out)
    if hasattr(config, "workeroutput"):  # of a process of pytest-xdist, which prints nothing
        config.workeroutput["left_out"] = len(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each of pytest-xdist's processes has collected the same tests, and left out the same."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if left_out := config.stash.get(_LEFT_OUT, 0):
        line = f"{left_out} slow tests were left out; run them too with: pytest --all"
        terminalreporter.write_line(line)


def _sort_slowest_first(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one that is begun last leaves other processes idle."""
    ranks: dict[Path, int] = {}
    for item in items:
        marked = [n for n, name in enumerate(_SLOWEST_FIRST) if item.get_closest_marker(name)]
        rank = min(marked, default=len(_SLOWEST_FIRST))
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])
