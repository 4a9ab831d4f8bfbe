"""Coefficient paths: what no order of hidden units changes over seeds, every weight within one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from analysis.figures.path_figures import coefficient_paths
from analysis.plotting.draw import draw
from analysis.plotting.panels import LinePanel, MapPanel, Plot
from analysis.reading.sweep_record import SweepRecord
from support.legible import require_legible, texts
from support.lesson_fixture import in_memory, made_up
from support.record_fixture import Recorded, diverging, made_up_sweep
from trainables.manifest import RecordedAxis
from trainables.result import interval

INPUTS = [f"{part} {size}" for part in ("sepal", "petal") for size in ("length", "width")]


def sweep() -> list[Recorded]:
    return made_up("strong-l1", seeds=5, epochs=60)


def panels_of(record: SweepRecord) -> list[LinePanel]:
    panels = coefficient_paths(record, "title").panels
    assert all(isinstance(panel, LinePanel) for panel in panels)
    return [panel for panel in panels if isinstance(panel, LinePanel)]


def test_the_size_of_what_leaves_each_input_with_its_interval() -> None:
    made = sweep()
    sizes, _ = panels_of(in_memory("strong-l1", made))
    assert [one.label for one in sizes.series] == INPUTS
    assert sizes.x_scale == "symlog"
    for number, series in enumerate(sizes.series):
        for point, one in zip(series.points, made, strict=True):
            weight = one.weights["0.weight"].astype(np.float64)  # (S, H, F)
            expected = interval(np.sqrt((weight[:, :, number] ** 2).sum(axis=1)))
            assert (point.y, point.low, point.high) == pytest.approx(
                (expected.mean, expected.low, expected.high)
            )


def test_the_order_of_a_models_hidden_units_changes_nothing_over_seeds() -> None:
    made = sweep()
    turned = []
    for one in made:
        weight = one.weights["0.weight"].copy()
        weight[2] = weight[2][np.random.default_rng(0).permutation(weight.shape[1])]
        turned.append(replace(one, weights={**one.weights, "0.weight": weight}))
    before, after = (panels_of(in_memory("strong-l1", each))[0] for each in (made, turned))
    for mine, its in zip(before.series, after.series, strict=True):
        assert [p.y for p in mine.points] == pytest.approx([p.y for p in its.points])


def test_every_weight_of_one_seed_is_followed_by_its_unit() -> None:
    made = sweep()
    _, strands = panels_of(in_memory("strong-l1", made))
    assert strands.title.startswith("seed 0 alone: every weight")
    assert len(strands.series) == 4 * 32
    by_label = {one.label: one for one in strands.series}
    for number, name in enumerate(INPUTS):
        for unit in (0, 17, 31):
            series = by_label[f"{name} to unit {unit + 1}"]
            assert series.in_legend == name
            expected = [float(one.weights["0.weight"][0, unit, number]) for one in made]
            assert [point.y for point in series.points] == expected


def test_a_seed_whose_models_all_lasted_is_followed_and_lost_ones_take_no_part() -> None:
    made = sweep()
    lost = [diverging(made[0], 0, 30), *made[1:]]
    sizes, strands = panels_of(in_memory("strong-l1", lost))
    assert strands.title.startswith("seed 1 alone")
    first = sizes.series[0].points[0]
    kept = made[0].weights["0.weight"][1:, :, 0].astype(np.float64)
    assert (first.n, first.diverged) == (4, 1)
    assert first.y == pytest.approx(np.linalg.norm(kept, axis=1).mean())


def test_of_many_inputs_the_largest_are_shown_and_it_is_said() -> None:
    many = []
    for one in sweep():
        weight = np.tile(one.weights["0.weight"], (1, 2, 5))  # 64 units, 20 inputs
        weight *= np.linspace(1, 2, weight.size, dtype=np.float32).reshape(weight.shape)
        weight[:, :, 13] *= 9
        many.append(replace(one, weights={**one.weights, "0.weight": weight}))
    plot = coefficient_paths(in_memory("strong-l1", many), "title")
    sizes, strands = plot.panels
    assert isinstance(sizes, LinePanel)
    assert isinstance(strands, LinePanel)
    assert len(sizes.series) == 7
    assert "input 14" in [one.label for one in sizes.series]
    assert len(strands.series) == 400
    assert "7 of 20 inputs shown, the largest at the least value" in plot.notes
    assert any(note.startswith("of one seed 400 of 448 weights") for note in plot.notes)


def test_the_legend_has_every_input_once_and_the_figure_is_legible() -> None:
    plot = coefficient_paths(in_memory("strong-l1", sweep()), "title")
    drawn = draw(plot)
    require_legible(drawn)
    said = [text.get_text() for text in texts(drawn)]
    assert [said.count(str(name)) for name in INPUTS] == [1, 1, 1, 1]
    assert len(plot.table()) == (4 + 4 * 32) * 4


def test_without_weights_the_figure_says_so() -> None:
    record = in_memory("strong-l1", sweep())
    bare = replace(record, weights=record.weights.select(["trial_key", "seed"]))
    (panel,) = panels_of(bare)
    assert "has no recorded 0.weight" in panel.missing
    assert draw(coefficient_paths(bare, "title"))


# ---- two penalties ----

L1, L2 = (0.0, 1.0, 2.0, 4.0), (0.0, 0.01, 0.02, 0.04)


def of_two(points: Sequence[tuple[float, float]]) -> SweepRecord:
    """A sweep of pairs of λ, of L1 and of L2."""
    made = made_up_sweep(["l1", "l2"], [{"l1": a, "l2": b} for a, b in points], seeds=4)
    record = in_memory("l1", made)
    axes = tuple(
        RecordedAxis(
            field=field, label=f"{field.upper()} penalty λ", low=0, high=1, log=False, decimals=6
        )
        for field in ("l1", "l2")
    )
    return replace(record, manifest=replace(record.manifest, axes=axes))


def lines(plot: Plot) -> dict[str, LinePanel]:
    return {panel.title: panel for panel in plot.panels if isinstance(panel, LinePanel)}


def test_of_two_penalties_there_is_a_path_of_each_alone_and_of_both_in_one_ratio() -> None:
    record = of_two(list(product(L1, L2)))
    plot = coefficient_paths(record, "title")
    assert plot.columns == 3
    found = lines(plot)
    sizes = "all weights that leave an input, mean of seeds"
    strands = "seed 0: every weight of the first layer"
    for name, words, values in (
        ("L1 alone", "L1 penalty λ, log scale", [(a, 0.0) for a in L1]),
        ("L2 alone", "L2 penalty λ, log scale", [(0.0, b) for b in L2]),
        (
            "L1 and L2",
            "L1 penalty λ, L2 λ 0.01 times that, log scale",
            [(a, a / 100) for a in L1],
        ),
    ):
        size, strand = found[f"{name}: {sizes}"], found[f"{name}, {strands}"]
        assert (size.x_label, strand.x_label) == (words, words)
        trials = {(one.hyperparameters.l1, one.hyperparameters.l2): one for one in record.usable}
        followed = [trials[value] for value in values]
        assert {panel.x_scale for panel in (size, strand)} == {"symlog"}
        assert size.x_ticks == tuple(a or b for a, b in values)  # within a decade: all are numbered
        for number, series in enumerate(size.series):
            assert [point.x for point in series.points] == [a or b for a, b in values]
            weight = [record.parameter(one, "0.weight")[:, :, number] for one in followed]
            expected = [float(np.linalg.norm(one, axis=1).mean()) for one in weight]
            assert [point.y for point in series.points] == pytest.approx(expected, rel=1e-5)
        by_label = {one.label: one for one in strand.series}
        series = by_label["petal width to unit 9"]
        expected = [float(record.parameter(one, "0.weight")[0, 8, 3]) for one in followed]
        assert [point.y for point in series.points] == expected
    require_legible(draw(plot))


def test_pairs_drawn_at_random_have_no_path_and_are_mapped_by_input() -> None:
    record = of_two([(0.0, 0.0), (1.0, 0.03), (3.0, 0.01), (2.0, 0.07), (0.5, 0.02)])
    plot = coefficient_paths(record, "title")
    assert [panel.title.split(":")[0] for panel in plot.panels] == INPUTS
    assert any("no mixture of both has a path" in note for note in plot.notes)
    for number, panel in enumerate(plot.panels):
        assert isinstance(panel, MapPanel)
        sizes = {(cell.x, cell.y): cell.value for cell in panel.cells}
        for trial in record.usable:
            weight = record.parameter(trial, "0.weight")[:, :, number].astype(np.float64)
            place = (trial.hyperparameters.l1, trial.hyperparameters.l2)
            assert sizes[place] == pytest.approx(np.linalg.norm(weight, axis=1).mean())
    require_legible(draw(plot))


def test_a_mixture_follows_the_ratio_that_most_configurations_have() -> None:
    points = [(0.0, 0.0), (1.0, 0.01), (2.0, 0.02), (4.0, 0.04), (1.0, 0.02), (2.0, 0.04)]
    (size, _) = lines(coefficient_paths(of_two(points), "title")).values()
    assert [point.x for point in size.series[0].points] == [0.0, 1.0, 2.0, 4.0]
    assert size.title.startswith("L1 and L2: ")
