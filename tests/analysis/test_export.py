"""A sweep as a folder: what its tables hold, that names stay data, and what is not overwritten."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from analysis.export import ExportOptions, main
from analysis.exporting.export_tables import trial_table
from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from support.record import Record
from support.record_fixture import (
    Faults,
    Recorded,
    diverging,
    made_up_sweep,
    new_store,
    write_sweep,
)
from support.warm_scripts import run_warm
from trainables.result import CURVES, interval

POINTS = [{"l2": value} for value in (0.0, 0.01, 0.02, 0.1)]
NAMES = ['=HYPERLINK("x")', "-2+3", "<img src=x onerror=alert(1)>", "l2=0.100000"]


@pytest.fixture(scope="module")
def sweep() -> list[Recorded]:
    found = made_up_sweep(["l2"], POINTS, names=NAMES)
    return [*found[:3], diverging(found[3], model=1, epoch=39)]


@pytest.fixture
def run_id(sweep: list[Recorded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, sweep)


@pytest.fixture(scope="module")
def exported(sweep: list[Recorded], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python analysis/export.py RUN_ID` leaves beside the store."""
    folder = tmp_path_factory.mktemp("exported")
    done = run_warm("analysis/export.py", write(folder, sweep, run_name="l2-a"), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "export-l2-a/README.txt" in done.stdout
    return folder / "export-l2-a"


def run(run_id: str, out: str | None = None, allow_partial: bool = False) -> int:
    """The script in this process and in the current folder."""
    where = None if out is None else Path(out)
    return main(ExportOptions(sweep=run_id, out=where, allow_partial=allow_partial))


def write(folder: Path, sweep: list[Recorded], **more: object) -> str:
    artifacts = folder / "artifacts"
    return write_sweep(new_store(folder), artifacts, "l2", ["l2"], sweep, **more)  # type: ignore[arg-type]


def texts(column: pd.Series) -> list[str]:
    """What README.txt says: take the first apostrophe away to have the text."""
    return list(column.str.replace("^'", "", regex=True))


def test_tables_hold_the_record_and_names_stay_data(sweep: list[Recorded], exported: Path) -> None:
    out = exported
    trials, seeds = pd.read_csv(out / "trials.csv"), pd.read_csv(out / "seeds.csv")
    assert texts(trials["config"]) == NAMES
    assert list(trials["config"])[:3] == [f"'{NAMES[0]}", f"'{NAMES[1]}", NAMES[2]]
    assert list(trials["l2"]) == [0.0, 0.01, 0.02, 0.1]
    assert list(trials["baseline"]) == [True, False, False, False]
    client = MlflowClient(f"sqlite:///{exported.parent}/mlflow.db")
    for key, run in zip(trials["trial_key"], trials["run_id"], strict=True):
        assert client.get_run(run).data.tags["trial.key"] == key
    differences = trials["test_accuracy_minus_baseline"]
    assert differences.dtype == trials["l2"].dtype == np.float64
    paired = interval(final(sweep[2]) - final(sweep[0]))
    assert differences[2] == pytest.approx(paired.mean)
    assert trials["test_accuracy_minus_baseline_ci_low"][2] == pytest.approx(paired.low)
    assert np.isnan(differences[0])

    assert len(seeds) == 4 * 3
    for one in sweep:
        mine = seeds[seeds["trial_key"] == one.trial.key]
        assert list(mine["seed"]) == [0, 1, 2]
        assert np.allclose(mine["test_accuracy"], final(one), equal_nan=True)
        norms = [np.sqrt((one.weights["0.weight"][i] ** 2).sum()) for i in range(3)]
        expected = np.where(mine["diverged"], np.nan, norms)
        assert np.allclose(mine["weight_norm_0"], expected, equal_nan=True)
        (row,) = trials[trials["trial_key"] == one.trial.key].to_dict("records")
        over = interval(final(one)[np.isfinite(final(one))])
        assert row["test_accuracy"] == pytest.approx(over.mean)
        assert row["test_accuracy_std"] == pytest.approx(over.std)
        assert row["test_accuracy_ci_high"] == pytest.approx(over.high)
    assert list(trials["diverged_seeds"]) == [0, 0, 0, 1]
    assert list(seeds["diverged"]) == [False] * 10 + [True, False]
    assert seeds["test_accuracy"].dtype == np.float64

    curves, packed = (
        pd.read_parquet(out / "curves.parquet"),
        pd.read_csv(out / "curves.csv.gz"),
    )
    assert len(curves) == len(packed) == 4 * 3 * 40
    assert list(curves["config"].unique()) == NAMES
    assert texts(packed["config"]) == list(curves["config"])
    for metric in CURVES:
        expected = np.concatenate([one.curves[metric].ravel() for one in sweep])
        assert np.array_equal(curves[metric], expected, equal_nan=True)
        assert packed[metric].dtype == np.float64
        assert np.array_equal(packed[metric].astype(np.float32), expected, equal_nan=True)
    weights = pd.read_parquet(out / "weights.parquet")
    assert list(weights["config"]) == [name for name in NAMES for _ in range(3)]
    assert np.array_equal(weights["1.bias"][5], sweep[1].weights["1.bias"][2])


def final(one: Recorded) -> np.ndarray:
    curve = one.curves["test/accuracy"].astype(np.float64)
    return np.where(np.isfinite(curve).all(axis=1), curve[:, 20:38].mean(axis=1), np.nan)


def test_folder_explains_itself(exported: Path) -> None:
    out = exported
    meta = json.loads((out / "meta.json").read_text())
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert set(meta["files"]) == files
    for name, digest in meta["files"].items():
        if name != "meta.json":
            assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    (manifest,) = out.parent.glob("artifacts/**/sweep.json")
    assert (out / "sweep.json").read_bytes() == manifest.read_bytes()
    assert {f"figures/l2_accuracy.{kind}" for kind in ("png", "svg", "csv")} < files
    text = (out / "README.txt").read_text()
    assert {name for name in files if "/" not in name and name != "README.txt"} <= set(
        re.findall(r"^(\S+)  ", text, re.M)
    )
    for table in ("trials.csv", "seeds.csv"):
        for column in pd.read_csv(out / table).columns:
            base = re.sub(r"(_std|_ci_low|_ci_high)$", "", re.sub(r"(_\d)(?=_|$)", "", column))
            assert re.search(rf"^[^:]*\b{base}\b[^:]*:", text, re.M), column


def test_code_in_the_readme_runs(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(exported)
    text = Path("README.txt").read_text()
    (block,) = re.findall(r"^Reading it.*\n-+\n((?:    .*\n)+)", text, re.M)
    lines = [line.strip() for line in block.splitlines()]
    assert len(lines) == 5
    names: dict[str, pd.DataFrame] = {}
    exec("\n".join(lines), names)
    assert len(names["trials"]) == 4
    assert len(names["curves"]) == 4 * 3 * 40
    assert "test_accuracy" in capsys.readouterr().out


@pytest.mark.slow
def test_real_sweep(l2_record: Record, tmp_path: Path) -> None:
    """Numbers are those that the sweep recorded, and seeds average to their trials."""
    uri = f"sqlite:///{l2_record.folder}/mlflow.db"
    flags = (l2_record.parent.info.run_id, "--tracking-uri", uri, "--out", "a/b")
    done = run_warm("analysis/export.py", *flags, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "a" / "b"
    trials = pd.read_csv(out / "trials.csv").set_index("trial_key")
    seeds = pd.read_csv(out / "seeds.csv")
    names = ["test_accuracy", "train_loss", "generalization_gap", "weight_norm", "sparsity_0"]
    means = seeds.groupby("trial_key")[names].mean()
    assert np.allclose(means.loc[trials.index], trials[names], rtol=1e-5, atol=1e-9)
    results = pd.read_csv(l2_record.artifact("results.csv")).set_index("run_id")
    recorded = results.loc[trials["run_id"]]
    for name in ("test_accuracy", "test_accuracy_std", "weight_norm_ci_low", "sparsity"):
        assert trials[name].to_numpy() == pytest.approx(recorded[name].to_numpy(), rel=1e-5)
    meta = json.loads((out / "meta.json").read_text())
    assert meta["versions"] == l2_record.manifest["versions"]
    assert meta["commit"] == l2_record.manifest["commit"]
    assert set(meta["machine"]) == {"system", "cpu", "cores"}
    assert len(pd.read_parquet(out / "weights.parquet")) == 6 * 3


@pytest.mark.slow
def test_export_renews_an_export_and_nothing_else(run_id: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()  # empty: may be used
    assert run(run_id, "out") == 0
    (out / "mine.txt").write_text("notes")
    (out / "figures" / "l2_accuracy.png").write_bytes(b"old")
    meta = json.loads((out / "meta.json").read_text())
    meta["files"] |= {"figures/gone.png": "0", "../precious.txt": "0"}
    (out / "meta.json").write_text(json.dumps(meta))
    (out / "figures" / "gone.png").write_text("of an earlier version")
    (tmp_path / "precious.txt").write_text("outside")
    assert run(run_id, "out") == 0
    assert (out / "mine.txt").read_text() == "notes"
    assert (out / "figures" / "l2_accuracy.png").stat().st_size > 1000
    assert not (out / "figures" / "gone.png").exists()
    assert (tmp_path / "precious.txt").read_text() == "outside"
    assert not list(tmp_path.glob(".export-*"))


@pytest.mark.parametrize("content", ["folder", "file", "foreign"])
def test_what_is_no_export_is_not_overwritten(
    content: str, run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    if content == "file":
        out.write_text("a file")
    else:
        out.mkdir()
        (out / "meta.json").write_text(
            '{"format": "x", "files": []}' if content == "foreign" else "[1]"
        )
    before = out.read_text() if out.is_file() else (out / "meta.json").read_text()
    assert run(run_id, "out") == 2
    said = capsys.readouterr().err
    assert said == "--out needs a new or empty folder or one of an earlier export, got out\n"
    assert (out.read_text() if out.is_file() else (out / "meta.json").read_text()) == before
    assert out.is_file() or len(list(out.iterdir())) == 1


def test_folder_that_cannot_be_made(
    run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(run_id, "file/out") == 2
    said = capsys.readouterr().err
    assert "cannot write the export to file/out" in said
    assert len(said.splitlines()) == 1


def test_partial_sweep_needs_to_be_asked_for(
    sweep: list[Recorded],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = write(tmp_path, sweep, faults=Faults(unrecorded=NAMES[1:2]), run_name="../../=x")
    assert run(run_id) == 3
    assert not list(tmp_path.glob("export-*"))
    capsys.readouterr()
    assert run(run_id, allow_partial=True) == 0
    assert capsys.readouterr().err == "warning: partial: 1 of 4 trials missing\n"
    (out,) = tmp_path.glob("export-*")
    assert out.name == "export-_._..__x"
    assert json.loads((out / "meta.json").read_text())["lacking"] == {"-2+3": "not recorded"}
    assert "Lacking: -2+3 (not recorded)" in (out / "README.txt").read_text()
    assert len(pd.read_csv(out / "trials.csv")) == 3


def test_sweep_of_another_name_gets_general_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    uri, artifacts = new_store(tmp_path), tmp_path / "artifacts"
    sweep = made_up_sweep(["l2"], POINTS)
    one = write_sweep(uri, artifacts, "../mine", ["l2"], sweep, experiment="e")
    assert run(one, "out") == 0
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {
        f"_._mine_accuracy{of}.{kind}" for of in ("", "_by_epoch") for kind in ("png", "svg", "csv")
    }


def test_one_seed_leaves_intervals_empty(tmp_path: Path) -> None:
    run_id = write(tmp_path, made_up_sweep(["l2"], POINTS, seeds=1))
    record = load_sweep(open_store(f"sqlite:///{tmp_path}/mlflow.db"), None, run_id)
    assert trial_table(record)["test_accuracy_minus_baseline_ci_low"].isna().all()
