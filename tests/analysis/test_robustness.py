"""`analysis/robustness.py` as users run it, what its figures hold, and bad input in clear words."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from analysis.plotting.csv_files import write_csv
from analysis.plotting.draw import draw
from analysis.plotting.panels import DotPanel, LinePanel, Plot, SpanPanel
from analysis.reading.script_options import AnalysisOptions
from analysis.reading.sweep_record import SweepRecord
from analysis.robustness import main, plots, print_study
from analysis.seed_study.study import METRIC, by_source, study
from analysis.seed_study.study_reading import reading
from analysis.seed_study.study_tables import statistics
from support.legible import require_legible, texts
from support.record_fixture import Faults, Recorded, made_up_sweep, new_store, write_sweep
from support.seeds_record import configuration, record_of, seeds_sweep, with_accuracy
from support.warm_scripts import run_warm

POINTS = [{"l2": 0.0}, {"l2": 0.01}, {"l2": 0.1}]
LEVELS = (0.9, 0.8995, 0.85)
SEEDS = 40
FIGURES = ["distribution", "seeds", "ranks", "sources"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a sweep with every source exchanged."""
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture(scope="module")
def record(folder: Path) -> SweepRecord:
    return record_of(folder, seeds_sweep(POINTS, LEVELS, SEEDS, by_source=True))


def plots_of(record: SweepRecord) -> dict[str, Plot]:
    drawn = plots(record, study(record), by_source(record))
    return {plot.name.removeprefix("robustness_"): plot for plot in drawn}


def said(record: SweepRecord) -> str:
    return " ".join(reading(record, study(record), by_source(record)))


@pytest.fixture(scope="module")
def script(
    record: SweepRecord, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CompletedProcess[str], Path]:
    """The script's run on that sweep, and its figures."""
    folder = tmp_path_factory.mktemp("script")
    flags = ("--tracking-uri", record.tracking_uri)
    done = run_warm("analysis/robustness.py", *flags, cwd=folder)
    return done, folder / "figures" / record.manifest.run_name


def test_script_leaves_figures_and_table_here_and_in_mlflow(
    record: SweepRecord, script: tuple[CompletedProcess[str], Path]
) -> None:
    done, figures = script
    assert (done.returncode, done.stderr) == (0, "")
    kinds = ("png", "svg", "csv")
    expected = {f"robustness_{name}.{kind}" for name in FIGURES for kind in kinds}
    expected.add("robustness_table.csv")
    assert {path.name for path in figures.iterdir()} == expected
    found = MlflowClient(record.tracking_uri).list_artifacts(record.run_id, "figures")
    assert {Path(one.path).name for one in found} >= expected
    for name in FIGURES:
        header = (figures / f"robustness_{name}.png").read_bytes()[16:24]
        assert min(struct.unpack(">II", header)) > 500
    assert "nan" not in done.stdout.lower()
    for path in figures.glob("*.csv"):
        assert "nan" not in path.read_text().lower()
    table = pd.read_csv(figures / "robustness_table.csv")
    assert table["config"].tolist() == ["l2=0.000000", "l2=0.010000", "l2=0.100000"]
    mean = 100 * record.final(record.configurations[2], METRIC).mean()
    assert table["mean"][2] == pytest.approx(mean)
    row, pair, _ = [line for line in done.stdout.splitlines() if line.startswith("0.1 ")]
    assert f" {mean:.2f} ± " in row
    assert f" {table['difference'][2]:.2f} ± " in pair
    assert "exactly 0: exchanging it changes none of 40 models" in done.stdout
    assert "--by-source" not in done.stdout


@pytest.mark.slow
def test_equal_records_give_equal_files(
    record: SweepRecord, script: tuple[CompletedProcess[str], Path], tmp_path: Path
) -> None:
    assert main(AnalysisOptions(tracking_uri=record.tracking_uri, out=tmp_path, upload=False)) == 0
    for one in script[1].iterdir():
        assert one.read_bytes() == (tmp_path / one.name).read_bytes(), one.name


def test_every_model_is_a_dot_and_its_middle_stands_beside(record: SweepRecord) -> None:
    dots, middles = plots_of(record)["distribution"].panels
    assert isinstance(dots, DotPanel)
    assert isinstance(middles, SpanPanel)
    for row, trial in zip(dots.rows, record.configurations, strict=True):
        assert row.seeds == trial.seeds
        assert row.values == tuple(100 * record.final(trial, METRIC))
    assert len(dots.table()) == 3 * SEEDS
    assert [series.label for series in middles.series] == ["mean", "interquartile mean", "median"]
    for series in middles.series:
        for span, row in zip(series.spans, dots.rows, strict=True):
            assert span.low is not None
            assert span.high is not None
            assert min(row.values) < span.low < span.x < span.high < max(row.values)
            assert "interval" in span.method or "bootstrap" in span.method


def test_intervals_narrow_with_seeds_until_they_are_those_of_the_study(record: SweepRecord) -> None:
    own, paired = plots_of(record)["seeds"].panels
    assert isinstance(own, LinePanel)
    assert isinstance(paired, LinePanel)
    for panel, count in ((own, 3), (paired, 2)):
        assert len(panel.series) == count
        for series in panel.series:
            widths = [point.y for point in series.points]
            assert [point.x for point in series.points][-1] == SEEDS
            assert widths == sorted(widths, reverse=True)
    base, small, large = study(record)
    assert base.mean.high is not None
    assert base.mean.mean is not None
    half = 100 * (base.mean.high - base.mean.mean)
    assert own.series[0].points[-1].y == pytest.approx(half, rel=0.05)
    means = [100 * abs(one.paired.difference.mean or 0) for one in (small, large) if one.paired]
    assert [level.y for level in paired.levels] == pytest.approx(means)


def test_one_seed_proves_nothing_and_many_settle_the_rank(record: SweepRecord) -> None:
    (panel,) = plots_of(record)["ranks"].panels
    assert isinstance(panel, LinePanel)
    shares = np.array([[point.y for point in series.points] for series in panel.series])
    assert shares.sum(axis=0) == pytest.approx(100)
    assert shares[0, 0] < 75
    assert shares[0, -1] > shares[0, 0]
    assert shares[2].max() == 0
    assert "with one seed it would be the best in " in said(record)


def test_sources_are_drawn_by_themselves_and_with_interactions(record: SweepRecord) -> None:
    plot = plots_of(record)["sources"]
    shares = by_source(record)
    for panel, place in zip(plot.panels, (1, 4), strict=True):
        assert isinstance(panel, SpanPanel)
        for series, one in zip(panel.series, shares, strict=True):
            for span, source in zip(series.spans, one.sources, strict=True):
                numbers = [100 * float(value or 0) for value in source[place : place + 3]]
                assert span[1:4] == pytest.approx(numbers)


def test_the_reading_names_what_is_more_than_luck(record: SweepRecord) -> None:
    text = said(record)
    clear, rest = text.split("More than luck (Holm's p < 0.05) against l2=0.000000: ")[1].split(
        ").", 1
    )
    small, large = (one for one in study(record) if one.paired)
    assert large.p_holm is not None
    assert large.p_holm < 0.001
    assert "l2=0.100000 (-4.9" in clear
    assert small.p_holm is not None
    assert ("l2=0.010000" in clear) == (small.p_holm < 0.05)
    assert "seeds give ± 1 point" in rest
    assert "by source, interactions included: data split " in rest


@pytest.mark.slow
def test_any_sweep_has_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uri = new_store(tmp_path)
    points = [{"l2": number / 1000} for number in range(14)]
    run_id = write_sweep(uri, tmp_path / "artifacts", "l2", ["l2"], made_up_sweep(["l2"], points))
    options = AnalysisOptions(tracking_uri=uri, sweep=run_id, out=tmp_path / "out", upload=False)
    assert main(options) == 0
    assert "python sweeps/seeds.py --by-source" in capsys.readouterr().out
    assert not (tmp_path / "out" / "robustness_sources.png").exists()
    assert len(pd.read_csv(tmp_path / "out" / "robustness_table.csv")) == 14
    assert main(AnalysisOptions(tracking_uri=uri)) == 2
    assert "no sweep 'seeds'" in capsys.readouterr().err


def bad(kind: str) -> tuple[list[Recorded], Faults]:
    """A study that something is wrong with."""
    sweep, faults = seeds_sweep(POINTS, LEVELS, 12, by_source=True), Faults()
    first, second, third, *exchanged = sweep
    nan = np.full(12, np.nan)
    match kind:
        case "one seed":
            sweep = seeds_sweep(POINTS, LEVELS, 1)
        case "one configuration":
            sweep = [first, *exchanged[:4]]
        case "all equal":
            sweep = [with_accuracy(one.trial, np.full(12, 0.9)) for one in sweep]
        case "one diverges":
            accuracy = np.where(np.arange(12) == 3, np.nan, np.linspace(0.8, 0.9, 12))
            sweep = [first, with_accuracy(second.trial, accuracy), third, *exchanged]
        case "a configuration diverges":
            sweep = [first, with_accuracy(second.trial, nan), third, *exchanged]
        case "the baseline diverges":
            sweep = [with_accuracy(first.trial, nan), second, third, *exchanged]
        case "all diverge":
            sweep = [with_accuracy(one.trial, nan) for one in sweep]
        case "baseline lacking":
            faults = Faults(unrecorded=["l2=0.000000"])
        case "never one seed without divergence":
            accuracies = [np.where(np.arange(12) % 3 == k, np.nan, 0.9) for k in range(3)]
            pairs = zip(sweep[:3], accuracies, strict=True)
            sweep = [with_accuracy(one.trial, accuracy) for one, accuracy in pairs]
            sweep[0] = with_accuracy(first.trial, np.where(np.arange(12) % 3 != 1, np.nan, 0.9))
            sweep[1] = with_accuracy(second.trial, np.where(np.arange(12) % 3 != 2, np.nan, 0.8))
    return sweep, faults


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("one seed", "One seed: one run proves nothing. No interval and no test exists"),
        ("one configuration", "One configuration: there is nothing to compare it with"),
        ("all equal", "all 12 differences are 0: no test"),
        ("one diverges", "models left of those trained, the others diverged"),
        ("a configuration diverges", "l2=0.010000: no pair without divergence"),
        ("the baseline diverges", "l2=0.010000: no pair without divergence"),
        ("all diverge", "Every model of every configuration diverged"),
        ("baseline lacking", "The baseline is lacking, so no difference can be given"),
        ("never one seed without divergence", "no pair without divergence"),
    ],
)
def test_bad_input_is_a_clear_word_and_never_nan(
    kind: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, faults = bad(kind)
    record = record_of(tmp_path, sweep, faults=faults)
    studied, shares = study(record), by_source(record)
    print_study(record, studied, shares)
    shown = capsys.readouterr().out
    assert words in shown
    drawn = plots(record, studied, shares)
    for number, table in enumerate([statistics(studied), *(plot.table() for plot in drawn)]):
        write_csv(table, tmp_path / f"{number}.csv")
        shown += (tmp_path / f"{number}.csv").read_text()
    for plot in drawn:
        figure = draw(plot)
        require_legible(figure)
        shown += " ".join(text.get_text() for text in texts(figure))
    assert "nan" not in shown.lower()


def test_one_lost_model_is_named_and_left_out_of_its_pair_alone(tmp_path: Path) -> None:
    record = record_of(tmp_path, bad("one diverges")[0])
    base, second, third = study(record)
    assert (base.mean.n, second.mean.n, third.mean.n) == (12, 11, 12)
    assert second.paired is not None
    assert second.paired.difference.n == 11
    drawn = plots_of(record)
    dots = drawn["distribution"].panels[0]
    assert isinstance(dots, DotPanel)
    assert [row.diverged for row in dots.rows] == [0, 1, 0]
    assert 103 not in dots.rows[1].seeds
    assert any("1 seed left out" in note for note in drawn["ranks"].notes)


def test_what_draws_seeds_again_says_that_they_are_the_same(record: SweepRecord) -> None:
    drawn = plots_of(record)
    for name in ("seeds", "ranks"):
        plot = drawn[name]
        assert "from the same" in plot.subtitle
        for panel in plot.panels:
            assert isinstance(panel, LinePanel)
            assert panel.x_label == f"number of seeds n, drawn again from the same {SEEDS}"
    assert any("no study has a new seed" in note for note in drawn["ranks"].notes)


def test_figures_of_many_configurations_are_legible(tmp_path: Path) -> None:
    trials = [configuration({"l2": number / 1000 + 0.000123}, 30) for number in range(13)]
    rng = np.random.default_rng(2)
    sweep = [with_accuracy(one, np.round(rng.uniform(0.8, 1, 30), 2)) for one in trials]
    record = record_of(tmp_path, sweep)
    drawn = plots_of(record)
    for plot in drawn.values():
        require_legible(draw(replace(plot, title="A title that needs more than one line " * 4)))
    levels = [text.get_window_extent() for ax in draw(drawn["seeds"]).axes for text in ax.texts]
    assert len(levels) == 6
    assert not any(one.overlaps(other) for one, other in combinations(levels, 2))
    assert any("configurations shown" in note for note in drawn["distribution"].notes)
    (panel,) = drawn["ranks"].panels
    assert isinstance(panel, LinePanel)
    assert panel.series[-1].label == "any of 7 others"
    sums = np.array([[point.y for point in series.points] for series in panel.series]).sum(axis=0)
    assert sums == pytest.approx(100)
