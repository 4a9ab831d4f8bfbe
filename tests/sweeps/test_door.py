"""Sweeps from Python: `sweeps.run`, `sweeps.load_sweep`, and what a process keeps between calls."""

from __future__ import annotations

import json
import pickle
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweeps
from support.everything import Everything
from support.invariants import check_invariants
from support.record import Record, read_record
from support.sweep_process import started, trials_recorded
from sweeps.l2 import SWEEP
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import parse

pytestmark = [pytest.mark.sweep, pytest.mark.slow]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a process that ran several sweeps and has ended."""
    folder = tmp_path_factory.mktemp("door")
    with started("tests/support/door_session.py", cwd=folder) as process:
        assert process.wait() == 0, process.stderr
        assert "Traceback" not in process.stderr
        assert process.living_after_the_end() == []
        assert process.temporary_files() == []
    return folder


@pytest.fixture(scope="module")
def facts(session: Path) -> Mapping[str, Any]:
    """What that process saw."""
    found: Mapping[str, Any] = pickle.loads((session / "facts.pickle").read_bytes())
    return found


def test_everything_public_can_be_imported_by_its_name() -> None:
    assert {name for name in sweeps.__all__ if getattr(sweeps, name).__name__ != name} == set()
    with pytest.raises(AttributeError, match="has no attribute 'walk'"):
        _ = sweeps.walk


def test_a_sweep_from_python_records_what_the_command_records(
    session: Path, facts: Mapping[str, Any], l2_record: Record
) -> None:
    run_id, uri = facts["first"]
    assert uri == f"sqlite:///{session}/mlflow.db"
    record = read_record(session)
    parent = record.client.get_run(run_id)
    trials = _trials_of(record, run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.params == l2_record.parent.data.params
    assert {name: _numbers(run) for name, run in trials.items()} == {
        run.info.run_name: _numbers(run) for run in l2_record.trials
    }
    commanded = l2_record.table("curves").rename_axis(None)
    names = [name for name in facts["curves"] if name in commanded]
    ours = facts["curves"][names].astype({"config": str, "trial_key": str})
    ours = ours.sort_values(["config", "seed", "epoch"], ignore_index=True)
    pd.testing.assert_frame_equal(ours, commanded[names], check_dtype=False)


def test_the_record_says_how_it_was_called(session: Path) -> None:
    record = read_record(session)
    commands = {
        run.data.tags["mlflow.note.content"].split("Command: ")[1]
        for run in record.client.search_runs(
            [record.parent.info.experiment_id], "tags.kind='sweep'"
        )
    }
    assert (
        "`sweeps.run(l2, num_samples=6, seeds=3, epochs=40, log_seeds=True, confirm=0)`" in commands
    )


def test_the_script_runs_in_its_own_process_alone(session: Path, facts: Mapping[str, Any]) -> None:
    # A recorder or worker that imported it would begin the sweeps once more.
    assert (session / "imported.txt").read_text().split() == [str(facts["imported"])]


def test_a_second_sweep_trains_in_workers_that_stood_ready(facts: Mapping[str, Any]) -> None:
    assert facts["trained"]
    assert facts["trained"] <= facts["ready"]
    assert len(facts["recorders"]) == 1


def test_the_result_has_tables_answers_and_figures(facts: Mapping[str, Any]) -> None:
    trials, curves = facts["trials"], facts["curves"]
    assert len(trials) == 6
    assert len(curves) == 6 * 3 * 40
    assert {"config", "run_id", "l2", "final/test_accuracy"} <= set(trials)
    for name in ("final/train_loss", "final/weight_norm_0"):  # the runs hold no spread of these
        spread = trials[[f"{name}_std", f"{name}_ci_low", f"{name}_ci_high"]].to_numpy()
        assert np.isfinite(spread).all()
        assert (spread[:, 1] <= trials[name]).all()
        assert (trials[name] <= spread[:, 2]).all()
    assert facts["baseline"].trial.hyperparameters.l2 == 0
    assert facts["best"].test.mean == pytest.approx(trials["final/test_accuracy"].max(), rel=1e-5)
    assert facts["best"].run_id in set(trials["run_id"])
    assert facts["failures"] == {}
    about_weights = ("weights", "paths", "confusion", "boundaries")
    figures = [f"l2_{name}" for name in ("accuracy_by_epoch", "accuracy", *about_weights)]
    assert facts["figures"] == figures
    assert facts["shown"].count('src="data:image/png;base64,') == len(figures)
    assert "l2_accuracy.svg" in facts["saved"]


def test_the_best_is_the_one_that_the_sweep_itself_names(
    session: Path, facts: Mapping[str, Any]
) -> None:
    metrics = read_record(session).client.get_run(facts["first"][0]).data.metrics
    assert metrics["best/l2"] == facts["best"].trial.hyperparameters.l2


def test_a_sweep_loaded_from_its_record_is_the_same(facts: Mapping[str, Any]) -> None:
    assert facts["equal"]


def test_mistakes_are_one_exception_with_the_lines_of_the_command(
    facts: Mapping[str, Any],
) -> None:
    kind, text, code = facts["mistakes"]
    assert issubclass(kind, sweeps.SweepError)
    assert code == 2
    options = parse(SWEEP, "", ["--seeds", "0", "--l2", "0.5"])
    assert sorted(text.splitlines()) == sorted(
        [
            "there is no option num_sample: did you mean num_samples?",
            "--search needs one of qmc, grid, random, got x",
            "--quiet needs True or False, got 1",
            "--tracking-uri needs text, got 7",
            *DeclaredSweep(SWEEP, options).problems(),
        ]
    )


def test_what_cannot_be_done_is_an_exception_with_the_code_of_the_command(
    facts: Mapping[str, Any],
) -> None:
    for what, code, words in (
        ("no store", 4, "/nowhere does not exist"),
        ("no run", 2, "is no run in"),
        ("other address", 5, "call ray.shutdown() before"),
    ):
        kind, text, found = facts[what]
        assert issubclass(kind, sweeps.SweepError)
        assert (found, words in text, "\n" in text) == (code, True, False), text


def test_a_sweep_runs_in_a_thread_with_a_loop_and_in_another_store(
    session: Path, facts: Mapping[str, Any]
) -> None:
    client = sweeps.load_sweep(facts["other"], f"sqlite:///{session}/other.db")
    assert len(client.trials) == 3


def test_ray_of_the_user_is_used_and_left_as_it_was(facts: Mapping[str, Any]) -> None:
    assert facts["their Ray stays"]
    assert facts["their Ray is free"]
    assert facts["Tune's settings"] == []
    assert facts["their session"]
    assert facts["own session"] == [True, False], "of the one that was started here nothing stays"


def test_an_interrupted_sweep_is_completed_by_the_same_process(
    tmp_path: Path, paced: Everything
) -> None:
    with started("tests/support/door_interrupted.py", cwd=tmp_path) as process:
        process.wait_until(lambda: trials_recorded(tmp_path) >= 2, "two trials were recorded")
        process.signal(signal.SIGINT)
        assert process.wait() == 0, process.stderr
        check_invariants(tmp_path, process=process, reference=paced)
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert {"Interrupted", "SweepError", "KeyboardInterrupt"} <= set(facts["kinds"])
    assert facts["code"] == 130
    assert facts["completed"] == facts["run_id"]
    assert "stopped by SIGINT" in facts["text"]
    assert f'complete it with:  run(l2, resume="{facts["run_id"]}")' in facts["text"]


def _trials_of(record: Record, run_id: str) -> dict[str, Any]:
    """The runs of the sweep's trials, by name."""
    of_sweep = f"tags.kind = 'trial' and tags.`mlflow.parentRunId` = '{run_id}'"
    found = record.client.search_runs([record.parent.info.experiment_id], of_sweep)
    return {run.info.run_name: run for run in found}


def _numbers(run: Any) -> dict[str, float]:
    """A run's metrics, but for times."""
    return {k: v for k, v in run.data.metrics.items() if not k.startswith("time")}
