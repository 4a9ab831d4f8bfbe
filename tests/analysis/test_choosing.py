"""Choosing by cross-validation against choosing on the test set: who is chosen, what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.choosing import main, sentences
from analysis.folds.choice import Choices, choose, scores_of
from analysis.folds.choosing_figure import choosing_plot, ways
from analysis.folds.fold_sweeps import load_with_folds, on_fresh_seeds
from analysis.plotting.draw import draw
from analysis.plotting.panels import LinePanel, SpanPanel
from analysis.reading.connection import open_store
from analysis.reading.errors import Stop
from analysis.reading.script_options import AnalysisOptions
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import estimate
from support.record_fixture import Recorded, made_up_sweep, new_store, write_sweep

POINTS = [{"l2": 0.0}, {"l2": 0.01}, {"l2": 0.02}]
# Three configurations, four seeds. On the test set the second is best, by folds the third; the
# first seed's folds alone prefer the first.
TEST = [[0.9, 0.8, 0.7, 0.8], [1.0, 0.9, 0.9, 0.8], [0.8, 0.9, 0.9, 0.9]]
CV = [[0.9, 0.7, 0.7, 0.7], [0.8, 0.8, 0.8, 0.8], [0.85, 0.9, 0.9, 0.9]]


def _with(one: Recorded, finals: Mapping[str, Any]) -> Recorded:
    """The trial with curves that stay at those values, one for each seed."""
    curves = dict(one.curves)
    for name, values in finals.items():
        column = np.array(values, dtype=np.float32).reshape(-1, 1)
        curves[name] = np.repeat(column, curves[name].shape[1], axis=1)
    return Recorded(one.trial, curves, one.weights)


def _sweep(test: Any = TEST, cv: Any = CV, fields: tuple[str, ...] = ("l2",), **more: Any) -> Any:
    points = more.pop("points", POINTS[: len(test)])
    plain = made_up_sweep(fields, points, seeds=len(test[0]), folds=5, **more)
    return [
        _with(
            one,
            {
                "test/accuracy": a,
                "test/loss": np.subtract(1, a),
                "cv/accuracy": b,
                "cv/loss": np.subtract(1, b),
            },
        )
        for one, a, b in zip(plain, test, cv, strict=True)
    ]


def _record(folder: Path, sweep: list[Recorded], **more: Any) -> SweepRecord:
    uri = new_store(folder)
    name, fields = more.pop("name", "l2"), more.pop("fields", ["l2"])
    write_sweep(uri, folder / "artifacts", name, fields, sweep, **more)
    return load_with_folds(open_store(uri))


def _said(record: SweepRecord, choices: Choices) -> str:
    text = "\n".join(sentences(record, choices, None))
    assert "nan" not in text.lower()
    return text


def test_choices_claims_and_honest_accuracies_of_a_worked_example(tmp_path: Path) -> None:
    record = _record(tmp_path, _sweep())
    choices = choose(scores_of(record))
    assert (choices.by_test.place, choices.by_cv.place) == (1, 2)
    assert choices.claimed.mean == pytest.approx(0.9)
    assert choices.test_of_cv.mean == pytest.approx(0.875)
    assert choices.nested == pytest.approx([0.9, 0.9, 0.9, 0.9])  # first seed: first configuration
    assert choices.alone == pytest.approx([1.0, 0.9, 0.9, 0.9])
    assert choices.configurations == 2
    # Claim minus honest by seed: 0.1, 0, 0, -0.1.
    assert choices.optimism.mean == pytest.approx(0, abs=1e-6)
    low, high = choices.optimism.low, choices.optimism.high
    assert low is not None
    assert high is not None
    assert high == pytest.approx(3.182446 * (0.02 / 3) ** 0.5 / 2, rel=1e-5)
    assert choices.optimism_alone.mean == pytest.approx(0.025)
    text = _said(record, choices)
    assert "Choosing on the test set claims 90.00 % (l2=0.010000)" in text
    assert "optimistic by 2.50 points" in text
    assert "Cross-validation chooses l2=0.020000." in text
    assert f"python sweeps/seeds.py --from {record.run_id} --top 1" in text


def test_the_figure_has_both_accuracies_the_choices_and_the_ways(tmp_path: Path) -> None:
    record = _record(tmp_path, _sweep())
    choices = choose(scores_of(record))
    plot = choosing_plot(record, choices, None)
    values, by_way = plot.panels
    assert isinstance(values, LinePanel)
    assert isinstance(by_way, SpanPanel)
    found = {one.label: [(p.x, round(p.y, 3)) for p in one.points] for one in values.series}
    assert found["test"] == [(0.0, 80), (0.01, 90), (0.02, 87.5)]
    assert found["cross-validated"] == [(0.0, 75), (0.01, 80), (0.02, 88.75)]
    assert found["chosen by cross-validation"] == [(0.02, 88.75)]
    assert found["chosen on the test set"] == [(0.01, 90)]
    assert by_way.zero_line
    assert by_way.least == pytest.approx(100 / 30 / 4)
    (differences,) = by_way.series
    drawn = {span.row: span for span in differences.spans}
    # Claim minus honest by seed: 0.1, 0, 0, -0.1; a pair's spread, not that of two accuracies.
    claim = drawn["claim: highest test accuracy"]
    assert (claim.x, claim.high) == pytest.approx((0, 100 * (choices.optimism.high or 0)), abs=1e-5)
    assert claim.run_id == record.run_of(choices.scores.trials[1])
    assert drawn["claim of one seed, on its own test rows"].x == pytest.approx(2.5)
    assert drawn["test accuracy of the choice by folds"].x == pytest.approx(-2.5)
    assert "90.00 % [90.00, 90.00]" in plot.notes[-2]
    assert plot.run_ids == (record.run_id,)
    figure = draw(plot)
    # What was chosen is a ring around its mark: a mark of its own would hide it, or be hidden.
    rings = [one for one in figure.axes[0].lines if one.get_markerfacecolor() == "none"]
    assert [np.asarray(one.get_xydata(), float).round(3).tolist() for one in rings] == [
        [[0.02, 88.75]],
        [[0.01, 90]],
    ]
    labels = [text.get_text() for ax in figure.axes for text in ax.get_yticklabels()]
    assert "claim: highest test\naccuracy" in labels


def test_the_newest_finished_sweep_with_folds_of_any_name_is_read(tmp_path: Path) -> None:
    uri = new_store(tmp_path)
    places = (uri, tmp_path / "artifacts")
    write_sweep(*places, "l2", ["l2"], _sweep(), run_name="l2-old")
    l1 = _sweep(fields=("l1",), points=[{"l1": 0.0}, {"l1": 0.1}, {"l1": 0.2}])
    write_sweep(*places, "l1", ["l1"], l1, run_name="l1-newer")
    write_sweep(*places, "l2", ["l2"], _sweep(), run_name="l2-running", status="RUNNING")
    write_sweep(*places, "l2", ["l2"], made_up_sweep(["l2"], POINTS), run_name="l2-without")
    assert load_with_folds(open_store(uri)).manifest.run_name == "l1-newer"


def test_a_sweep_on_fresh_seeds_is_found_and_shown(tmp_path: Path) -> None:
    record = _record(tmp_path, _sweep())
    uri, artifacts = record.tracking_uri, tmp_path / "artifacts"
    client = open_store(uri)
    choices = choose(scores_of(record))
    chosen = choices.scores.trials[choices.by_cv.place].hyperparameters
    assert on_fresh_seeds(client, record, chosen) is None
    options = {"folds": 0, "from_run": record.run_id}

    def judge(first_seed: int, level: float, of: Mapping[str, Any]) -> str:
        plain = made_up_sweep(["l2"], [{"l2": 0.02}], seeds=3, first_seed=first_seed)
        sweep = [_with(plain[0], {"test/accuracy": [level] * 3})]
        return write_sweep(uri, artifacts, "seeds", ["l2"], sweep, changes={"options": of})

    judge(2, 0.1, options)  # two of its seeds took part in the choice
    judge(500, 0.2, options | {"from_run": "0" * 32})
    assert on_fresh_seeds(client, record, chosen) is None
    fresh_id = judge(100, 0.84, options)
    found = on_fresh_seeds(client, record, chosen)
    assert found is not None
    assert found.record.run_id == fresh_id
    last = ways(record, choices, found)[-1]
    assert last.accuracy.mean == pytest.approx(0.84)
    assert last.run_id == found.record.run_of(found.trial)
    panel = choosing_plot(record, choices, found).panels[1]
    assert isinstance(panel, SpanPanel)
    span = panel.series[0].spans[-1]
    assert (span.row, span.method) == (
        "the choice by folds on 3 fresh seeds, not in pairs",
        "95 % Welch interval",
    )
    assert span.x == pytest.approx(84 - 100 * choices.nested.mean(), abs=1e-4)
    text = "\n".join(sentences(record, choices, last.accuracy))
    assert "On 3 fresh seeds that choice has 84.00 %" in text
    assert on_fresh_seeds(client, record, replace(chosen, l2=0.01)) is None


def test_equal_accuracies_are_said_to_be_equal(tmp_path: Path) -> None:
    same = [[0.9, 0.8], [0.9, 0.8], [0.9, 0.8]]
    record = _record(tmp_path, _sweep(same, same))
    choices = choose(scores_of(record))
    assert (choices.by_test.place, choices.by_cv.place) == (0, 0)
    text = _said(record, choices)
    assert "all 3 configurations have that cross-validated accuracy" in text
    assert "all 2 differences are 0: no test" in text
    assert "as the test set does" in text
    draw(choosing_plot(record, choices, None))


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    record = _record(tmp_path, _sweep([[0.9], [1.0]], [[0.9], [0.8]]))
    choices = choose(scores_of(record))
    assert choices.optimism.low is None
    assert "1 pair: no interval" in _said(record, choices)
    plot = choosing_plot(record, choices, None)
    assert "1 seed: no interval" in plot.subtitle


def test_diverged_models_cannot_be_chosen_and_are_counted(tmp_path: Path) -> None:
    lost = np.nan
    # The best by folds has a diverged model of its own, the second a diverged fold model.
    test = [[0.8, 0.8], [0.9, 0.9], [1.0, lost]]
    cv = [[0.7, 0.7], [0.8, lost], [0.9, 0.9]]
    record = _record(tmp_path, _sweep(test, cv))
    choices = choose(scores_of(record))
    assert (choices.by_test.place, choices.by_cv.place) == (1, 0)
    assert choices.nested == pytest.approx([1.0, 0.8])
    plot = choosing_plot(record, choices, None)
    assert any("gives no number for 1 of 6 models" in note for note in plot.notes)
    assert any("models diverged and left out" in note for note in plot.notes)
    _said(record, choices)
    draw(plot)


def test_nothing_but_diverged_models_is_a_clear_word(tmp_path: Path) -> None:
    lost = [[np.nan, 0.9], [0.9, np.nan]]
    record = _record(tmp_path, _sweep(lost, [[0.9, 0.9], [0.9, 0.9]]))
    with pytest.raises(Stop, match="in every configuration a model diverged"):
        choose(scores_of(record))


def test_two_swept_values_stand_in_the_order_of_their_accuracy(tmp_path: Path) -> None:
    fields = ("l1", "l2")
    points = [{"l1": 0.0, "l2": 0.0}, {"l1": 0.1, "l2": 0.0}, {"l1": 0.0, "l2": 0.1}]
    sweep = _sweep(cv=[CV[1], CV[2], CV[0]], fields=fields, points=points)
    record = _record(tmp_path, sweep, name="elastic_net", fields=fields)
    choices = choose(scores_of(record))
    panel = choosing_plot(record, choices, None).panels[0]
    assert isinstance(panel, LinePanel)
    assert "2 values were swept" in panel.title
    (by_cv,) = [one.points for one in panel.series if one.label == "cross-validated"]
    assert [point.y for point in by_cv] == pytest.approx([75, 80, 88.75])
    assert [point.x for point in by_cv] == [0, 1, 2]


def test_no_folds_and_one_configuration_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = new_store(tmp_path)
    places = (uri, tmp_path / "artifacts")

    def refused(sweep: str | None = None) -> str:
        options = AnalysisOptions(tracking_uri=uri, out=tmp_path / "figures", sweep=sweep)
        assert main(options) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    plain = write_sweep(*places, "l2", ["l2"], made_up_sweep(["l2"], POINTS))
    assert "no finished sweep with folds" in refused()
    assert "python sweeps/l2.py --folds 5" in refused(plain)
    one = write_sweep(*places, "l2", ["l2"], _sweep(TEST[:1], CV[:1]))
    assert "needs two configurations" in refused(one)


def test_the_script_prints_and_writes_figures_beside_the_sweep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = _record(tmp_path, _sweep())
    out = tmp_path / "figures"
    assert main(AnalysisOptions(tracking_uri=record.tracking_uri, out=out)) == 0
    printed = capsys.readouterr().out
    assert "Choosing by 5-fold cross-validation" in printed
    assert record.run_id in printed
    table = pd.read_csv(out / "l2_choosing.csv")
    claims = table[table["series"] == "difference"]
    assert claims["x"].tolist() == pytest.approx([2.5, 0, -2.5], abs=1e-5)
    client = open_store(record.tracking_uri)
    names = {Path(each.path).name for each in client.list_artifacts(record.run_id, "figures")}
    assert names == {f"l2_choosing.{kind}" for kind in ("png", "svg", "csv")}


def test_a_made_up_record_with_folds_is_read_to_the_bit(tmp_path: Path) -> None:
    sweep = made_up_sweep(["l2"], POINTS, folds=3)
    record = _record(tmp_path, sweep)
    assert record.has_folds
    for one in sweep:
        for name in ("cv/accuracy", "cv/loss", "test/accuracy"):
            assert np.array_equal(record.curve(one.trial, name), one.curves[name])
    window = record.manifest.summary_epochs
    expected = sweep[1].curves["cv/loss"].astype(np.float64)[:, window.start : window.stop]
    assert estimate(record.final(sweep[1].trial, "cv/loss")).mean == pytest.approx(expected.mean())
