"""The values of figures against the recorded numbers, and that their drawing is legible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.figures.by_sweep import (
    accuracy_against_epoch,
    accuracy_against_value,
    loss_against_epoch,
)
from analysis.figures.captions import spread
from analysis.figures.comparison import best, compare, reading
from analysis.figures.maps import accuracy_map
from analysis.figures.of_sweeps import plots_of
from analysis.figures.penalty_figure import penalties
from analysis.plotting.draw import draw
from analysis.plotting.panels import Plot
from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from support.legible import require_legible, texts
from support.panels_of import lines, maps
from support.record_fixture import (
    Faults,
    Recorded,
    diverging,
    made_up_sweep,
    new_store,
    write_sweep,
)
from trainables.result import interval

POINTS = [{"l2": 0.0}, {"l2": 0.01}, {"l2": 0.02}, {"l2": 0.1}]
GRID = [{"l1": l1, "l2": l2} for l1 in (0.0, 0.001) for l2 in (0.0, 0.01, 0.1)]


def record_of(
    folder: Path,
    sweep: list[Recorded],
    fields: tuple[str, ...] = ("l2",),
    faults: Faults | None = None,
) -> SweepRecord:
    name = "elastic_net" if len(fields) > 1 else fields[0]
    uri = new_store(folder)
    write_sweep(uri, folder / "artifacts", name, fields, sweep, faults=faults)
    return load_sweep(open_store(uri), name, allow_partial=True)


@pytest.fixture(scope="module")
def sweep() -> list[Recorded]:
    return made_up_sweep(["l2"], POINTS)


@pytest.fixture(scope="module")
def record(sweep: list[Recorded], tmp_path_factory: pytest.TempPathFactory) -> SweepRecord:
    return record_of(tmp_path_factory.mktemp("l2"), sweep)


def final(one: Recorded, metric: str) -> np.ndarray:
    final_epochs = one.curves[metric][:, 20:38].astype(np.float64)
    return np.asarray(100 * final_epochs.mean(axis=1))


def test_points_are_means_and_intervals_of_the_recorded_curves(
    record: SweepRecord, sweep: list[Recorded]
) -> None:
    plot = accuracy_against_value(record, "title")
    training, test = lines(plot).series
    for series, metric in ((training, "train/accuracy"), (test, "test/accuracy")):
        assert [point.x for point in series.points] == [0.0, 0.01, 0.02, 0.1]
        for point, one in zip(series.points, sweep, strict=True):
            expected = interval(final(one, metric))
            assert point.y == pytest.approx(expected.mean)
            assert (point.low, point.high) == pytest.approx((expected.low, expected.high))
            assert (point.n, point.diverged) == (3, 0)
            assert point.run_id == record.run_of(one.trial)
    (differences,) = lines(plot, 1).series
    assert differences.points[0][1:4] == (0.0, 0.0, 0.0)
    paired = interval(final(sweep[2], "test/accuracy") - final(sweep[0], "test/accuracy"))
    assert differences.points[2].y == pytest.approx(paired.mean)
    assert differences.points[2].low == pytest.approx(paired.low)
    assert plot.subtitle == "iris, mean of 3 seeds, band: 95 % t interval; mean of epochs 21 to 38"
    assert plot.run_ids == (record.run_id,)


def test_gap_is_of_the_same_model(record: SweepRecord, sweep: list[Recorded]) -> None:
    panel = lines(accuracy_against_value(record, "title", second="gap"), 1)
    expected = interval(final(sweep[3], "train/accuracy") - final(sweep[3], "test/accuracy"))
    assert panel.zero_line
    assert panel.series[0].points[3].y == pytest.approx(expected.mean)
    assert panel.series[0].points[3].high == pytest.approx(expected.high)


def test_curves_are_smoothed_means_by_epoch(record: SweepRecord, sweep: list[Recorded]) -> None:
    plot = accuracy_against_epoch(record, "title")
    panel = lines(plot, 1)
    assert panel.title == "test accuracy"
    assert [one.label for one in panel.series] == ["0 (baseline)", "0.01", "0.02", "0.1"]
    raw = 100 * sweep[1].curves["test/accuracy"].astype(np.float64)
    points = panel.series[1].points
    assert [point.x for point in points] == list(range(1, 41))
    assert points[0].y == pytest.approx(raw[:, 0].mean())
    assert points[29].y == pytest.approx(raw[:, 20:30].mean())
    assert points[29].low == pytest.approx(interval(raw[:, 20:30].mean(axis=1)).low)
    loss = lines(loss_against_epoch(record, "title")).series[1].points[29]
    assert loss.y == pytest.approx(sweep[1].curves["train/loss"][:, 20:30].mean(), rel=1e-6)


def test_table_has_every_number(record: SweepRecord) -> None:
    table = accuracy_against_value(record, "title").table()
    assert len(table) == 4 * 3
    assert set(table["run_id"]) == set(record.trials["run_id"])
    assert not table[["x", "y", "low", "high", "n"]].isna().any(axis=None)


def test_few_of_many_lines_keep_ends_and_baseline(tmp_path: Path) -> None:
    points = [{"l2": 0.0123}, *({"l2": number / 1000} for number in range(30))]
    record = record_of(tmp_path, made_up_sweep(["l2"], points, 2, 4))
    shown = [trial.hyperparameters.l2 for trial in spread(record)]
    assert len(shown) == 7
    assert shown == sorted(shown)
    assert {0.0, 0.0123, 0.029} <= set(shown)
    plot = accuracy_against_epoch(record, "title")
    assert "7 of 31 configurations shown, spread evenly" in plot.subtitle
    assert len(lines(plot).series) == 7
    assert len(lines(accuracy_against_value(record, "title")).series[0].points) == 31


def test_one_seed_has_no_interval_and_says_so(tmp_path: Path) -> None:
    record = record_of(tmp_path, made_up_sweep(["l2"], POINTS, seeds=1))
    plot = accuracy_against_value(record, "title")
    assert "1 seed: no interval" in plot.subtitle
    assert all(point.low is None for point in lines(plot).series[1].points)
    assert draw(plot)
    assert "no paired difference has an interval (1 pair" in reading(record, compare(record))


def test_diverged_models_are_left_out_marked_and_noted(
    tmp_path: Path, sweep: list[Recorded]
) -> None:
    lost = sweep[2]
    for model in range(3):
        lost = diverging(lost, model, epoch=30)
    broken = [sweep[0], diverging(sweep[1], model=1, epoch=39), lost, sweep[3]]
    record = record_of(tmp_path, broken)
    plot = accuracy_against_value(record, "title")
    test = lines(plot).series[1]
    assert [point.x for point in test.points] == [0.0, 0.01, 0.1]
    assert (test.points[1].n, test.points[1].diverged) == (2, 1)
    assert test.points[1].y == pytest.approx(final(sweep[1], "test/accuracy")[[0, 2]].mean())
    note = "models diverged and left out: l2=0.010000: 1 of 3; l2=0.020000: 3 of 3, not shown"
    assert note in plot.notes
    assert "some models diverged" in [text.get_text() for text in texts(draw(plot))]
    curves = lines(accuracy_against_epoch(record, "title")).series
    assert [one.label for one in curves] == ["0 (baseline)", "0.01", "0.1"]
    assert not plot.table()[["y", "low", "high"]].isna().any(axis=None)


def test_partial_sweep_is_marked_on_the_figure(tmp_path: Path, sweep: list[Recorded]) -> None:
    record = record_of(tmp_path, sweep, faults=Faults(unrecorded=["l2=0.020000"]))
    plot = accuracy_against_value(record, "title")
    assert any("partial: 1 of 4 trials missing" in text.get_text() for text in texts(draw(plot)))


def test_without_baseline_no_differences(tmp_path: Path, sweep: list[Recorded]) -> None:
    record = record_of(tmp_path, sweep, faults=Faults(failed=["l2=0.000000"]))
    plot = accuracy_against_value(record, "title")
    assert lines(plot, 1).missing == "the baseline is missing: no differences"
    assert draw(plot)
    assert "baseline is lacking" in reading(record, compare(record))


def test_reading_follows_the_numbers(record: SweepRecord, tmp_path: Path) -> None:
    rows = compare(record)
    means = {row.trial.name: row.test.mean for row in rows}
    top = best(rows)
    assert top is not None
    assert top.test.mean == max(mean for mean in means.values() if mean is not None)
    assert top.trial.name in reading(record, rows)
    # The same trials with the worst as baseline: now the best lies above it by a clear interval.
    worst_first = made_up_sweep(["l2"], POINTS)[::-1]
    turned = record_of(tmp_path, worst_first)
    text = reading(turned, compare(turned))
    difference = next(row.difference for row in compare(turned) if row.trial == top.trial)
    assert difference is not None
    assert ("leaves out 0" in text) == difference.excludes_zero
    assert f"{100 * (difference.mean or 0):+.2f} points from the baseline l2=0.100000" in text


def test_grid_is_a_heat_map_with_readable_differences(tmp_path: Path) -> None:
    sweep = made_up_sweep(["l1", "l2"], GRID)
    record = record_of(tmp_path, sweep, ("l1", "l2"))
    plot = accuracy_map(record, "title")
    accuracy, differences = maps(plot), maps(plot, 1)
    assert accuracy.style == differences.style == "grid"
    assert len(accuracy.cells) == len(differences.cells) == 6
    values = {(cell.x, cell.y): cell for cell in differences.cells}
    paired = interval(final(sweep[5], "test/accuracy") - final(sweep[0], "test/accuracy"))
    assert values[0.001, 0.1].value == pytest.approx(paired.mean)
    assert values[0.0, 0.0].value == 0.0
    shown = [text.get_text() for text in texts(draw(plot))]
    assert any(text.startswith(f"{paired.mean:+.2f}\n±") for text in shown)


def test_sampled_values_are_a_scatter(tmp_path: Path) -> None:
    points = [{"l1": 0.0, "l2": 0.0}, {"l1": 0.01, "l2": 0.07}, {"l1": 0.03, "l2": 0.05}]
    record = record_of(tmp_path, made_up_sweep(["l1", "l2"], points), ("l1", "l2"))
    plot = accuracy_map(record, "title")
    assert maps(plot).style == "scatter"
    assert {(cell.x, cell.y) for cell in maps(plot).cells} == {(0, 0), (0.01, 0.07), (0.03, 0.05)}
    clear = [row.difference.excludes_zero for row in compare(record) if row.difference]
    assert [cell.mark != 0 for cell in maps(plot, 1).cells] == [False, *clear]


def shifted_grid(folder: Path, shifts: Sequence[float]) -> Plot:
    """The map of a grid of which each configuration differs by that from the baseline."""
    rng = np.random.default_rng(3)
    base = rng.uniform(0.8, 0.9, 12)
    sweep = []
    for one, shift in zip(made_up_sweep(["l1", "l2"], GRID, seeds=12), shifts, strict=True):
        finals = base + shift + rng.normal(0, 0.002, 12) * (one.trial.hyperparameters.l2 > 0)
        level = np.repeat(finals.astype(np.float32)[:, None], 40, axis=1)
        sweep.append(Recorded(one.trial, {**one.curves, "test/accuracy": level}, one.weights))
    return accuracy_map(record_of(folder, sweep, ("l1", "l2")), "title")


def test_no_cell_is_shown_to_be_the_best_that_another_cannot_be_told_from(tmp_path: Path) -> None:
    plot = shifted_grid(tmp_path, (0.0, 0.0, 0.0, -0.05, 0.05, 0.05))
    assert [cell.mark for cell in maps(plot).cells] == [-1, -1, -1, -1, 0, 0]


def test_what_a_map_cannot_tell_apart_is_grey(tmp_path: Path) -> None:
    """Half of the grid differs from the baseline for certain, half by chance."""
    plot = shifted_grid(tmp_path, (0.0, 0.0, 0.0, 0.05, 0.06, -0.05))
    accuracy, differences = maps(plot), maps(plot, 1)
    assert [cell.mark for cell in differences.cells] == [0, 0, 0, 1, 1, -1]
    assert [cell.mark for cell in accuracy.cells] == [-1, -1, -1, -1, 1, -1]
    assert differences.cells[0].words == "baseline"
    for panel, ax in zip((accuracy, differences), draw(plot).axes[:2], strict=True):
        colors = ax.images[0].get_array()
        assert colors is not None
        places = {(x, y) for x in (0, 1) for y in (0, 1, 2)}
        marks = dict(zip(sorted(places), [cell.mark for cell in panel.cells], strict=True))
        for (x, y), mark in marks.items():
            red, green, blue, _ = colors[y, x]
            assert (red == green == blue) == (mark == 0)
        note = f"{panel.title}, grey: {panel.grey}"
        assert note.split(",")[0] in " ".join(text.get_text() for text in texts(draw(plot)))


def test_every_sweep_of_one_value_has_its_curves_over_epochs(tmp_path: Path) -> None:
    for name in ("dropout", "label_smoothing"):
        points = [{name: value} for value in (0.0, 0.1, 0.2)]
        folder = tmp_path / name
        folder.mkdir()
        plots = plots_of(record_of(folder, made_up_sweep([name], points), (name,)))
        by_epoch = [plot for plot in plots if plot.name == f"{name}_accuracy_by_epoch"]
        assert len(by_epoch) == 1
        labels = [one.label for one in lines(by_epoch[0]).series]
        assert labels == ["0 (baseline)", "0.1", "0.2"]


def test_no_difference_axis_is_narrower_than_a_test_row_is_worth(
    record: SweepRecord, tmp_path: Path
) -> None:
    worth = 100 / 30 / 3
    for second in ("difference", "gap"):
        panel = lines(accuracy_against_value(record, "title", second=second), 1)
        assert panel.least == pytest.approx(worth)
    grid = accuracy_map(record_of(tmp_path, made_up_sweep(["l1", "l2"], GRID), ("l1", "l2")), "t")
    assert maps(grid, 1).least == pytest.approx(worth)


@pytest.mark.parametrize("word", ["0000", "WWW", "iii", "9d34e5ce" * 40, "1e-06,"])
def test_long_lines_wrap_whatever_their_letters(record: SweepRecord, word: str) -> None:
    title, text = (" ".join([word] * (1 + letters // len(word))) for letters in (200, 900))
    plot = loss_against_epoch(record, title)
    panel = replace(lines(plot), y_limits=(0.0, 2.0))  # whole, so that no strip has to be explained
    drawn = draw(replace(plot, panels=(panel,), subtitle=text, notes=(text, "last")))
    require_legible(drawn)
    shown = [each.get_text() for each in drawn.texts]
    said = "".join([title, text, text, "last"])
    assert "".join(shown).replace(" ", "") == said.replace(" ", "")
    if len(word) < 100:
        assert {each for line in shown for each in line.split()} == {word, "last"}


@pytest.mark.parametrize("many", [False, True])
def test_figures_are_legible(many: bool, record: SweepRecord, tmp_path: Path) -> None:
    if many:
        points = [{"l2": number / 1000 + 0.000123} for number in range(40)]
        sweep = made_up_sweep(["l2"], points, 2, 20)
        broken = [diverging(one, 0, 5) for one in sweep]
        record = record_of(tmp_path, broken, faults=Faults(unrecorded=["l2=0.039123"]))
    for plot in (
        accuracy_against_epoch(record, "A title that is long enough to need a second line " * 3),
        accuracy_against_value(record, "title"),
        loss_against_epoch(record, "title"),
        penalties(),
    ):
        require_legible(draw(plot))
