"""Who may import whom, and what stays unloaded until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("trainables", "sweeps", "analysis")
MOST_LINES = 300
INSTALLED = set(packages_distributions())
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _imported(path: Path, within_functions: bool = True) -> set[str]:
    """Every module that the file imports, by its full name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree) if within_functions else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute in this project"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _in(folder: str) -> list[Path]:
    return [path for path in MODULES if path.relative_to(ROOT).parts[0] == folder]


def _packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _imported(path)}


def _who_imports(paths: list[Path], unknown: set[str]) -> list[str]:
    """Those files that import one of the packages, with which of them."""
    both = {_id(path): _packages(path) & unknown for path in paths}
    return [f"{name} imports {', '.join(sorted(found))}" for name, found in both.items() if found]


def _loaded_by(code: str, cwd: Path) -> set[str]:
    """Top-level packages that running `code` in a new process loads."""
    report = "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{report}"],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_three_folders_have_modules() -> None:
    assert all(len(_in(folder)) > 5 for folder in FOLDERS)


def test_trainables_know_nothing_of_sweeps_analysis_records_or_command_lines() -> None:
    unknown = {"sweeps", "analysis", "mlflow", "argparse", "tyro", "optuna"}
    assert _who_imports(_in("trainables"), unknown) == []


def test_of_the_trainables_the_tune_class_alone_knows_ray() -> None:
    knowing = [path.name for path in _in("trainables") if "ray" in _packages(path)]
    assert knowing == ["trainable.py"]


# The one exception: what `sweeps.run` gives can be read and drawn. Its docstring says why.
SEAM = ROOT / "sweeps" / "driver" / "result.py"


def test_sweeps_do_not_know_the_analysis() -> None:
    knowing = [path for path in _in("sweeps") if "analysis" in _packages(path)]
    assert knowing == [SEAM]


def test_the_analysis_knows_neither_sweeps_nor_ray_nor_torch() -> None:
    assert _who_imports(_in("analysis"), {"sweeps", "ray", "torch"}) == []


def test_of_the_trainables_the_analysis_knows_results_and_the_form_of_records_only() -> None:
    allowed = {"result", "hyperparameters", "trial", "record_format", "manifest", "setting"}
    # How much of y a picture shows: the same on figures and on the page that a sweep leaves.
    allowed.add("y_range")
    # Which run is meant, and the words of commands: the same wherever they are typed or printed.
    allowed.add("commands")
    # What a recorded model says of its rows follows from these, and need not be recorded.
    allowed.add("data")
    wrong = []
    for path in _in("analysis"):
        known = {name for name in _imported(path) if name.split(".")[0] == "trainables"}
        modules = {".".join(name.split(".")[:2]) for name in known}
        if more := modules - {f"trainables.{name}" for name in allowed}:
            wrong.append((_id(path), more))
    assert wrong == []


def test_nothing_changes_the_import_path() -> None:
    texts = {_id(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert [name for name, text in texts.items() if "sys.path" in text] == []
    assert [name for name, text in texts.items() if "PYTHONPATH" in text] == []


def test_no_module_hides_one_of_python_or_of_an_installed_package() -> None:
    # A script's folder is first on the import path, so a module there goes before all others.
    taken = sys.stdlib_module_names | (INSTALLED - set(FOLDERS))
    named = [path for path in MODULES if path.name != "__init__.py"]
    assert [_id(path) for path in named if path.stem in taken] == []


# From the ground up: a room imports those before it, and its own modules.
ROOMS = (
    *("trainables.made_data", "trainables", "trainables.commands"),
    *("sweeps.plan", "sweeps.cluster", "sweeps.record.store"),
    *("sweeps.record.pages", "sweeps.record.runs", "sweeps.record", "sweeps.driver", "sweeps"),
    *("analysis.stats", "analysis.reading", "analysis.recorded_models", "analysis.plotting"),
    *("analysis.figures", "analysis.helping"),
    *("analysis.claims_of_lesson", "analysis.seed_study", "analysis.side_by_side"),
    *("analysis.folds", "analysis.exporting", "analysis.report_page"),
    *("analysis.playground_page", "analysis"),
)
MOST_FILES = 24  # of a room: more are not seen at one glance


def _room(module: str) -> str:
    return module.rpartition(".")[0]


def test_rooms_import_only_those_below_them() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    upwards = [
        f"{name} imports {other}"
        for name, path in names.items()
        if path.name != "__init__.py" and path != SEAM
        for other in _imported(path) & set(names)
        if ROOMS.index(_room(other)) > ROOMS.index(_room(name))
    ]
    assert not upwards


def test_a_room_can_be_seen_at_one_glance() -> None:
    rooms = {path.parent for path in MODULES}
    assert all(len(list(room.glob("*.py"))) <= MOST_FILES + 1 for room in rooms)


def test_no_room_hides_a_package() -> None:
    # The folder of a script is first on the import path, and so are the rooms in it.
    rooms = {path.parent for path in MODULES} - {ROOT / folder for folder in FOLDERS}
    assert not {room.name for room in rooms} & (set(sys.stdlib_module_names) | INSTALLED)


def test_imports_among_our_modules_have_no_cycle() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    graph = {name: _imported(path, False) & set(names) for name, path in names.items()}
    while graph:
        free = {name for name, needs in graph.items() if not needs & set(graph)}
        assert free, f"a cycle among {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in free}


HEAVY = {"torch", "ray", "mlflow", "sklearn", "optuna", "pandas", "scipy", "matplotlib"}


@pytest.mark.parametrize("script", ["l2", "batch_size"])
def test_help_loads_no_heavy_package(script: str, tmp_path: Path) -> None:
    code = (
        "import runpy\n"
        f"sys.argv = ['sweeps/{script}.py', '--help']\n"
        "try:\n"
        f"    runpy.run_path({str(ROOT / 'sweeps' / script)!r} + '.py', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0"
    )
    loaded = _loaded_by(code, tmp_path)
    assert "tyro" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("sweeps.plan.options", HEAVY),
        ("sweeps.driver.launch, sweeps.plan.declared_sweep", HEAVY),
        ("sweeps", HEAVY | {"tyro", "rich", "numpy"}),
        ("sweeps.driver.door", HEAVY | {"analysis"}),
        ("trainables.hyperparameters", HEAVY | {"numpy", "tyro"}),
        ("trainables.result", {"torch", "ray", "mlflow", "sklearn"}),
        ("trainables.data", {"torch", "ray", "mlflow", "sklearn"}),
        ("trainables.train_pack, trainables.train_one", {"ray", "mlflow", "tyro", "optuna"}),
        ("trainables.trainable", {"mlflow", "tyro", "optuna"}),
    ],
)
def test_importing_a_module_does_not_load_what_it_may_not_need(
    modules: str, absent: set[str], tmp_path: Path
) -> None:
    loaded = _loaded_by(f"import {modules}", tmp_path)
    assert modules.split(".")[0] in loaded
    assert not loaded & absent


def test_rehearsing_the_best_model_loads_what_logging_it_needs(tmp_path: Path) -> None:
    loaded = _loaded_by("from sweeps.record.pages.best_model import rehearse", tmp_path)
    assert not loaded & {"torch", "mlflow", "safetensors"}
    rehearsed = _loaded_by(
        "from sweeps.record.pages.best_model import rehearse\nrehearse()", tmp_path
    )
    assert {"torch", "mlflow", "safetensors"} <= rehearsed


def test_refusing_bad_options_loads_neither_torch_nor_ray_nor_mlflow(tmp_path: Path) -> None:
    code = (
        "from sweeps.l2 import SWEEP\n"
        "from sweeps.plan.checks import check\n"
        "from sweeps.plan.options import parse\n"
        "assert check(parse(SWEEP, '', ['--epochs', '0']), SWEEP).wrong"
    )
    assert not _loaded_by(code, tmp_path) & {"torch", "ray", "mlflow", "sklearn"}


def test_a_file_can_be_read_at_one_sitting() -> None:
    lengths = {_id(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
