"""The report's charts, and the sentences beside its figures: they hold what the record holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.figures.by_sweep import accuracy_against_value
from analysis.figures.readings import (
    accuracy_reading,
    batches_reading,
    gap_reading,
    loss_reading,
    speed_reading,
    weights_reading,
)
from analysis.plotting.panels import LinePanel, Plot, Point, Series
from analysis.report_page.report_charts import MOST_SEEDS, Chart, accuracy_chart
from analysis.report_page.report_figures import thinned
from support.lesson_fixture import in_memory, made_up
from support.record_fixture import diverging
from support.report_records import EPOCHS, SEEDS, record_of, sweep_of, with_axes


def _texts(chart: Chart) -> list[str]:
    return [text for trace in chart.data for text in trace["text"]]


def test_a_chart_has_every_seed_and_the_means_and_intervals_of_the_record() -> None:
    sweep = sweep_of("l2")
    for place, one in enumerate(sweep):
        sweep[place] = replace(one, trial=replace(one.trial, seeds=(10, 11, 12, 13)))
    record = in_memory("l2", sweep)
    chart = accuracy_chart(record)
    seeds, means = chart.data[:2], chart.data[2:]
    for trace, mean, part in zip(seeds, means, ("train", "test"), strict=True):
        finals = np.array([record.final(t, f"{part}/accuracy") for t in record.usable]) * 100
        assert trace["y"] == pytest.approx(finals.ravel(), abs=1e-3)
        assert mean["y"] == pytest.approx(finals.mean(axis=1), abs=1e-3)
        half = 3.182446 * finals.std(axis=1, ddof=1) / 2  # t of 3 degrees, 4 seeds
        assert mean["error_y"]["array"] == pytest.approx(half, abs=2e-3)
        assert mean["error_y"]["arrayminus"] == pytest.approx(half, abs=2e-3)
    trial = record.usable[1]
    assert f"<b>{trial.name}, seed 12</b>" in chart.data[0]["text"][SEEDS + 2]
    assert record.run_of(trial) in chart.data[0]["text"][SEEDS + 2]
    assert chart.missing == ""


@pytest.mark.parametrize("seeds", [1, SEEDS])
def test_a_chart_shows_the_values_of_the_figure_on_paper(seeds: int) -> None:
    record = record_of("l2", seeds)
    panel = accuracy_against_value(record, "title").panels[0]
    assert isinstance(panel, LinePanel)
    means = accuracy_chart(record).data[2:]
    for series, trace in zip(panel.series, means, strict=True):
        assert trace["name"] == series.label
        assert trace["y"] == pytest.approx([point.y for point in series.points], abs=1e-3)
        bars = trace.get("error_y", {"array": [None] * 5, "arrayminus": [None] * 5})
        for y, above, below, point in zip(
            trace["y"], bars["array"], bars["arrayminus"], series.points, strict=True
        ):
            found = (None, None) if above is None else (y - below, y + above)
            assert found == pytest.approx((point.low, point.high), abs=2e-3)
    middle = np.mean([trace["x"] for trace in means], axis=0)
    assert middle == pytest.approx([point.x for point in panel.series[0].points])


def test_points_of_equal_value_stand_beside_each_other_and_next_to_their_value_alone() -> None:
    chart = accuracy_chart(record_of("l2"))
    values = np.array([0.0, 0.025, 0.05, 0.075, 0.1])
    for trace in chart.data[:2]:
        assert len(set(trace["x"])) == len(values) * SEEDS
        nearest = np.abs(np.subtract.outer(trace["x"], values)).argmin(axis=1)
        assert list(nearest) == list(np.repeat(np.arange(len(values)), SEEDS))


def test_a_log_axis_has_its_values_evenly_and_a_place_for_zero() -> None:
    chart = accuracy_chart(with_axes(record_of("batch_size"), log=True))
    axis = chart.layout["xaxis"]
    assert axis["ticktext"] == ["2", "4", "8", "16", "32", "64"]
    assert np.diff(axis["tickvals"]) == pytest.approx(np.full(5, np.log10(2)))
    assert "log scale" in axis["title"]["text"]
    with_zero = accuracy_chart(with_axes(record_of("l2"), log=True)).layout["xaxis"]
    assert with_zero["ticktext"][0] == "0"
    assert with_zero["tickvals"][0] < with_zero["tickvals"][1]


def test_a_sweep_of_two_values_has_a_line_for_each_of_the_second() -> None:
    record = record_of("harder")
    chart = accuracy_chart(record)
    means = [trace for trace in chart.data if trace["mode"] == "lines+markers"]
    assert [len(trace["y"]) for trace in means] == [2, 2, 2]
    assert [trace["name"] for trace in means] == ["l2 = 0", "l2 = 0.01", "l2 = 0.03"]
    assert len(_texts(chart)) == len(record.usable) * (SEEDS + 1)
    assert len({trace["line"]["dash"] for trace in means}) == 3


def test_one_seed_has_no_interval_and_says_so() -> None:
    chart = accuracy_chart(record_of("l2", seeds=1))
    assert not [trace for trace in chart.data if "error_y" in trace]
    assert "One seed: no interval." in chart.notes
    assert all("one seed: no interval" in text for text in chart.data[2]["text"])


def test_diverged_models_are_left_out_and_counted() -> None:
    sweep = sweep_of("l2")
    sweep[1] = diverging(sweep[1], model=0, epoch=3)
    for model in range(SEEDS):
        sweep[2] = diverging(sweep[2], model, epoch=model)
    record = in_memory("l2", sweep)
    chart = accuracy_chart(record)
    assert len(chart.data[0]["y"]) == 5 * SEEDS - SEEDS - 1
    assert len(chart.data[2]["y"]) == 4
    assert "n = 3 seeds, 1 diverged" in chart.data[2]["text"][1]
    assert f"Models that diverged and are left out: {SEEDS + 1}." in chart.notes
    assert any(sweep[2].trial.name in note for note in chart.notes)
    assert "NaN" not in json.dumps(chart, allow_nan=False)


def test_where_there_is_nothing_to_draw_the_chart_says_why() -> None:
    sweep = [diverging(diverging(one, 0, 0), 1, 0) for one in sweep_of("l2", seeds=2)]
    assert "every model diverged" in accuracy_chart(in_memory("l2", sweep)).missing
    nothing = replace(record_of("l2"), trials=record_of("l2").trials.iloc[:0])
    assert "no trial" in accuracy_chart(nothing).missing


def test_of_very_many_seeds_some_are_drawn_and_all_are_counted() -> None:
    chart = accuracy_chart(
        in_memory("small-l2", made_up("small-l2", seeds=MOST_SEEDS + 5, epochs=4))
    )
    assert len(chart.data[0]["y"]) == 4 * MOST_SEEDS
    assert f"n = {MOST_SEEDS + 5} seeds" in chart.data[2]["text"][0]
    assert f"Points: the first {MOST_SEEDS} of {MOST_SEEDS + 5} seeds." in chart.notes


# ---- sentences and figures ----


def test_the_speed_of_learning_is_the_epoch_by_which_half_of_the_models_get_there() -> None:
    record = record_of("batch_size")
    said = speed_reading(record)
    assert "80 %" in said or "90 %" in said
    level = 0.9 if "90 %" in said else 0.8
    for trial in record.usable:
        curves = record.curve(trial, "test/accuracy")
        smooth = [curves[:, max(0, last - 9) : last + 1].mean(axis=1) for last in range(EPOCHS)]
        there = np.cumsum(np.array(smooth) >= level, axis=0) > 0  # ever, (E, S)
        half = 2 * there.sum(axis=1) >= SEEDS
        expected = f"epoch {1 + int(half.argmax())}" if half.any() else "never"
        assert re.search(
            rf"[ ;]{trial.hyperparameters.batch_size}( \(baseline\))?: {expected}", said
        )


def test_readings_take_their_numbers_from_the_record() -> None:
    dropout, l1, batches = (record_of(role) for role in ("dropout", "l1", "batch_size"))
    trial = dropout.usable[-1]
    gap = dropout.final(trial, "train/accuracy") - dropout.final(trial, "test/accuracy")
    assert f"{100 * gap.mean():+.2f} points" in gap_reading(dropout)
    losses = [l1.curve(trial, "train/loss")[:, -1].mean() for trial in l1.usable]
    assert f"lowest, {min(losses):.4g} nats" in loss_reading(l1)
    weight = np.abs(l1.parameter(l1.usable[-1], "0.weight")).reshape(SEEDS, -1)
    near = (weight < 1e-3 * weight.max(axis=1, keepdims=True)).mean()
    assert f"{100 * near:.2f} %" in weights_reading({"l1": [l1]})
    assert "of 120 that an epoch leaves out: size 2: 0; size 4: 0; size 8: 0" in (
        batches_reading(batches)
    )
    assert batches_reading(batches).endswith("size 16: 8; size 32: 24; size 64: 56.")


def test_readings_have_words_for_models_that_all_diverged_and_for_one_seed() -> None:
    lost = in_memory("l1", [diverging(one, 0, 0) for one in sweep_of("l1", seeds=1)])
    one = record_of("l1", seeds=1)
    readings = (accuracy_reading, gap_reading, speed_reading, loss_reading)
    for said in (*(read(lost) for read in readings), weights_reading({"l1": [lost]})):
        assert "diverged" in said
    for said in (*(read(one) for read in readings), weights_reading({"l1": [one]})):
        assert "nan" not in said.lower()
    assert "one seed: no interval" in gap_reading(one)


def test_thinned_curves_keep_their_ends_and_other_panels_are_left_alone() -> None:
    points = tuple(Point(float(x), 1.0) for x in range(1000))
    curve = LinePanel("", "", "", (Series("a", points),), "curve")
    marks = replace(curve, style="points")
    few = thinned(Plot("", "", "", (curve, marks)), 250)
    kept = few.panels[0].series[0].points  # type: ignore[union-attr]
    assert len(kept) == 250
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert few.panels[1] == marks
