"""Below every figure stands what its models were made with: a learning rate of 0.01 is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis import robustness
from analysis.compare import compared
from analysis.figures.concept_figures import activations, batches
from analysis.figures.of_sweeps import plots_of
from analysis.figures.penalty_figure import penalties
from analysis.figures.weight_figure import weights
from analysis.folds.choice import choose, scores_of
from analysis.folds.choosing_figure import choosing_plot
from analysis.plotting.draw import draw
from analysis.plotting.panels import Plot
from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from analysis.report_page.report_figures import lesson_figures
from analysis.report_page.report_origin import origin
from analysis.seed_study.study import by_source, study
from analysis.side_by_side.compare_figures import comparison_plot
from support.legible import require_legible
from support.lesson_fixture import in_memory
from support.record_fixture import Recorded, made_up_sweep, new_store, write_sweep
from support.report_records import sweep_of
from support.seeds_record import record_of as seeds_record
from support.seeds_record import seeds_sweep

SLOW = "all models: iris, random split, 60 epochs, hidden 32, batch 16, learning rate 0.01"


def changed(role: str, **values: Any) -> SweepRecord:
    """The made-up record of that role with other hyperparameters in all of its trials."""

    def one(each: Recorded) -> Recorded:
        hyperparameters = replace(each.trial.hyperparameters, **values)
        return replace(each, trial=replace(each.trial, hyperparameters=hyperparameters))

    return in_memory(role, [one(each) for each in sweep_of(role)])


@pytest.fixture(scope="module")
def slow() -> dict[str, SweepRecord]:
    roles = ("dropout", "l1", "l2", "batch_size", "small")
    return {role: changed(role, lr=0.01) for role in roles}


@pytest.fixture(scope="module")
def drawn(slow: dict[str, SweepRecord], tmp_path_factory: pytest.TempPathFactory) -> list[Plot]:
    """Every kind of figure of sweeps with that learning rate, but for the comparisons."""
    found = [
        *(plot for record in slow.values() for plot in plots_of(record)),
        activations(slow["dropout"]),
        batches(slow["batch_size"]),
        weights({"l1": [], "l2": [slow["l2"]]}),
    ]
    points = [{"l2": 0.0, "lr": 0.01}, {"l2": 0.1, "lr": 0.01}]
    sweep = seeds_sweep(points, (0.9, 0.8), 8, by_source=True)
    seeds = seeds_record(tmp_path_factory.mktemp("seeds"), sweep)
    found += robustness.plots(seeds, study(seeds), by_source(seeds))
    folder = tmp_path_factory.mktemp("folds")
    uri = new_store(folder)
    write_sweep(uri, folder / "artifacts", "l2", ["l2"], made_up_sweep(["l2"], points, folds=5))
    folds = load_sweep(open_store(uri), "l2")
    choices = choose(scores_of(folds))
    return [*found, choosing_plot(folds, choices, None)]


def test_every_figure_of_a_sweep_says_its_learning_rate_and_the_rest(drawn: list[Plot]) -> None:
    assert len(drawn) == 28
    for plot in drawn:
        notes = [note for note in plot.notes if note.startswith("all models: ")]
        assert len(notes) == 1, plot.name
        said = notes[0].removeprefix("all models: ").split(", ")
        # The made-up sweeps of the lesson's roles have its split, the others the default.
        by_default = plot.name.startswith("robustness") or plot.name.endswith("choosing")
        split = "stratified split" if by_default else "random split"
        assert {"iris", split, "learning rate 0.01"} <= set(said), plot.name
        assert [text for text in said if text.endswith(" epochs")], plot.name
        assert [text for text in said if text.startswith("hidden ")], plot.name


def test_what_a_figure_shows_along_an_axis_is_not_said_as_a_constant(
    slow: dict[str, SweepRecord],
) -> None:
    for plot in (*plots_of(slow["batch_size"]), batches(slow["batch_size"])):
        assert "batch 1" not in plot.notes[0]
    assert plots_of(slow["dropout"])[0].notes[0] == SLOW
    assert "dropout" not in plots_of(slow["small"])[0].notes[0]
    # But the one model that is shown has one dropout rate.
    assert activations(slow["dropout"]).notes[0] == f"{SLOW}, dropout 0.5"


def test_whatever_is_no_default_is_said() -> None:
    record = changed("l2", standardize=True, l1=0.002, hidden=(64, 64))
    for plot in plots_of(record):
        assert plot.notes[0] == (
            "all models: iris, random split, 60 epochs, hidden 64 64, batch 16, "
            "learning rate 0.005, L1 λ 0.002, standardised"
        )


def test_other_seeds_than_the_first_are_said(drawn: list[Plot]) -> None:
    for plot in drawn:
        assert ("seeds 100 to 107" in plot.notes) == plot.name.startswith("robustness")


def test_compared_sweeps_say_what_they_share_and_where_they_differ(
    slow: dict[str, SweepRecord],
) -> None:
    records = [slow["l2"], changed("l2", dropout=0.2, hidden=(8,)), changed("batch_size")]
    found = compared(records)
    notes = comparison_plot(found).notes
    assert notes[0] == "all models: iris, random split, 60 epochs"
    # What differs among all of them is in their labels; what one varies, in the others' notes.
    assert [note.split("; sweep ")[0] for note in notes if "MLflow run" in note] == [
        "l2, dropout=0.0, lr=0.01, hidden=32: batch 16",
        "l2, dropout=0.2, lr=0.005, hidden=8: batch 16",
        "batch_size, dropout=0.0, lr=0.001, hidden=32: sweep batch_size-of-batch_size, "
        f"MLflow run {records[2].run_id}",
    ]
    shared, l1_run, l2_run = weights({"l1": [changed("l1")], "l2": [slow["l2"]]}).notes
    assert shared == "all models: iris, random split, 60 epochs, hidden 32, batch 16"
    assert l1_run.startswith("l1: learning rate 0.005; sweep l1")
    assert l2_run.startswith("l2: learning rate 0.01; sweep l2")


@pytest.mark.slow
def test_the_report_says_it_below_its_figures_and_beside_its_charts(
    slow: dict[str, SweepRecord],
) -> None:
    some = {role: slow[role] for role in ("dropout", "l2")}
    of_sweeps = [figure for figure in lesson_figures(some) if figure.runs]
    assert len(of_sweeps) == 7
    for figure in of_sweeps:
        assert any("learning rate 0.01" in note for note in figure.notes), figure.title
    assert origin("l2", slow["l2"]).setting.startswith(SLOW.replace("all", "All", 1))
    assert "batch" not in origin("batch_size", slow["batch_size"]).setting


def test_figures_without_any_model_have_nothing_to_say() -> None:
    for plot in (penalties(), activations(None), batches(None), weights({"l1": [], "l2": []})):
        assert not [note for note in plot.notes if "learning rate" in note]


@pytest.mark.parametrize("hidden", [(32,), (1024,) * 8])
def test_footers_wrap_and_cover_nothing(hidden: tuple[int, ...]) -> None:
    values = {"lr": 0.0123456, "l1": 1e-6, "dropout": 0.25, "standardize": True, "hidden": hidden}
    one = changed("l2", drop_last=False, **values)
    several = [one, changed("l2", dropout=0.2, hidden=hidden), changed("batch_size", lr=0.02)]
    for plot in (plots_of(one)[0], comparison_plot(compared(several))):
        require_legible(draw(plot))


def test_what_a_label_has_no_room_for_is_said_in_the_footer(
    slow: dict[str, SweepRecord],
) -> None:
    values = {"l1": 1e-6, "dropout": 0.25, "hidden": (256, 128, 64), "batch_size": 8}
    wide = changed("l2", standardize=True, drop_last=False, **values)
    first, other = compared([slow["l2"], wide])
    assert other.label.endswith("…")
    note = next(n for n in comparison_plot([first, other]).notes if n.startswith(other.label))
    assert ": " in note
    assert "last batch kept when not full; sweep l2-of-l2" in note
