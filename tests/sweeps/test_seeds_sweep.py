"""The best of a recorded sweep on fresh seeds, for real, and the runs that it cannot start from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from support.record import Record, read_record
from support.scripts import ROOT, run_script
from sweeps.record.source_sweep import NotASource, read_source
from sweeps.record.store.opening import open_store
from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import SOURCES
from trainables.result import CURVES
from trainables.train_pack import Model, train_pack
from trainables.trial import Trial

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

FLAGS = ("--top", "2", "--seeds", "4", "--by-source", "--log-seeds", "--pack", "3")


@pytest.fixture(scope="module")
def source(l2_record: Record, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The small sweep of λ in a store of its own."""
    folder = tmp_path_factory.mktemp("source")
    shutil.copy(l2_record.folder / "mlflow.db", folder)
    return read_record(folder)


@pytest.fixture(scope="module")
def record(source: Record, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The two best of it, and its baseline, on four fresh seeds, with each source exchanged."""
    folder = tmp_path_factory.mktemp("seeds")
    shutil.copy(source.folder / "mlflow.db", folder)
    run_id = source.parent.info.run_id
    done = run_script("sweeps/seeds.py", "--from", run_id, *FLAGS, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return read_record(folder)


def _trials(record: Record) -> list[Trial]:
    return [Trial.from_dict(each) for each in record.manifest["trials"]]


def test_the_sweep_knows_where_its_configurations_come_from(record: Record, source: Record) -> None:
    run_id = source.parent.info.run_id
    assert record.parent.data.tags["from"] == run_id
    assert record.parent.data.tags["sweep.name"] == record.manifest["name"] == "seeds"
    assert record.manifest["options"]["from_run"] == run_id
    assert record.manifest["baseline"] == source.manifest["baseline"]
    ranked = sorted(source.trials, key=lambda run: -run.data.metrics["final/test_accuracy"])
    own = [trial for trial in _trials(record) if not trial.exchanged]
    assert own[0].key == source.manifest["baseline"]
    assert {ranked[0].data.tags["trial.key"]} <= {trial.key for trial in own}
    assert 2 <= len(own) <= 3
    used = set(source.manifest["trials"][0]["seeds"])
    assert all(trial.seeds == (3, 4, 5, 6) and not used & set(trial.seeds) for trial in own)


def test_every_run_says_which_source_is_exchanged(record: Record) -> None:
    trials = {trial.key: trial for trial in _trials(record)}
    assert (
        len(record.trials) == len(trials) == 5 * len({t.hyperparameters for t in _trials(record)})
    )
    assert len(record.seeds) == 4 * len(trials)
    for run in (*record.trials, *record.seeds):
        trial = trials[run.data.tags["trial.key"]]
        assert run.data.params.get("exchanged", "") == trial.exchanged
        said = run.data.params.get("vary", " ".join(SOURCES)).split()
        assert tuple(said) == trial.vary
        assert trial.name in run.info.run_name


def test_recorded_models_are_those_of_their_four_seeds_to_the_last_bit(record: Record) -> None:
    curves = record.table("curves").set_index(["trial_key", "seed"])
    following = {3: 4, 4: 5, 5: 6, 6: 3}
    for trial in _trials(record)[-4:]:
        seeds = [Seed.of(a)._replace(**{trial.exchanged: b}) for a, b in following.items()]
        models = [Model(trial.hyperparameters, seed) for seed in seeds]
        again = train_pack(models, data.load("iris"))
        for number, seed in enumerate(following):
            found = curves.loc[[(trial.key, seed)]]
            for name in CURVES:
                assert np.array_equal(found[name], again.curves[name][number])


def test_the_table_has_all_configurations_and_the_lines_lead_to_the_analysis(
    record: Record,
) -> None:
    text = (record.folder / "stdout.txt").read_text()
    own = [trial.name for trial in _trials(record) if not trial.exchanged]
    for name in own:
        assert re.search(rf"{re.escape(name)} .* % \[", text)
    assert "next=" not in text
    assert re.search(rf"baseline .*{re.escape(own[0])}", text)
    assert f"python {ROOT}/analysis/robustness.py" in text
    best = [run for run in record.trials if run.data.tags["config"] in own]
    accuracy = max(run.data.metrics["final/test_accuracy"] for run in best)
    assert record.parent.data.metrics["best/test_accuracy"] == pytest.approx(accuracy, abs=1e-5)


def test_the_uis_view_shows_the_configurations_alone(record: Record) -> None:
    own = [trial.key for trial in _trials(record) if not trial.exchanged]
    search = f"tags.sweep = '{record.parent.info.run_name}' AND tags.kind = 'trial'"
    found = record.client.search_runs(
        [record.parent.info.experiment_id], f"{search} AND params.exchanged IS NULL"
    )
    assert sorted(run.data.tags["trial.key"] for run in found) == sorted(own)
    page = record.artifact("chart.html").read_text(encoding="utf-8")
    assert not any(trial.name in page for trial in _trials(record) if trial.exchanged)


def test_a_trial_with_an_exchanged_source_is_reproduced(record: Record) -> None:
    run = next(each for each in record.trials if each.data.params.get("exchanged") == "order")
    done = run_script("sweeps/reproduce.py", run.info.run_id, cwd=record.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equal to the last bit" in done.stdout


def test_a_complete_one_is_not_trained_again_and_other_flags_are_named(
    record: Record, source: Record
) -> None:
    run_id = source.parent.info.run_id
    done = run_script(
        "sweeps/seeds.py",
        "--resume",
        record.parent.info.run_id,
        "--from",
        run_id[:8],
        cwd=record.folder,
    )
    assert done.returncode == 0, done.stderr
    assert "the sweep is complete" in done.stdout
    flags = ("--resume", record.parent.info.run_id, "--seeds", "5", "--from", "0" * 32)
    done = run_script("sweeps/seeds.py", *flags, cwd=record.folder)
    assert done.returncode == 7
    (line,) = done.stderr.splitlines()
    assert "--seeds 5 (it has 4)" in line
    assert f"--from {'0' * 32} (it has {run_id})" in line


def test_only_a_finished_sweep_is_a_source(source: Record) -> None:
    client = open_store(f"sqlite:///{source.folder}/mlflow.db")
    parent = source.parent.info
    found = read_source(client, parent.run_id)
    assert found.promised.run_name == parent.run_name
    assert len(found.summaries) == 6
    for run_id, text in (
        (source.trials[0].info.run_id, f"is a trial of {parent.run_name}: give that sweep's, "),
        (source.seeds[0].info.run_id, f"is a seed of {parent.run_name}: give that sweep's, "),
        ("0" * 32, "is no run in sqlite:///"),
    ):
        with pytest.raises(NotASource, match=re.escape(f"{run_id} {text}")) as caught:
            read_source(client, run_id)
        assert (parent.run_id in str(caught.value)) == ("that sweep's" in text)
    stray = client.create_run(parent.experiment_id).info.run_id
    with pytest.raises(NotASource, match="is not a run of a sweep"):
        read_source(client, stray)
    client.set_terminated(parent.run_id, "KILLED")
    with pytest.raises(NotASource, match=r"is KILLED: complete it with .*l2\.py --resume"):
        read_source(client, parent.run_id)
    client.set_terminated(parent.run_id, "FINISHED")
    client.delete_run(parent.run_id)
    with pytest.raises(NotASource, match="is deleted: restore it"):
        read_source(client, parent.run_id)
    client.restore_run(parent.run_id)


def test_a_source_that_is_not_there_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run_script("sweeps/seeds.py", "--from", "0" * 32, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: --from needs a recorded sweep, there is no ")
    assert list(tmp_path.iterdir()) == []
