"""What an old version recorded is read, compared, drawn and exported, under the same keys."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.export import ExportOptions, main
from support.kept_store import (
    BY_SOURCE,
    FINISHED,
    FOLDS,
    KEPT,
    KILLED,
    LESSON,
    LOG_SEEDS,
    PLAIN,
    Store,
    unpack,
)
from support.scripts import run_script
from sweeps import l2
from sweeps.driver.resume import continued
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.errors import Refused
from sweeps.plan.options import Options, given, parse
from sweeps.record.messages import Found
from trainables.hyperparameters import Hyperparameters
from trainables.manifest import Manifest
from trainables.trial import Trial


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """For reading; analysis adds its figures."""
    return unpack(tmp_path_factory.mktemp("kept"))


def test_the_store_is_what_its_readme_says(store: Store) -> None:
    assert set(store.sweeps) == {*FINISHED, KILLED, KEPT}
    for name, run in store.sweeps.items():
        assert run.info.status == ("FINISHED" if name in FINISHED else "RUNNING")
        assert ("lock" in run.data.tags) == (name not in FINISHED)
        recorded = {each.data.tags["trial.key"] for each in store.runs(name)}
        assert len(recorded) == (len(store.promised(name)) if name in FINISHED else 1)
        assert store.manifest(name)["commit"].startswith("fa20c26")
        assert not store.manifest(name)["dirty"]
    assert len(store.runs(LOG_SEEDS, "seed")) == 3 * 2
    kept = {path.suffix for path in (store.folder / "unrecorded" / KEPT).iterdir()}
    assert kept == {".promise", ".results"}


@pytest.mark.parametrize("sweep", [*FINISHED, KILLED, KEPT])
def test_keys_are_those_that_todays_code_gives_the_same_hyperparameters(
    store: Store, sweep: str
) -> None:
    for one in store.promised(sweep):
        values = one["hyperparameters"]
        _has_key(one, values | {"hidden": tuple(values["hidden"])})
        assert Trial.from_dict(one).key == one["key"]
    promised = {one["key"]: one for one in store.promised(sweep)}
    for run in [*store.runs(sweep), *store.runs(sweep, "seed")]:
        _has_key(promised[run.data.tags["trial.key"]], _from_params(run.data.params))


def test_a_sweep_from_before_there_was_a_choice_goes_on_with_its_split(store: Store) -> None:
    """Its models have a stratified one, whatever is usual today."""
    manifest = Manifest.from_json((store.artifacts(KILLED) / "sweep.json").read_bytes())
    assert {trial.hyperparameters.split for trial in manifest.trials} == {"stratified"}

    def options(*flags: str) -> Options:
        command = DeclaredSweep(l2.SWEEP, parse(l2.SWEEP, "", flags), given(flags))
        return continued(command, Found("a" * 32, manifest))

    for flags in ((), ("--split", "stratified")):
        assert options(*flags).split == "stratified"
    with pytest.raises(Refused, match=r"than --split random \(it has stratified\)") as refused:
        options("--split", "random")
    assert refused.value.exit_code == 7


def _has_key(one: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """The values, and defaults for all that the record knows nothing of, give the trial's key."""
    hyperparameters = Hyperparameters(**values)
    if "vary" not in one:
        assert hyperparameters.key() == one["key"], one["name"]
    more = {name: one[name] for name in ("others", "folds") if name in one}
    if "vary" in one:
        more["vary"] = tuple(one["vary"])
    assert Trial(one["name"], hyperparameters, tuple(one["seeds"]), **more).key == one["key"]


def _from_params(params: Mapping[str, str]) -> dict[str, Any]:
    """A run's hyperparameters, as values."""
    names = {field.name for field in fields(Hyperparameters)} & set(params)
    values = {name: ast.literal_eval(params[name]) for name in names - {"dataset", "hidden"}}
    hidden = tuple(map(int, params["hidden"].split()))
    return {**values, "dataset": params["dataset"], "hidden": hidden}


def _slow(*values: str) -> object:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("sweep", [FINISHED[0], *map(_slow, FINISHED[1:])])
def test_every_number_is_exported(store: Store, sweep: str, tmp_path: Path) -> None:
    """The figures are those of the sweep's own script."""
    run_id, out = store.sweeps[sweep].info.run_id, tmp_path / "out"
    assert main(ExportOptions(sweep=run_id, tracking_uri=store.uri, out=out)) == 0
    trials = pd.read_csv(out / "trials.csv")
    assert list(trials["trial_key"]) == [one["key"] for one in store.promised(sweep)]
    recorded = {run.info.run_id: run.data.metrics for run in store.runs(sweep)}
    for row in trials.to_dict("records"):
        for name in ("test_accuracy", "test_loss", "train_accuracy", "weight_norm"):
            final = recorded[row["run_id"]].get(f"final/{name}", np.nan)
            assert row[name] == pytest.approx(final, rel=1e-5, nan_ok=True)
    exported, parts = pd.read_parquet(out / "curves.parquet"), store.artifacts(sweep) / "curves"
    curves = pd.concat(map(pd.read_parquet, sorted(parts.glob("*.parquet"))))
    assert set(curves) <= set(exported)
    pd.testing.assert_frame_equal(
        _sorted(exported[list(curves)]), _sorted(curves), check_exact=True, check_dtype=False
    )
    assert list((out / "figures").glob("*.png"))


def _sorted(curves: pd.DataFrame) -> pd.DataFrame:
    texts = curves.astype({"trial_key": str, "config": str})
    return texts.sort_values(["trial_key", "seed", "epoch"], ignore_index=True)


def test_what_a_killed_sweep_recorded_is_exported_when_that_is_asked_for(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = store.sweeps[KILLED].info.run_id
    options = {"sweep": run_id, "tracking_uri": store.uri, "out": tmp_path / "out"}
    assert main(ExportOptions(**options)) == 3
    assert f"python sweeps/l2.py --resume {run_id}" in capsys.readouterr().err
    assert main(ExportOptions(**options, allow_partial=True)) == 0
    assert "5 of 6 trials missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "sweep"), [("l2", PLAIN), _slow("choosing", FOLDS), _slow("robustness", BY_SOURCE)]
)
def test_scripts_find_and_draw_the_newest_finished_sweep(
    store: Store, script: str, sweep: str, tmp_path: Path
) -> None:
    flags = ("--tracking-uri", store.uri, "--out", "drawn")
    done = run_script(f"analysis/{script}.py", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sweep in done.stdout
    drawn = {path.name for path in (tmp_path / "drawn").iterdir()}
    assert {Path(name).suffix for name in drawn} == {".png", ".svg", ".csv"}
    assert drawn <= {path.name for path in (store.artifacts(sweep) / "figures").iterdir()}


@pytest.mark.slow
def test_sweeps_are_compared(store: Store, tmp_path: Path) -> None:
    ids = [store.sweeps[name].info.run_id for name in (PLAIN, FOLDS)]
    flags = ("--tracking-uri", store.uri, "--no-upload", "--out", "drawn")
    done = run_script("analysis/compare.py", *ids, *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "drawn").glob("*.png"))


@pytest.mark.slow
def test_the_report_judges_what_there_is(store: Store, tmp_path: Path) -> None:
    flags = ("--tracking-uri", store.uri, "--out", "drawn", "--allow-partial")
    done = run_script("analysis/report.py", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "drawn" / "report.html").read_text()
    assert LESSON in page
    assert store.sweeps[LESSON].info.run_id in page


def test_its_best_can_be_tried_on_fresh_seeds(store: Store) -> None:
    flags = ("--from", store.sweeps[FOLDS].info.run_id, "--top", "1", "--dry-run")
    done = run_script("sweeps/seeds.py", *flags, cwd=store.folder)
    assert done.returncode == 0, done.stderr
    best = max(store.runs(FOLDS), key=lambda run: run.data.metrics["final/cv_accuracy"])
    assert best.info.run_name in done.stdout
