"""What Ray sends to a cluster: code that sweeps run, and nothing heavy that lies beside it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from ray._private.runtime_env.packaging import create_package

from support.scripts import ROOT
from sweeps.cluster.ray_start import sent_code

NEEDED = (
    "pyproject.toml",
    "README.md",
    "sweeps/l2.py",
    "sweeps/record/pages/chart_page.html",
    "trainables/data.py",
)
HEAVY = (
    ".git/objects/pack",
    ".venv/lib/torch.so",
    "mlflow.db",
    "mlflow.db-wal",
    "mlartifacts/1/curves.parquet",
    "figures/report.html",
    "export-l2-20261130-123456-ab12/curves.csv.gz",
    "unrecorded/l2/result.arrow",
    "docs/picture.png",
    "site/index.html",
    "sweeps/__pycache__/l2.cpython-311.pyc",
)


def packed(folder: Path, scratch: Path, excludes: tuple[str, ...] = ()) -> dict[str, int]:
    """The files that Ray would send for that folder, with their sizes."""
    package = scratch / "package.zip"
    create_package(str(folder), package, include_gitignore=True, excludes=list(excludes))
    with zipfile.ZipFile(package) as content:
        return {each.filename: each.file_size for each in content.infolist() if not each.is_dir()}


@pytest.mark.parametrize("gitignore", [True, False])
def test_a_submitted_job_takes_the_code_and_leaves_the_records(
    tmp_path: Path, gitignore: bool
) -> None:
    project = tmp_path / "project"
    for name in (*NEEDED, *HEAVY):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    shutil.copy(ROOT / ".rayignore", project)
    if gitignore:
        shutil.copy(ROOT / ".gitignore", project)
    names = set(packed(project, tmp_path)) - {".rayignore", ".gitignore"}
    assert names == set(NEEDED)


def test_a_sweep_sends_the_source_of_its_trials_alone_and_says_how_much(tmp_path: Path) -> None:
    environment, size = sent_code()
    (folder,) = environment["py_modules"]
    sent = packed(Path(folder), tmp_path, tuple(environment["excludes"]))
    code = ROOT / "trainables"
    files = {path.relative_to(code) for path in code.rglob("*.py")}
    assert set(sent) == {str(path) for path in files if path.parts[0] != "commands"}
    assert sum(sent.values()) == size < 200_000
