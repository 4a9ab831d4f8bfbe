"""Several sweeps in one figure: its values, who is paired with whom, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from mlflow import MlflowClient

from analysis.compare import CompareOptions, compared, main
from analysis.plotting.draw import draw
from analysis.plotting.panels import LinePanel, MapPanel, Plot, Point
from analysis.plotting.y_ranges import y_ranges
from analysis.reading.connection import open_store
from analysis.reading.errors import BAD_INPUT, Stop
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from analysis.side_by_side.compare_figures import comparison_plot
from analysis.side_by_side.compare_tables import show
from analysis.side_by_side.shared_configurations import pair
from analysis.side_by_side.sweep_labels import labels
from support.record_fixture import DATASET, Faults, Recorded, made_up_sweep, new_store, write_sweep
from support.warm_scripts import run_warm
from trainables.result import interval

L2 = [{"l2": value} for value in (0.0, 0.01, 0.02, 0.1)]
L1 = [{"l1": value} for value in (0.0, 0.001, 0.005)]
GRID = [{"l1": l1, "l2": l2} for l1 in (0.0, 0.001) for l2 in (0.0, 0.1)]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_store(tmp_path)


def wide(points: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{**point, "hidden": (64, 64)} for point in points]


def write(uri: str, name: str, sweep: list[Recorded], **more: object) -> str:
    artifacts = Path(uri.removeprefix("sqlite:///")).parent / "artifacts"
    fields = ["l1", "l2"] if name == "elastic_net" else [name]
    return write_sweep(uri, artifacts, name, fields, sweep, **more)  # type: ignore[arg-type]


def load(uri: str, *run_ids: str) -> list[SweepRecord]:
    return [load_sweep(open_store(uri), None, run_id, allow_partial=True) for run_id in run_ids]


def plot_of(records: list[SweepRecord]) -> Plot:
    """The values of the figure, which has been drawn once, as matplotlib reads text only then."""
    plot = comparison_plot(compared(records))
    FigureCanvasAgg(draw(plot)).draw()  # type: ignore[no-untyped-call]
    return plot


def lines(plot: Plot) -> list[LinePanel]:
    assert all(isinstance(panel, LinePanel) for panel in plot.panels)
    return [panel for panel in plot.panels if isinstance(panel, LinePanel)]


def points_of(panel: LinePanel) -> list[Point]:
    return [point for one in panel.series for point in one.points]


def final(one: Recorded, metric: str = "test/accuracy") -> np.ndarray:
    final_epochs = one.curves[metric][:, 20:38].astype(np.float64)
    return np.asarray(100 * final_epochs.mean(axis=1))


def test_sweeps_of_one_field_share_the_axes_and_are_paired(uri: str) -> None:
    small, large = made_up_sweep(["l2"], L2), made_up_sweep(["l2"], wide(L2[:3]))
    records = load(uri, write(uri, "l2", small), write(uri, "l2", large))
    plot = plot_of(records)
    test, train, test_difference, _ = lines(plot)
    assert plot.columns == 2
    names = ["l2, hidden=32", "l2, hidden=64 64"]
    for panel, metric in ((test, "test/accuracy"), (train, "train/accuracy")):
        assert [one.label for one in panel.series] == names
        for series, sweep, record in zip(panel.series, (small, large), records, strict=True):
            assert [p.x for p in series.points] == [o.trial.hyperparameters.l2 for o in sweep]
            for point, one in zip(series.points, sweep, strict=True):
                expected = interval(final(one, metric))
                assert point.y == pytest.approx(expected.mean)
                assert expected.high is not None
                possible = (expected.low, min(expected.high, 100.0))
                assert (point.low, point.high) == pytest.approx(possible)
                assert point.run_id == record.run_of(one.trial)
    ranges = y_ranges(plot.panels)
    assert ranges[0] == ranges[1]
    assert ranges[0] is not None
    low, high = ranges[0].whole or ranges[0].shown
    assert all(low < p.y < high for p in [*points_of(test), *points_of(train)])
    (differences,) = test_difference.series
    assert [point.x for point in differences.points] == [0.0, 0.01, 0.02]
    for point, one, other in zip(differences.points, small, large, strict=False):
        expected = interval(final(other) - final(one))
        assert (point.y, point.low, point.high) == pytest.approx(
            (expected.mean, expected.low, expected.high)
        )
    assert plot.run_ids == tuple(record.run_id for record in records)


def test_sweeps_of_other_fields_stand_side_by_side(uri: str) -> None:
    """Only what all fields agree on is shared: here the baseline without any penalty."""
    l2, l1 = made_up_sweep(["l2"], L2), made_up_sweep(["l1"], L1)
    records = load(uri, write(uri, "l2", l2), write(uri, "l1", l1))
    plot = plot_of(records)
    panels = lines(plot)
    assert [(panel.title, panel.x_label) for panel in panels] == [
        ("test accuracy", "L2 penalty λ"),
        ("test accuracy", "L1 penalty λ"),
        ("training accuracy", "L2 penalty λ"),
        ("training accuracy", "L1 penalty λ"),
    ]
    assert plot.columns == 2
    assert len(set(y_ranges(panels))) == 1
    assert [[one.label for one in panel.series] for panel in panels] == [["l2"], ["l1"]] * 2
    (shared,) = pair(*records).shared
    assert (shared.first, shared.other) == (l2[0].trial, l1[0].trial)
    assert shared.test.mean == 0


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((0.0, 0.01, 0.02, 0.1), "linear"),
        ((0.0, 0.0001, 0.001, 0.01, 0.1), "symlog"),
        ((0.0001, 0.001, 0.01, 0.1), "log"),
        ((0.0,), "linear"),
    ],
)
def test_axis_is_log_where_values_span_decades(
    uri: str, values: tuple[float, ...], scale: str
) -> None:
    points = [{"l2": value} for value in values]
    ids = [write(uri, "l2", made_up_sweep(["l2"], own)) for own in (points, wide(points))]
    assert {panel.x_scale for panel in lines(plot_of(load(uri, *ids)))} == {scale}


@pytest.mark.parametrize(
    ("seeds", "changes", "reason"),
    [
        ({"seeds": 3, "first_seed": 5}, {}, "their seeds differ (0 to 2 against 5 to 7)"),
        ({"seeds": 4}, {}, "their seeds differ (0 to 2 against 0 to 3)"),
        (
            {},
            {"dataset": {**DATASET, "name": "wine", "digest": "1" * 16}},
            "their datasets differ (iris against wine)",
        ),
        ({}, {"trainer_version": -1}, "their trainers draw other numbers"),
    ],
)
def test_seeds_that_are_no_pairs_are_not_paired(
    uri: str, seeds: dict[str, Any], changes: dict[str, object], reason: str
) -> None:
    first = write(uri, "l2", made_up_sweep(["l2"], L2))
    second = write(uri, "l2", made_up_sweep(["l2"], L2, **seeds), changes=changes)
    records = load(uri, first, second)
    pairing = pair(*records)
    assert pairing.shared == ()
    assert pairing.obstacle.startswith(reason)
    plot = plot_of(records)
    assert [panel.title for panel in plot.panels] == ["test accuracy", "training accuracy"]
    assert any(f"no pairs with {labels(records)[0]}" in note for note in plot.notes)


def test_labels_say_what_differs_and_nothing_else(uri: str) -> None:
    one = write(uri, "l2", made_up_sweep(["l2"], L2))
    other = made_up_sweep(["l2"], [{**p, "lr": 0.1, "standardize": True} for p in L2], seeds=2)
    assert labels(load(uri, one, write(uri, "l2", other))) == (
        "l2, lr=0.005, standardize=False, seeds=3",
        "l2, lr=0.1, standardize=True, seeds=2",
    )
    l1 = write(uri, "l1", made_up_sweep(["l1"], L1))
    assert labels(load(uri, one, l1)) == ("l2", "l1")
    mixed = write(uri, "l2", made_up_sweep(["l2"], [{**point, "l1": 0.002} for point in L2]))
    assert labels(load(uri, mixed, l1)) == ("l2, l1=0.002", "l1")


@pytest.mark.parametrize("run_names", [("l2-a", "l2-b"), ("l2-a", "l2-a")])
def test_labels_of_equal_sweeps_differ(uri: str, run_names: tuple[str, str]) -> None:
    ids = [write(uri, "l2", made_up_sweep(["l2"], L2), run_name=name) for name in run_names]
    found = labels(load(uri, *ids))
    assert len(set(found)) == 2
    for label, name, run_id in zip(found, run_names, ids, strict=True):
        assert name in label
        assert (run_id in label) == (run_names[0] == run_names[1])


def test_sweeps_of_two_fields_are_maps_in_the_same_colours(uri: str) -> None:
    sweeps = [made_up_sweep(["l1", "l2"], points) for points in (GRID, wide(GRID))]
    plot = plot_of(load(uri, *[write(uri, "elastic_net", sweep) for sweep in sweeps]))
    first, second, difference = (panel for panel in plot.panels if isinstance(panel, MapPanel))
    assert plot.panels == (first, second, difference)
    assert first.limits == second.limits
    assert {(cell.x, cell.y) for cell in first.cells} == {(p["l1"], p["l2"]) for p in GRID}
    values = {(cell.x, cell.y): cell.value for cell in difference.cells}
    assert difference.signed
    assert values[0.001, 0.1] == pytest.approx((final(sweeps[1][3]) - final(sweeps[0][3])).mean())


def test_sweeps_without_common_axes_are_refused(uri: str) -> None:
    l2 = write(uri, "l2", made_up_sweep(["l2"], L2), run_name="l2-x")
    net = write(uri, "elastic_net", made_up_sweep(["l1", "l2"], GRID), run_name="net-x")
    with pytest.raises(Stop, match="l2-x varies l2; net-x varies l1 and l2") as caught:
        comparison_plot(compared(load(uri, l2, net)))
    assert caught.value.code == BAD_INPUT


def test_partial_sweeps_and_odd_names_are_marked(uri: str) -> None:
    faults = Faults(unrecorded=["l2=0.010000"])
    ids = [
        write(uri, "l2", made_up_sweep(["l2"], L2), run_name="<b>$x^$</b>"),
        write(uri, "l2", made_up_sweep(["l2"], L2), run_name='=HYPERLINK("x")', faults=faults),
    ]
    plot = plot_of(load(uri, *ids))
    assert '(=HYPERLINK("x")) is partial: 1 of 4 trials missing' in plot.subtitle
    assert any("<b>$x^$</b>" in note for note in plot.notes)


@pytest.mark.parametrize("two_fields", [False, True])
def test_nothing_reaches_out_of_the_figure(uri: str, two_fields: bool) -> None:
    name, points = ("elastic_net", GRID) if two_fields else ("l2", L2)
    fields = ["l1", "l2"] if two_fields else ["l2"]
    more: tuple[dict[str, object], ...] = ({}, {"hidden": (64, 64)}, {"lr": 0.01, "batch_size": 8})
    sweeps = [made_up_sweep(fields, [{**p, **each} for p in points]) for each in more]
    figure = draw(plot_of(load(uri, *[write(uri, name, sweep) for sweep in sweeps])))
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    width, height = figure.get_size_inches() * figure.dpi
    panels = [ax.get_tightbbox() for ax in figure.axes]
    others = [one.get_window_extent() for one in (*figure.texts, *figure.legends)]
    boxes = [box for box in (*panels, *others) if box is not None]
    assert len(boxes) == len(panels) + len(others)
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


def test_every_model_diverged(uri: str) -> None:
    sweep = made_up_sweep(["l2"], L2)
    lost = [
        Recorded(one.trial, {k: v * np.float32("nan") for k, v in one.curves.items()}, one.weights)
        for one in sweep
    ]
    records = load(uri, write(uri, "l2", sweep), write(uri, "l2", lost))
    assert [len(panel.series) for panel in lines(plot_of(records))] == [1, 1]
    assert lines(plot_of(records[1:] * 2))[0].missing == "every model diverged"


@pytest.mark.slow
def test_script_writes_the_figure_to_every_sweep(uri: str, tmp_path: Path) -> None:
    ids = [write(uri, "l2", made_up_sweep(["l2"], points)) for points in (L2, wide(L2))]
    ids.append(write(uri, "l1", made_up_sweep(["l1"], L1, seeds=2), run_name="=1+1"))
    named = (ids[0], ids[1][:12], "=1+1")  # a run id, the beginning of one, a sweep's name
    done = run_warm("analysis/compare.py", *named, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    for expected in ("best", "baseline", "l2, hidden=64 64, seeds=3 minus l2", "of 4 shared"):
        assert expected in text
    assert "cannot be paired seed by seed, for their seeds differ (0 to 2 against 0 to 1)" in text
    (csv,) = (tmp_path / "figures").glob("*.csv")
    table = pd.read_csv(csv)
    assert table[["x", "y", "low", "high"]].dtypes.eq("float64").all()
    for run_id in ids:
        files = MlflowClient(uri).list_artifacts(run_id, "figures")
        assert {Path(file.path).name for file in files} == {
            f"{csv.stem}.{kind}" for kind in ("png", "svg", "csv")
        }
    again = run_warm("analysis/compare.py", *ids, "--no-upload", "--out", "o", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "o" / csv.name).read_bytes() == csv.read_bytes()


def test_settings_that_differ_are_said_before_anything_else(
    uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    longer = made_up_sweep(["l2"], [{**point, "lr": 0.01} for point in L2])
    records = load(uri, write(uri, "l2", made_up_sweep(["l2"], L2)), write(uri, "l2", longer))
    later = replace(records[1].manifest, summary_epochs=range(38, 40))
    show(compared([records[0], replace(records[1], manifest=later)]))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("These sweeps differ in more than what they vary")
    assert "learning rate 0.005, mean of epochs 21 to 38" in " ".join(rest[:4])
    assert "learning rate 0.01, mean of epochs 39 to 40" in " ".join(rest[:4])
    batches = made_up_sweep(["batch_size"], [{"batch_size": size} for size in (16, 4)])
    alike = load(uri, write(uri, "batch_size", batches))
    show(compared([records[0], *alike]))
    assert "differ in more" not in capsys.readouterr().out


@pytest.mark.slow
def test_script_refuses_in_one_line(
    uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = made_up_sweep(["l2"], L2)
    good = write(uri, "l2", sweep)
    net = write(uri, "elastic_net", made_up_sweep(["l1", "l2"], GRID))
    torn = write(uri, "l2", sweep, faults=Faults(failed=["l2=0.010000"]))
    child = load(uri, good)[0].run_of(sweep[0].trial)
    for run_ids, code, reason in (
        ([], 2, "needs the run ids of 2 to 7 sweeps, got 0"),
        ([good], 2, "needs the run ids of 2 to 7 sweeps, got 1"),
        ([good, good], 2, f"got {good} more than once"),
        ([good, good[:9]], 2, f"got {good} more than once"),
        ([good, net], 2, "varies l1 and l2"),
        ([good, "nonsense"], 2, "nonsense is no run in"),
        ([good, child], 2, "is a trial of sweep"),
        ([good, torn], 3, r"lacks 1 of 4 trials: l2=0.010000 \(failed: worker died\)"),
    ):
        assert main(CompareOptions(sweeps=tuple(run_ids))) == code, run_ids
        said = capsys.readouterr()
        assert re.search(reason, said.err), said.err
        assert len(said.err.splitlines()) == 1
        assert said.out == ""
        assert not (tmp_path / "figures").exists()
    assert main(CompareOptions(sweeps=(good, torn), allow_partial=True)) == 0
    assert "partial: 1 of 4 trials missing" in capsys.readouterr().err
