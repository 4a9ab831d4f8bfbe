"""What the analysis says of rows that no model was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.choosing import sentences
from analysis.exporting.export_readme import readme
from analysis.exporting.export_tables import trial_table
from analysis.figures.confirmed import held_out_reading, on_fresh_seeds
from analysis.folds.choice import choose, scores_of
from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from support.record_fixture import Recorded, diverging, made_up_sweep, new_store, write_sweep

POINTS = [{"l2": value, "hold_out": 0.2} for value in (0.0, 0.01, 0.02)]


def _record(folder: Path) -> SweepRecord:
    return _written(folder, made_up_sweep(["l2"], POINTS, seeds=4))


def _written(folder: Path, sweep: list[Recorded]) -> SweepRecord:
    uri = new_store(folder)
    run_id = write_sweep(uri, folder / "artifacts", "l2", ["l2"], sweep)
    return load_sweep(open_store(uri), None, run_id)


def _at(one: Recorded, curve: str, value: float) -> Recorded:
    """The trial with that value of a curve for every seed and epoch."""
    return replace(one, curves={**one.curves, curve: np.full_like(one.curves[curve], value)})


def test_both_are_there_with_the_paired_difference_and_what_the_interval_is_over(
    tmp_path: Path,
) -> None:
    record = _record(tmp_path)
    baseline, first, second = record.configurations
    finals = [record.final(each, "held_out/accuracy") for each in record.configurations]
    text = held_out_reading(record, [second, baseline, second])
    means = [100 * each.mean() for each in finals]
    assert text.startswith(
        "On the 30 rows that no model of this sweep was trained on the baseline "
        f"{baseline.name} has {means[0]:.2f} % ["
    )
    assert f", {second.name} has {means[2]:.2f} % [" in text
    assert first.name not in text
    assert text.count(f"{second.name} has") == 1
    # Student's t with 3 degrees of freedom at 1 - 0.05 / 4: both differences at once.
    each = 100 * (finals[2] - finals[0])
    half = 4.176535 * each.std(ddof=1) / 2
    assert (
        f"{each.mean():+.2f} points [{each.mean() - half:+.2f}, {each.mean() + half:+.2f}]" in text
    )
    assert "minus the baseline, 95 % t intervals for all 2 at once" in text
    assert text.endswith("Intervals are over seeds: of other rows they say nothing.")
    assert f" {held_out_reading(record, [first, second])}" in on_fresh_seeds(record)


def test_choosing_says_it_of_what_both_ways_chose(tmp_path: Path) -> None:
    plain = made_up_sweep(["l2"], POINTS, folds=3)
    sweep = [plain[0], _at(plain[1], "test/accuracy", 1), _at(plain[2], "cv/accuracy", 1)]
    record = _written(tmp_path, sweep)
    choices = choose(scores_of(record))
    by_test, by_cv = record.configurations[1:]
    assert (choices.by_test.place, choices.by_cv.place) == (1, 2)
    lines = sentences(record, choices, None)
    assert lines[-1] == held_out_reading(record, [by_cv, by_test])
    assert f"{by_test.name} has" in lines[-1]
    assert f"{by_cv.name} has" in lines[-1]


def test_without_such_rows_nothing_is_said(tmp_path: Path) -> None:
    record = _written(tmp_path, made_up_sweep(["l2"], [{"l2": 0.0}, {"l2": 0.1}], folds=3))
    assert held_out_reading(record, record.configurations) == ""
    lines = sentences(record, choose(scores_of(record)), None)
    assert "trained on" not in lines[-1]


def test_models_that_diverged_are_said_to_have(tmp_path: Path) -> None:
    plain = made_up_sweep(["l2"], POINTS)
    record = _written(tmp_path, [plain[0], *(diverging(each, 0, 3) for each in plain[1:])])
    text = held_out_reading(record, record.configurations[1:])
    assert f"{record.configurations[1].name} has models that diverged" in text
    assert "nan" not in text.lower()


def test_an_export_has_the_numbers_and_says_what_they_are(tmp_path: Path) -> None:
    record = _record(tmp_path)
    table = trial_table(record)
    finals = [record.final(each, "held_out/accuracy").mean() for each in record.configurations]
    assert table["held_out_accuracy"].to_numpy() == pytest.approx(finals)
    assert table["hold_out"].tolist() == [0.2] * 3
    text = " ".join(readme(record).split())
    assert "on the 30 rows of the data that no model of this sweep was trained or tested on" in text
