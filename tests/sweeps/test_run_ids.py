"""Ids as they are printed are taken by every command of `sweeps/`, and by its Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.kept_store import KEPT, unpack
from support.record import Record
from support.warm_scripts import run_warm
from sweeps import SweepError, load_sweep
from sweeps.plan.checks import shared_problems
from sweeps.plan.options import Options
from sweeps.plan.seeds_options import SeedsOptions, check_seeds
from sweeps.record.source_sweep import NotASource, read_source
from sweeps.record.store.recorded_sweep import CannotResume, find_sweep

NAME = "l2-20261130-123456-ab12"


@pytest.mark.parametrize("text", ["1a2b", "0" * 32, NAME, f"my-own sweep-{NAME}"])
def test_what_a_sweep_may_be_called_passes_before_any_store_is_opened(text: str) -> None:
    assert shared_problems(Options(resume=text), {}) == []
    assert check_seeds(SeedsOptions(from_run=text), {"from_run"}).wrong == []


@pytest.mark.parametrize(
    "text", ["", "1a2", "xyz", "1A2B", "0" * 33, "l2", f"{NAME}5", f"{NAME} 1"]
)
def test_what_none_can_be_called_is_refused_at_once(text: str) -> None:
    needed = "needs the run id of a sweep, its first 4 digits or more, or the sweep's name"
    (line,) = shared_problems(Options(resume=text), {})
    assert line.startswith(f"--resume {needed}, or nothing, got ")
    (line,) = check_seeds(SeedsOptions(from_run=text), {"from_run"}).wrong
    assert line.startswith(f"--from {needed}, got ")


@pytest.mark.slow
@pytest.mark.sweep
def test_a_sweep_is_resumed_taken_from_and_loaded_by_what_is_printed_of_it(
    l2_record: Record,
) -> None:
    run = l2_record.parent
    run_id, name = run.info.run_id, run.info.run_name
    for text in (run_id[:6], name):
        found, others = find_sweep(l2_record.client, "l2", text, False, None)
        assert (found.info.run_id, others) == (run_id, [])
        assert read_source(l2_record.client, text).run_id == run_id
        assert load_sweep(text, f"sqlite:///{l2_record.folder}/mlflow.db").run_id == run_id
    done = run_warm("sweeps/l2.py", "--resume", name, cwd=l2_record.folder)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())  # lines end where a terminal's do
    assert f"{name} (run {run_id}): 6 of 6 trials are recorded" in said


@pytest.mark.slow
@pytest.mark.sweep
def test_the_digits_of_a_table_are_enough_to_train_a_trial_again(l2_record: Record) -> None:
    run = l2_record.trials[0]
    folder = l2_record.folder
    table = run_warm("analysis/l2.py", "--no-upload", "--out", "table", cwd=folder).stdout
    (row,) = [line for line in table.splitlines() if line.endswith(run.info.run_id[:8])]
    done = run_warm("sweeps/reproduce.py", row.split()[-1], cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"training {run.data.tags['config']} of " in done.stdout


@pytest.mark.sweep
def test_what_is_none_gets_the_nearest(l2_record: Record) -> None:
    name = l2_record.parent.info.run_name
    wrong = name.replace("l2-", "l1-")
    nearest = f"; the nearest is {l2_record.parent.info.run_id[:8]} ({name})"
    with pytest.raises(CannotResume) as refused:
        find_sweep(l2_record.client, "l2", wrong, False, None)
    assert f"{wrong} is no run in " in str(refused.value)
    assert str(refused.value).endswith(nearest)
    with pytest.raises(NotASource) as unknown:
        read_source(l2_record.client, wrong)
    assert str(unknown.value).endswith(nearest)
    with pytest.raises(SweepError, match="is no run in ") as missing:
        load_sweep(wrong, f"sqlite:///{l2_record.folder}/mlflow.db")
    assert str(missing.value).endswith(nearest)


@pytest.mark.slow
def test_kept_results_are_brought_in_by_what_is_printed_of_their_sweep(tmp_path: Path) -> None:
    store = unpack(tmp_path)
    run_id = store.sweeps[KEPT].info.run_id
    away = ("--tracking-uri", f"sqlite:///{tmp_path}/away/mlflow.db")
    for text in (KEPT, run_id, run_id[:5], f"unrecorded/{KEPT}"):
        done = run_warm("sweeps/upload.py", text, *away, cwd=tmp_path)
        assert done.returncode == 4, text  # it is known which, and the store is not there
    for text in ("1234", f"{KEPT}1", "elsewhere"):
        done = run_warm("sweeps/upload.py", text, *away, cwd=tmp_path)
        assert done.returncode == 2, text
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: needs a folder with kept results (unrecorded/{KEPT}, ")
        assert line.endswith(f"), got {text}")
