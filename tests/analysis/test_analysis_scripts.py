"""The analysis scripts as users run them: `python analysis/NAME.py`, from any folder."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from mlflow import MlflowClient

from analysis.concepts import newest
from analysis.figures.show_sweep import answer
from analysis.reading.connection import open_store
from analysis.reading.script_options import AnalysisOptions, Places
from support.record_fixture import Faults, Recorded, made_up_sweep, new_store, write_sweep
from support.scripts import ROOT, run_script
from support.trained_record import facts_of, trained_sweep
from support.warm_scripts import run_warm

SWEEPS: dict[str, tuple[list[str], list[dict[str, object]]]] = {
    "dropout": (["dropout"], [{"dropout": p} for p in (0.0, 0.5, 1.0)]),
    "l1": (["l1"], [{"l1": value} for value in (0.0, 0.001, 0.005)]),
    "l2": (["l2"], [{"l2": value} for value in (0.0, 0.01, 0.1)]),
    "batch_size": (["batch_size"], [{"batch_size": size} for size in (16, 2, 64)]),
    "label_smoothing": (["label_smoothing"], [{"label_smoothing": e} for e in (0.0, 0.1, 0.5)]),
    "elastic_net": (["l1", "l2"], [{"l1": a, "l2": b} for a in (0.0, 0.1) for b in (0.0, 0.1)]),
}
MODELS = ("confusion", "boundaries")
PENALTY = ("weights", "paths", *MODELS)
FIGURES = {
    "dropout": [f"dropout_{name}" for name in ("accuracy_by_epoch", "accuracy", *MODELS)],
    "l1": [f"l1_{name}" for name in ("accuracy_by_epoch", "accuracy", "loss_by_epoch", *PENALTY)],
    "l2": [f"l2_{name}" for name in ("accuracy_by_epoch", "accuracy", *PENALTY)],
    "batch_size": ["batch_size_accuracy_by_epoch", "batch_size_accuracy"],
    "label_smoothing": ["label_smoothing_accuracy_by_epoch", "label_smoothing_accuracy"],
    "elastic_net": [f"elastic_net_{name}" for name in ("accuracy", *PENALTY)],
    "concepts": [
        "concepts_penalties",
        "concepts_activations",
        "concepts_weights",
        "concepts_batches",
    ],
}


def figures_of(uri: str, run_id: str) -> Path:
    return Path("figures", MlflowClient(uri).get_run(run_id).info.run_name)


@dataclass(frozen=True)
class Store:
    folder: Path
    run_ids: dict[str, str]
    recorded: dict[str, list[Recorded]]

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder}/mlflow.db"

    def figures(self, name: str) -> Path:
        """Where a script leaves the figures of that sweep, below the folder that it runs in."""
        return figures_of(self.uri, self.run_ids[name]) if name in self.run_ids else Path("figures")

    def artifacts(self, name: str) -> set[str]:
        files = MlflowClient(self.uri).list_artifacts(self.run_ids[name], "figures")
        return {Path(file.path).name for file in files}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("store")
    uri = new_store(folder)
    run_ids, recorded = {}, {}
    for name, (fields, points) in SWEEPS.items():
        # Really trained: what models say of their rows is held against what was recorded.
        recorded[name] = trained_sweep(fields, points, seeds=3)
        facts = {"dataset": facts_of(recorded[name])}
        run_ids[name] = write_sweep(
            uri, folder / "artifacts", name, fields, recorded[name], changes=facts
        )
    return Store(folder, run_ids, recorded)


@pytest.mark.parametrize(
    "name",
    [each if each == "l2" else pytest.param(each, marks=pytest.mark.slow) for each in FIGURES],
)
def test_script_leaves_figures_here_and_in_mlflow(name: str, store: Store, tmp_path: Path) -> None:
    done = run_warm(f"analysis/{name}.py", "--tracking-uri", store.uri, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    expected = {f"{figure}.{kind}" for figure in FIGURES[name] for kind in ("png", "svg", "csv")}
    out = store.figures(name)
    assert {path.name for path in (tmp_path / out).iterdir()} == expected
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]
    for figure in FIGURES[name]:
        path = tmp_path / out / figure
        width, height = struct.unpack(">II", path.with_suffix(".png").read_bytes()[16:24])
        assert min(width, height) > 500
        assert ElementTree.parse(path.with_suffix(".svg")).getroot().tag.endswith("svg")
        assert len(pd.read_csv(path.with_suffix(".csv"))) > 0
        assert f"{out}/{figure}.png" in done.stdout
    if name in store.run_ids:
        assert store.artifacts(name) >= expected
        assert store.run_ids[name] in done.stdout
    else:
        assert "concepts_weights.png" in store.artifacts("l1") & store.artifacts("l2")
        assert "concepts_activations.csv" in store.artifacts("dropout")


@pytest.mark.slow
def test_default_store_and_table(store: Store, tmp_path: Path) -> None:
    """In the folder of the store no flag is needed; --sweep, --out and --no-upload do as told."""
    before = store.artifacts("l2")
    flags = ("--sweep", store.run_ids["l2"], "--out", str(tmp_path / "a" / "b"), "--no-upload")
    done = run_warm("analysis/l2.py", *flags, cwd=store.folder)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a" / "b" / "l2_accuracy.png").exists()
    assert not (store.folder / "figures").exists()
    assert store.artifacts("l2") == before
    strongest = store.recorded["l2"][2]
    accuracy = 100 * strongest.curves["test/accuracy"][:, 20:38].mean()
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("0.1 ")]
    assert f" {accuracy:.1f} ± " in row
    child = MlflowClient(store.uri).search_runs(
        [MlflowClient(store.uri).get_run(store.run_ids["l2"]).info.experiment_id],
        f"tags.`trial.key` = '{strongest.trial.key}'",
    )[0]
    assert child.info.run_id[:8] in row


@pytest.mark.slow
def test_equal_data_give_equal_files(store: Store, tmp_path: Path) -> None:
    for out in ("one", "two"):
        flags = ("--tracking-uri", store.uri, "--out", out, "--no-upload")
        assert run_script("analysis/dropout.py", *flags, cwd=tmp_path).returncode == 0
    for one in (tmp_path / "one").iterdir():
        assert one.read_bytes() == (tmp_path / "two" / one.name).read_bytes(), one.name


@pytest.mark.slow
def test_incomplete_sweep_needs_allow_partial(tmp_path: Path) -> None:
    uri = new_store(tmp_path)
    fields, points = SWEEPS["l2"]
    sweep = made_up_sweep(fields, points)
    faults = Faults(failed=["l2=0.010000"])
    run_id = write_sweep(uri, tmp_path / "artifacts", "l2", fields, sweep, faults=faults)
    done = run_warm("analysis/l2.py", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "lacks 1 of 3 trials: l2=0.010000 (failed: worker died)" in done.stderr
    assert not (tmp_path / "figures").exists()
    done = run_warm("analysis/l2.py", "--allow-partial", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["warning: partial: 1 of 3 trials missing"]
    table = pd.read_csv(tmp_path / figures_of(uri, run_id) / "l2_accuracy.csv")
    assert set(table["x"]) == {0.0, 0.1}


@pytest.mark.slow
def test_figures_of_two_sweeps_of_a_name_stand_beside_each_other(tmp_path: Path) -> None:
    uri, (fields, points) = new_store(tmp_path), SWEEPS["l2"]
    sweeps = {}
    for name, values in (("l2-first", points), ("l2-second", points[:2])):
        sweep = made_up_sweep(fields, values)
        write_sweep(uri, tmp_path / "artifacts", "l2", fields, sweep, run_name=name)
        done = run_warm("analysis/l2.py", "--no-upload", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        folder = tmp_path / "figures" / name
        sweeps[name] = {path: path.read_bytes() for path in folder.iterdir()}
    assert all(path.read_bytes() == content for path, content in sweeps["l2-first"].items())
    told = "the newest of 2 finished ones; the others: l2-first; to read one of them:  "
    assert f"{told}python {ROOT}/analysis/l2.py --sweep l2-first\n" in done.stdout
    done = run_warm("analysis/l2.py", "--sweep", "l2-first", "--no-upload", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), "the same files are written again"
    assert "the newest of" not in done.stdout
    flags = ("--no-upload", "--out", "figures/l2-first")
    done = run_warm("analysis/l2.py", *flags, cwd=tmp_path)
    assert "replaced in figures/l2-first, where they said something else: l2_" in done.stderr


@pytest.mark.slow
def test_running_sweep_is_an_own_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fields, points = SWEEPS["l2"]
    faults = Faults(running=["l2=0.100000"])
    uri = new_store(tmp_path)
    run_id = write_sweep(
        uri,
        tmp_path / "artifacts",
        "l2",
        fields,
        made_up_sweep(fields, points),
        faults=faults,
        status="RUNNING",
    )
    client = open_store(None)
    capsys.readouterr()  # what MLflow says when its first client of a process writes
    assert answer("l2", AnalysisOptions()) == 3
    said = capsys.readouterr()
    assert "sweeps/l2.py --resume" in said.err
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert newest(client, "l2", Places()) is None, "other scripts do without it"
    assert answer("l2", AnalysisOptions(allow_partial=True, upload=False)) == 0
    assert "still RUNNING" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / figures_of(uri, run_id) / "l2_accuracy.csv")) == 2 * 3


@pytest.mark.parametrize(
    ("flags", "code", "text"),
    [
        ((), 4, "no tracking store at"),
        (("--tracking-uri", "nonsense://x"), 4, "cannot read the tracking store nonsense://x"),
        (("--no-such-flag",), 2, "--no-such-flag"),
    ],
)
def test_mistakes_end_in_words_not_tracebacks(
    flags: tuple[str, ...], code: int, text: str, tmp_path: Path
) -> None:
    done = run_warm("analysis/l1.py", *flags, cwd=tmp_path)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_upload_failure_keeps_the_files(tmp_path: Path) -> None:
    copy = tmp_path / "artifacts"
    uri = new_store(tmp_path)
    fields, points = SWEEPS["dropout"]
    run_id = write_sweep(uri, copy, "dropout", fields, made_up_sweep(fields, points))
    (manifest,) = copy.rglob("sweep.json")
    (manifest.parent / "figures").write_text("a file where the folder should be")
    done = run_warm("analysis/dropout.py", cwd=tmp_path)
    assert done.returncode == 4
    assert "the figures are saved, but cannot be added to the tracking store" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / figures_of(uri, run_id) / "dropout_accuracy.png").exists()


def test_folder_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file")
    done = run_warm("analysis/dropout.py", "--tracking-uri", store.uri, cwd=tmp_path)
    assert done.returncode == 2
    assert f"cannot write figures to {store.figures('dropout')}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_concepts_say_which_sweep_is_missing(tmp_path: Path) -> None:
    uri = new_store(tmp_path)
    fields, points = SWEEPS["l2"]
    write_sweep(uri, tmp_path / "artifacts", "l2", fields, made_up_sweep(fields, points))
    done = run_warm("analysis/concepts.py", "--no-upload", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "l1: none" in done.stdout
    assert "l2: l2-" in done.stdout
    table = pd.read_csv(tmp_path / "figures" / "concepts_weights.csv")
    assert set(table["panel"]) == {"L2 penalty"}
