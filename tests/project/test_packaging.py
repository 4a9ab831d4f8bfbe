"""What an installation contains: every module of every room, and the files that they read."""

from __future__ import annotations

import subprocess
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from support.scripts import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = SETTINGS["project"]
INSTALLED = ("trainables", "sweeps", "analysis")
FILES = sorted(
    path
    for package in INSTALLED
    for path in (ROOT / package).rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)


# What stands beside the folders; drafts and scratch files have got there before.
TOP = {".gitignore", ".pre-commit-config.yaml", ".rayignore", "CHANGELOG.md", "CONTRIBUTING.md"}
TOP |= {"LICENSE", "README.md", "cluster.yaml", "mkdocs.yml", "pyproject.toml"}


def test_nothing_lies_at_the_top_that_nobody_put_there() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {name for name in listed.stdout.splitlines() if "/" not in name} == TOP


@pytest.mark.parametrize("package", INSTALLED)
def test_type_checkers_see_the_hints_of_a_package(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_every_folder_with_code_is_a_package_that_is_found() -> None:
    patterns = SETTINGS["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = {path.parent for path in FILES}
    assert len(folders) > len(INSTALLED)
    for folder in folders:
        assert (folder / "__init__.py").is_file(), folder
        name = ".".join(folder.relative_to(ROOT).parts)
        assert any(fnmatch(name, pattern) for pattern in patterns), name


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "docs"])
def test_what_stands_beside_the_packages_is_not_installed(folder: str) -> None:
    patterns = SETTINGS["tool"]["setuptools"]["packages"]["find"]["include"]
    assert not any(fnmatch(f"{folder}{more}", each) for more in ("", ".x") for each in patterns)


def test_files_that_are_no_modules_are_installed_too() -> None:
    (patterns,) = SETTINGS["tool"]["setuptools"]["package-data"].values()
    others = [path for path in FILES if path.suffix != ".py"]
    assert {path.suffix for path in others} >= {".html", ".typed"}
    for path in others:
        assert any(fnmatch(path.name, pattern) for pattern in patterns), path


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
@pytest.mark.parametrize(
    "left",
    [
        *("figures/l2-20261130-123456-ab12/l2_accuracy.png", "mlflow.db", "mlartifacts/l2/a.csv"),
        *("unrecorded/l2-20261130-123456-ab12/sweep.promise", "export-l2-2026/README.txt"),
    ],
)
def test_what_commands_leave_is_not_committed(left: str) -> None:
    asked = ["git", "-C", str(ROOT), "check-ignore", "--quiet", "--no-index", left]
    assert subprocess.run(asked, check=False).returncode == 0


def test_the_project_s_address_is_written_once() -> None:
    address = PROJECT["urls"]["Repository"].removeprefix("https://")
    texts = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "mkdocs.yml")]
    for path in (*texts, *(ROOT / "docs").glob("*.*")):
        assert address.encode() not in path.read_bytes(), path


def test_checks_before_a_commit_are_among_those_of_ci() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"].replace(" --force-exclude", "") for hook in repository["hooks"]]
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert len(entries) == 3
    for entry in entries:  # CI formats nothing: it checks
        assert any(line.startswith(entry) for line in lines), entry


def test_the_changelog_s_newest_version_is_the_project_s() -> None:
    headings = [
        line.split("]")[0].removeprefix("## [")
        for line in (ROOT / "CHANGELOG.md").read_text().splitlines()
        if line.startswith("## [")
    ]
    assert headings[0] == "Unreleased"
    assert headings[1] == PROJECT["version"]


def test_python_versions_that_are_named_are_supported() -> None:
    named = [text.rsplit(" ", 1)[1] for text in PROJECT["classifiers"] if ":: 3." in text]
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert lowest in named
    assert all(int(one.split(".")[1]) >= int(lowest.split(".")[1]) for one in named)


def test_the_workflow_runs_what_everybody_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert any("bash .ci/run" in step.get("run", "") for step in steps)
