"""`sweeps/lesson.py`: what it would run, how it stops and goes on, and how it fails."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims_of_lesson.lesson_sweeps import SETTINGS, settings_with
from analysis.helping.helping_sweeps import STOPS, fits
from support.record import read_record
from support.scripts import ROOT, run_script
from support.sweep_process import read_only, started
from sweeps.helping_parts import HELPING_PARTS
from sweeps.lesson import LessonOptions, problems
from sweeps.lesson_parts import PARTS, LessonPart, parts_with, planned
from sweeps.plan.new_manifest import make_manifest
from trainables.manifest import Manifest

ONE = ("--only", "batch_size", "--seeds", "2")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.role)
def test_each_sweep_is_what_the_claims_look_for_in_its_role(part: LessonPart) -> None:
    manifest = make_manifest(*planned(part, [*part.flags, "--seeds", "2"]))
    read = Manifest.from_json(manifest.to_json())
    assert [role for role, setting in SETTINGS.items() if setting.fits(read)] == [part.role]


def test_its_studies_of_penalties_are_judged_by_what_they_come_to_in_the_end() -> None:
    parts = [part for part in PARTS if part.role in ("small-l2", "strong-l1", "init")]
    for part in parts:
        manifest = make_manifest(*planned(part, [*part.flags, "--seeds", "2"]))
        assert (manifest.epochs, manifest.summary_epochs) == (1000, range(900, 1000))
    assert len(parts) == 3


def test_every_role_is_recorded() -> None:
    assert [part.role for part in PARTS] == list(SETTINGS)


def test_with_another_network_the_same_sweeps_are_run_and_looked_for() -> None:
    settings = settings_with((12, 12))
    parts = parts_with((12, 12))
    assert [part.role for part in parts] == list(settings)
    # That one compares the lesson's network with a larger one.
    assert set(SETTINGS) - set(settings) == {"large"}
    for part in parts:
        manifest = make_manifest(*planned(part, [*part.flags, "--seeds", "2"]))
        read = Manifest.from_json(manifest.to_json())
        assert [role for role, each in settings.items() if each.fits(read)] == [part.role]
        assert [role for role, each in SETTINGS.items() if each.fits(read)] == []


def _promised(part: LessonPart) -> Manifest:
    manifest = make_manifest(*planned(part, [*part.flags, "--seeds", "4"]))
    return Manifest.from_json(manifest.to_json())


@pytest.mark.parametrize("part", HELPING_PARTS[::2], ids=lambda part: part.role)
def test_each_sweep_of_where_it_helps_is_what_that_analysis_looks_for(part: LessonPart) -> None:
    read = _promised(part)
    assert fits(read)
    assert part.role == f"helps-{read.dataset['name']}"
    assert not any(setting.fits(read) for setting in SETTINGS.values())


@pytest.mark.parametrize("place", range(0, len(HELPING_PARTS), 2))
def test_early_stopping_has_folds_of_the_same_networks(place: int) -> None:
    (bare, folds) = map(_promised, HELPING_PARTS[place : place + 2])
    name = folds.dataset["name"]
    assert HELPING_PARTS[place + 1].role == STOPS.format(name)
    assert (folds.folds, len(folds.trials)) == (5, 1)
    assert not fits(folds)
    assert replace(folds.trials[0], name="", folds=0) == replace(bare.baseline_trial, name="")
    for one in (folds, bare):
        assert one.dataset["digest"] == bare.dataset["digest"]
        assert one.summary_epochs == bare.summary_epochs


def test_where_it_helps_has_sweeps_of_its_own(tmp_path: Path) -> None:
    flags = ("--where-it-helps", "--dry-run", "--only", "helps-moons")
    done = run_script("sweeps/lesson.py", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "seeds.py --dataset moons --standardize --one-at-a-time --dropout 0 0.1" in done.stdout
    (line,) = problems(LessonOptions(where_it_helps=True, only=("l2",)))
    assert "helps-iris" in line


def test_a_dry_run_lists_the_commands_and_leaves_nothing(tmp_path: Path) -> None:
    done = run_script("sweeps/lesson.py", "--dry-run", "--seeds", "7", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    commands = [line for line in done.stdout.splitlines() if line.startswith("  python ")]
    assert len(commands) == len(PARTS)
    for part, command in zip(PARTS, commands, strict=True):
        assert f"python {ROOT}/sweeps/{part.script}.py {' '.join(part.flags)}".rstrip() in command
        assert command.endswith(" --seeds 7")
    assert list(tmp_path.iterdir()) == []


def test_its_commands_have_the_seeds_and_the_network_that_were_asked_for(tmp_path: Path) -> None:
    flags = ("--first-seed", "5000", "--hidden", "12", "12")
    done = run_script("sweeps/lesson.py", "--dry-run", "--seeds", "3", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    commands = [line for line in done.stdout.splitlines() if line.startswith("  python ")]
    assert len(commands) == len(PARTS) - 1
    for command in commands:
        assert command.endswith(" --hidden 12 12 --seeds 3 --first-seed 5000")


def test_a_role_that_is_misspelt_is_named() -> None:
    (line,) = problems(LessonOptions(only=("l2", "batchsize")))
    assert line.endswith(", got batchsize: did you mean batch_size?")


def test_it_begins_with_an_estimate_that_grows_with_what_is_asked(tmp_path: Path) -> None:
    def minutes(*flags: str) -> float:
        done = run_script("sweeps/lesson.py", "--dry-run", *flags, cwd=tmp_path)
        found = re.match(r"an estimate: about ([\d.]+) minutes for (\d+) sweeps", done.stdout)
        assert found, done.stdout
        assert int(found[2]) == (1 if "--only" in flags else len(PARTS))
        return float(found[1])

    all_of_it = minutes()
    assert 0 < minutes("--only", "l2") < all_of_it / 2
    assert minutes("--seeds", "300") > 3 * all_of_it


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--seeds", "0"), "--seeds needs a whole number from 1 to 100000, got 0"),
        (("--seeds", "many"), "--seeds needs a whole number from 1 to 100000, got many"),
        (("--first-seed", "-1"), "--first-seed needs a whole number from 0 to "),
        (("--hidden", "0"), "--hidden needs "),
        (("--only", "l3"), "--only needs some of dropout-stratified, dropout, l2, "),
    ],
)
def test_bad_options_are_refused_before_anything_starts(
    flags: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = run_script("sweeps/lesson.py", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {said}")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_sweep_that_fails_ends_it_with_its_exit_code(tmp_path: Path) -> None:
    nowhere = f"sqlite:///{tmp_path}/none/mlflow.db"
    done = run_script("sweeps/lesson.py", "--tracking-uri", nowhere, cwd=tmp_path)
    assert done.returncode == 4
    *_, cause, last = done.stderr.splitlines()
    assert "does not exist or is read-only" in cause
    flags = f"--seeds 30 --tracking-uri {nowhere}"
    command = f"python {ROOT}/sweeps/dropout.py --confirm 0 --split stratified {flags}"
    assert f"{command} ended with exit" in last
    assert last.endswith(f"python {ROOT}/sweeps/lesson.py {flags}")
    assert f"[2/{len(PARTS)}]" not in done.stdout


@pytest.mark.slow
@pytest.mark.sweep
def test_interrupted_it_goes_on_and_does_nothing_twice(tmp_path: Path) -> None:
    with started("sweeps/lesson.py", *ONE, cwd=tmp_path) as process:
        process.wait_until(lambda: _sweep_status(tmp_path) == "RUNNING", "the sweep has begun")
        process.signal(signal.SIGINT)
        assert process.wait() == 130
        assert "Traceback" not in process.stderr
        last = process.messages[-1]
        assert process.living_after_the_end() == []
    assert last.endswith(f"Go on with:  python {ROOT}/sweeps/lesson.py --seeds 2 --only batch_size")
    assert _sweep_status(tmp_path) == "KILLED"
    run_id = read_record(tmp_path).parent.info.run_id

    again = run_script("sweeps/lesson.py", *ONE, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"python {ROOT}/sweeps/batch_size.py --resume {run_id}\n" in again.stdout
    assert "baseline" in again.stdout
    assert f"python {ROOT}/analysis/claims.py" in again.stdout
    record = read_record(tmp_path)
    assert (record.parent.info.run_id, record.parent.info.status) == (run_id, "FINISHED")
    assert len(record.trials) == 6

    third = run_script("sweeps/lesson.py", *ONE, cwd=tmp_path)
    assert third.returncode == 0, third.stderr
    assert f"recorded already: {record.parent.info.run_name}, run {run_id}" in third.stdout


def _sweep_status(folder: Path) -> str:
    """Of the one sweep in the folder's store; empty as long as there is none."""
    query = "SELECT status FROM runs JOIN tags USING (run_uuid) WHERE key = 'kind'"
    with suppress(sqlite3.Error), closing(read_only(folder / "mlflow.db")) as database:
        found = database.execute(f"{query} AND value = 'sweep'").fetchone()
        return str(found[0]) if found else ""
    return ""
