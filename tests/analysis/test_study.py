"""The numbers of a robustness study: pairs, corrections, sources, and who is compared at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.exporting.export_tables import seed_table, trial_table
from analysis.figures.by_sweep import accuracy_against_value
from analysis.figures.captions import notes, spread
from analysis.figures.comparison import compare
from analysis.plotting.panels import LinePanel
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import METRIC, by_source, seeds_for, study
from analysis.side_by_side.shared_configurations import pair
from analysis.side_by_side.sweep_labels import labels
from analysis.stats.seeds import paired_difference
from support.record_fixture import Faults
from support.seeds_record import EFFECTS, configuration, record_of, seeds_sweep, with_accuracy
from trainables.hyperparameters import SOURCES
from trainables.trial import Trial

POINTS = [{"l2": 0.0}, {"l2": 0.01}, {"l2": 0.1}]
LEVELS = (0.9, 0.8995, 0.85)
SEEDS = 150


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> SweepRecord:
    """Three configurations and, for each source, three trials that exchange it."""
    folder = tmp_path_factory.mktemp("seeds")
    return record_of(folder, seeds_sweep(POINTS, LEVELS, SEEDS, by_source=True))


def test_configurations_are_compared_in_pairs_and_corrected_for_their_number(
    record: SweepRecord,
) -> None:
    base, small, large = study(record)
    assert base.is_baseline
    assert base.paired is None
    assert base.p_holm is None
    for one in (small, large):
        expected = paired_difference(one.values, record.final(base.trial, METRIC))
        assert one.paired is not None
        assert one.paired.difference == expected
        assert one.paired.corrected.p is not None
        assert expected.p is not None
        assert one.paired.corrected.p > expected.p
    p_small, p_large = (one.paired.difference.p for one in (small, large) if one.paired)
    assert p_small is not None
    assert p_large is not None
    assert 0 < p_large < p_small
    assert large.p_holm == pytest.approx(2 * p_large, rel=1e-9, abs=0)
    assert small.p_holm == pytest.approx(max(p_small, 2 * p_large), rel=1e-9, abs=0)


def test_equal_records_give_equal_numbers(record: SweepRecord) -> None:
    for one, again in zip(study(record), study(record), strict=True):
        assert one[4:] == again[4:]
    assert by_source(record) == by_source(record)


def test_shares_of_the_sources_are_those_that_were_put_in(record: SweepRecord) -> None:
    shares = by_source(record)
    assert [one.trial for one in shares] == list(record.configurations)
    variance = {name: effect**2 for name, effect in EFFECTS.items()}
    for one in shares:
        assert [source.source for source in one.sources] == list(SOURCES)
        for source in one.sources[:3]:
            share = variance[source.source] / sum(variance.values())
            assert source.total == pytest.approx(share, abs=0.2)
            assert source.first_order == pytest.approx(share, abs=0.2)
        dropout = one.sources[3]
        assert dropout[1:7] == (0.0,) * 6
        assert dropout.remark == f"exactly 0: exchanging it changes none of {SEEDS} models"


def test_without_exchanged_trials_there_are_no_shares(tmp_path: Path) -> None:
    assert by_source(record_of(tmp_path, seeds_sweep(POINTS, LEVELS, 5))) == ()


def test_a_source_whose_trial_is_lacking_is_not_made_up(tmp_path: Path) -> None:
    sweep = seeds_sweep(POINTS[:2], LEVELS[:2], 20, by_source=True)
    lacking = Faults(unrecorded=["l2=0.010000 next=init"])
    whole, part = by_source(record_of(tmp_path, sweep, faults=lacking))
    assert [source.source for source in whole.sources] == list(SOURCES)
    assert [source.source for source in part.sources] == ["split", "order", "dropout"]


def test_exchanged_trials_are_no_configurations(record: SweepRecord) -> None:
    """Other analyses neither list them nor take one for its configuration."""
    three = [trial.key for trial in record.configurations]
    assert len(record.usable) == 15
    assert len(three) == 3
    assert [row.trial.key for row in compare(record)] == three
    assert [trial.key for trial in spread(record)] == three
    for panel in accuracy_against_value(record, "title").panels:
        assert isinstance(panel, LinePanel)
        assert all(len(series.points) == 3 for series in panel.series)
    shared = pair(record, record).shared
    assert [(one.first.key, one.other.key) for one in shared] == [(key, key) for key in three]
    assert all(one.test.mean == 0 for one in shared)


def test_an_export_has_exchanged_trials_and_says_which_they_are(record: SweepRecord) -> None:
    trials = trial_table(record)
    assert trials["exchanged"].tolist() == ["", "", "", *SOURCES * 3]
    assert (
        trials["test_accuracy_minus_baseline"].notna().tolist()
        == [False, True, True] + [False] * 12
    )
    assert (seed_table(record).groupby("exchanged").size() == 3 * SEEDS).all()


def test_sweeps_that_vary_other_sources_are_not_paired(tmp_path: Path) -> None:
    records = []
    for vary in (SOURCES, ("init",)):
        trials = [configuration(point, 4) for point in POINTS]
        trials = [Trial(one.name, one.hyperparameters, one.seeds, vary) for one in trials]
        rng = np.random.default_rng(0)
        sweep = [with_accuracy(one, rng.uniform(0.8, 0.9, 4)) for one in trials]
        (tmp_path / vary[0]).mkdir()
        records.append(record_of(tmp_path / vary[0], sweep))
    assert pair(records[0], records[0]).obstacle == ""
    obstacle = pair(*records).obstacle
    assert "split, init, order, dropout against init" in obstacle
    assert labels(records) == ("seeds, vary=split,init,order,dropout", "seeds, vary=init")
    texts = [" ".join(notes(one)) for one in records]
    assert "seeds differ in" not in texts[0]
    assert "seeds differ in init alone; split, order, dropout: the first seed's for all" in texts[1]
    # One split for all models says nothing about other rows.
    corrected = [one.paired.corrected for one in study(records[1]) if one.paired]
    assert all(one.low is None and one.remark for one in corrected)


def test_seeds_for_a_width_are_the_fewest() -> None:
    values = np.random.default_rng(1).normal(0.9, 0.03, 5000)
    n = seeds_for(values, 0.01)
    assert n is not None
    half = [2.0 * values.std(ddof=1) / count**0.5 for count in (n, n - 4)]
    assert half[0] < 0.0101 < half[1]
    assert seeds_for(np.full(9, 0.9), 0.01) is None
    assert seeds_for(np.array([0.9]), 0.01) is None
    assert seeds_for(values, 1e-9) is None
