"""The panels of a figure, by their kind."""

from __future__ import annotations

from analysis.plotting.panels import LinePanel, MapPanel, Plot


def lines(plot: Plot, panel: int = 0) -> LinePanel:
    """The panel at that place, which has lines."""
    found = plot.panels[panel]
    assert isinstance(found, LinePanel)
    return found


def maps(plot: Plot, panel: int = 0) -> MapPanel:
    """The panel at that place, which is a map."""
    found = plot.panels[panel]
    assert isinstance(found, MapPanel)
    return found
