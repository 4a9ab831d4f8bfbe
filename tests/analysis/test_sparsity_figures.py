"""How many weights are near zero and how large all are, against what was swept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.figures.of_sweeps import plots_of
from analysis.figures.sparsity_figures import weights_against_value, weights_against_value_reading
from analysis.plotting.draw import draw
from analysis.plotting.panels import LinePanel, MapPanel, Plot
from support.legible import require_legible
from support.lesson_fixture import World, in_memory, made_up
from support.record_fixture import Recorded, diverging
from support.report_records import record_of
from trainables.result import Trained, TrialResult, interval

# λ of 3 and 10 make most weights zero, and the rest small.
ACTING = World(zeros=lambda hp: 0.08 * hp.l1, norm=lambda hp: 1 / (1 + hp.l1))


def sweep(seeds: int = 6) -> list[Recorded]:
    return made_up("strong-l1", ACTING, seeds, 60)


def lines(plot: Plot) -> list[LinePanel]:
    assert all(isinstance(panel, LinePanel) for panel in plot.panels)
    return [panel for panel in plot.panels if isinstance(panel, LinePanel)]


def finals(one: Recorded) -> dict[str, np.ndarray]:
    """What the recorder writes of these models to MLflow."""
    result = TrialResult(one.trial, Trained(one.curves, one.weights), 0.0, "cpu")
    return {name: np.asarray(values) for name, values in result.finals(range(30, 60)).items()}


def test_zeros_and_norm_are_those_that_the_record_counts() -> None:
    made = sweep()
    record = in_memory("strong-l1", made)
    shares, norms = lines(weights_against_value(record, "title"))
    zeros, norm = shares.series[0], norms.series[0]
    assert [point.x for point in zeros.points] == [0.0, 0.3, 3.0, 10.0]
    for place, one in enumerate(made):
        for point, values in (
            (zeros.points[place], 100 * finals(one)["sparsity"]),
            (norm.points[place], finals(one)["weight_norm"]),
        ):
            expected = interval(values)
            assert point.y == pytest.approx(expected.mean)
            assert point.low == pytest.approx(max(expected.low or 0, 0))
            assert point.high == pytest.approx(expected.high)
            assert (point.n, point.run_id) == (6, record.run_of(one.trial))
    assert zeros.points[-1].y > 70


def test_units_that_nothing_comes_through_are_silent_and_do_not_make_weights_sparse() -> None:
    made = sweep()
    quiet = {name: values.copy() for name, values in made[0].weights.items()}
    quiet["0.weight"][:, :8] = 0  # a quarter of the units takes nothing in
    quiet["1.weight"][:, :, :8] = 0
    record = in_memory("strong-l1", [replace(made[0], weights=quiet), *made[1:]])
    zeros, live, silent = lines(weights_against_value(record, "title"))[0].series
    assert silent.points[0].y == pytest.approx(25)
    assert zeros.points[0].y > 25
    assert live.points[0].y < 5


def test_a_diverged_model_takes_no_part() -> None:
    first, *rest = sweep()
    record = in_memory("strong-l1", [diverging(first, 2, 30), *rest])
    norm = lines(weights_against_value(record, "title"))[1].series[0].points[0]
    kept = np.delete(finals(first)["weight_norm"], 2)
    assert (norm.n, norm.diverged) == (5, 1)
    assert norm.y == pytest.approx(kept.mean())


def test_of_two_penalties_a_map_each() -> None:
    record = record_of("small")
    panels = weights_against_value(record, "title").panels
    assert len(panels) == 3
    for panel in panels:
        assert isinstance(panel, MapPanel)
        assert len(panel.cells) == len(record.configurations)
    norms = {(cell.x, cell.y): cell.value for cell in panels[2].cells}  # type: ignore[union-attr]
    for trial in record.configurations:
        parts = [record.parameter(trial, f"{layer}.weight") for layer in (0, 1)]
        squares = sum((np.float64(part) ** 2).reshape(4, -1).sum(axis=1) for part in parts)
        place = (trial.hyperparameters.dropout, trial.hyperparameters.l2)
        assert norms[place] == pytest.approx(np.sqrt(squares).mean())


def test_the_sentence_has_the_ends_of_the_figure() -> None:
    record = in_memory("strong-l1", sweep())
    shares, norms = lines(weights_against_value(record, "title"))
    said = weights_against_value_reading(record)
    for place, label in ((0, "0 (baseline)"), (-1, "10")):
        zeros, norm = (panel.series[0].points[place] for panel in (shares, norms))
        assert f"{zeros.y:.2f} % [{zeros.low:.2f}, {zeros.high:.2f}] of the weights" in said
        assert f"norm is {norm.y:.3f} [{norm.low:.3f}, {norm.high:.3f}] at {label}" in said


def test_without_weights_the_figure_says_so() -> None:
    record = in_memory("strong-l1", sweep())
    bare = replace(record, weights=record.weights.select(["trial_key", "seed"]))
    plot = weights_against_value(bare, "title")
    assert all("has no recorded" in panel.missing for panel in plot.panels)
    assert "has no recorded" in weights_against_value_reading(bare)
    assert draw(plot)


@pytest.mark.parametrize("role", ["l1", "l2"])
def test_sweeps_of_penalties_have_the_figure_and_it_is_legible(role: str) -> None:
    (plot,) = [one for one in plots_of(record_of(role)) if one.name.endswith("_weights")]
    assert "near zero: a weight below 1/1000" in plot.notes[-1]
    require_legible(draw(plot))
