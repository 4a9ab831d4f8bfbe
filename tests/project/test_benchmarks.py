"""The benchmarks run, write what they measured where they are told, and count what they claim."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch

from support.scripts import ROOT, run_script

FOLDER = ROOT / "benchmarks"
OF_OTHERS = set(sys.stdlib_module_names) | set(packages_distributions())
FILES = sorted(FOLDER.rglob("*.py"))
SOME_ACCURACY = 0.02  # mean difference that float32 may make: a test row is 0.033 of one model


def _read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return found


def _python(code: str) -> str:
    """What `code` prints when run beside the benchmarks."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=True
    )
    return done.stdout


def _flops(*each: dict[str, Any]) -> list[int]:
    code = (
        "from floor import flops_a_model_epoch as flops\n"
        "from trainables.hyperparameters import Hyperparameters as H\n"
        f"print([flops(H(**values)) for values in {each}])"
    )
    return [int(number) for number in json.loads(_python(code))]


def test_the_arithmetic_is_that_of_a_count_by_hand() -> None:
    # 4-1-3 on Iris, 3 steps of 40 rows, 150 rows to evaluate.
    forward = 8 + 1 + 6  # 4 weights and a bias, ReLU, 3 × (1 weight and a bias)
    loss = 2 + 3 + 3 + 2 + 3 + 1  # maximum, differences, exponentials, sum, quotients, own class
    backward = 8 + 6 + 1 + 3 + 5 + 1  # weights, weights, biases, biases, 3 products summed, gate
    update = 2 * (7 + 4)
    expected = 120 * (forward + loss + backward) + 3 * update + 150 * (forward + 3)
    # Dropout: compared and scaled going up, scaled coming down. L2: a decay of each parameter.
    regularized = expected + 120 * 3 + 3 * 11
    tiny = {"hidden": (1,), "batch_size": 40}
    assert _flops(tiny, {**tiny, "dropout": 0.3, "l2": 0.1}) == [expected, regularized]
    assert expected == 9126


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a tiny run of the trainer benchmark wrote."""
    folder = tmp_path_factory.mktemp("trainer")
    done = run_script("benchmarks/trainer.py", "--quick", "--out", str(folder / "here"), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "× lesson" in done.stdout
    assert "extrapolated" in done.stdout
    return _read(folder / "here", "trainer")


def _of_way(trainer: dict[str, Any], way: str) -> list[dict[str, Any]]:
    return [row for row in trainer["rows"] if row["way"].startswith(way)]


@pytest.mark.slow
def test_the_trainer_benchmark_says_what_was_measured_where(trainer: dict[str, Any]) -> None:
    assert trainer["command"].startswith("python benchmarks/trainer.py --quick")
    assert trainer["machine"]["cores"] >= 1
    assert trainer["versions"]["torch"] == torch.__version__
    assert trainer["peak_gflops_of_one_core"] > 0


@pytest.mark.slow
def test_every_rate_is_measured_or_marked(trainer: dict[str, Any]) -> None:
    for row in trainer["rows"]:
        case = row["case"]
        if row["way"].startswith("floor"):
            assert row["seconds"] == []
            continue
        rate = case["models"] * case["epochs"] / 500 / median(row["seconds"])
        assert row["models_a_second"] == pytest.approx(rate)
        assert row["extrapolated"] is (case["epochs"] != 500)
    measured = {(row["case"]["models"], row["case"]["dropout"]) for row in trainer["rows"]}
    assert {(1, 0.0), (16, 0.0), (16, 0.3)} <= measured


@pytest.mark.slow
@pytest.mark.parametrize("way", ["train_one", "lesson-style loop", "torch.func", "JAX"])
def test_rivals_train_the_same_models(trainer: dict[str, Any], way: str) -> None:
    if way == "JAX" and not find_spec("jax"):
        pytest.skip("JAX is not installed: pip install -e '.[bench]'")
    rows = _of_way(trainer, way)
    assert {row["case"]["dropout"] for row in rows} == {0.0, 0.3}
    for row in rows:
        agreement = row["agreement"]
        assert agreement["models"] == row["case"]["models"]
        if row["case"]["dropout"] == 0 or way == "train_one":
            assert agreement["mean_absolute_difference"] < SOME_ACCURACY


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="torch finds a CUDA device")
def test_without_a_gpu_the_cuda_benchmark_says_so(tmp_path: Path) -> None:
    done = run_script("benchmarks/trainer.py", "--device", "cuda", cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what tiny runs of the sweep and growth benchmarks wrote."""
    folder = tmp_path_factory.mktemp("sweeps")
    for name, more in (("sweep", ("--rivals", "joblib")), ("growth", ())):
        flags = ("--quick", "--out", str(folder), *more)
        done = run_script(f"benchmarks/{name}.py", *flags, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.sweep
def test_the_benchmark_of_private_hooks_times_pairs_of_sweeps(tmp_path: Path) -> None:
    done = run_script(
        "benchmarks/private_hooks.py", "--quick", "--out", str(tmp_path), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    ((_, seconds),) = _read(tmp_path, "private_hooks")["seconds"].items()
    assert [len(seconds[kind]) for kind in ("without", "with")] == [1, 1]


def test_a_copy_that_lacks_a_hook_differs_from_the_project_in_that_alone(tmp_path: Path) -> None:
    code = f"""
import ast
from pathlib import Path
from private_hooks import HOOKS, copy_without

def functions(copy, file):
    tree = ast.parse((copy / file).read_text())
    return {{each.name: ast.unparse(each) for each in tree.body
            if isinstance(each, ast.FunctionDef)}}

folder = Path({str(tmp_path)!r})
whole = copy_without(None, folder / "whole")
for hook, (file, _) in HOOKS.items():
    there, lacking = functions(whole, file), functions(copy_without(hook, folder / hook), file)
    print(hook, *(name for name in there if there[name] != lacking.get(name)))
"""
    found = [line.split() for line in _python(code).splitlines()]
    assert len(found) >= 4
    assert [names for hook, *names in found] == [[hook] for hook, *_ in found]


@pytest.mark.slow
@pytest.mark.sweep
def test_the_sweep_benchmark_counts_rows_and_compares_models(sweeps: Path) -> None:
    found = _read(sweeps, "sweep")
    ours, rival = found["rows"]
    assert (ours["configurations"], ours["seeds"]) == (2, 2)
    assert ours["rows"]["runs"] == 3  # the sweep's own and 2 trials
    assert rival["rows"]["runs"] == rival["configurations"] == 1
    assert rival["rows"]["metrics"] == 2 * rival["epochs"]
    assert rival["agreement"]["models"] == 1
    assert rival["agreement"]["mean_absolute_difference"] < SOME_ACCURACY


def test_extrapolation_goes_through_the_medians_of_both_sizes() -> None:
    code = (
        "import json\n"
        "from dataclasses import asdict\n"
        "from sweep import STOCK, Row, extrapolate\n"
        "ours = Row('ours', 50, 10, 500, [20.0], {})\n"
        "two = Row(STOCK, 2, 1, 500, [70.0, 9.0, 75.0], {})\n"
        "rows = [ours, two, Row(STOCK, 4, 1, 500, [130.0], {})]\n"
        "print(json.dumps([asdict(each) for each in extrapolate(STOCK, rows)]))\n"
        "assert extrapolate(STOCK, rows[:2]) == []"
    )
    (line,) = json.loads(_python(code))
    assert line == {
        "way": "stock Ray Tune + MLflowLoggerCallback",
        "models": 500,
        "startup_seconds": 10.0,
        "seconds_a_model": 30.0,
        "seconds": 15_010.0,
        "times_ours": 750.5,
    }


@pytest.mark.slow
@pytest.mark.sweep
def test_growth_finds_every_process_and_splits_their_time(sweeps: Path) -> None:
    (run,) = _read(sweeps, "growth")["runs"]
    cpu = run["usage"]["cpu_seconds"]
    for role in ("launcher", "recorder", "workers", "Ray's daemons"):
        assert cpu[role] > 0
        assert run["usage"]["peak_bytes"][role] > 1e6
    assert run["split"]["training"] > 0
    assert sum(run["split"].values()) == pytest.approx(sum(cpu.values()))
    assert run["rows"]["runs"] == run["trials"] + 1


@pytest.mark.slow
@pytest.mark.sweep
def test_the_chart_is_drawn_from_the_results(sweeps: Path) -> None:
    picture = sweeps / "chart.png"
    done = run_script(
        "benchmarks/chart.py", "--results", str(sweeps), "--out", str(picture), cwd=sweeps
    )
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_chart_names_results_that_are_missing(tmp_path: Path) -> None:
    done = run_script("benchmarks/chart.py", "--results", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "python benchmarks/sweep.py" in done.stderr


_QUEUES = (
    "import json\n"
    "from queueing import Pack, limits, simulate, throughput\n"
    "from queueing import DriverCosts as D, RecorderCosts as R\n"
)


def _queues(expression: str) -> Any:
    return json.loads(_python(f"{_QUEUES}print(json.dumps({expression}))"))


def test_one_worker_trains_one_pack_after_the_other() -> None:
    # Three packs of 2.5 s, reported after 1, 2 and 2.5 s; nothing else takes time.
    free = "simulate([Pack(10, 2.5)] * 3, 1, D(0, 0, 0), R(0, 0))"
    assert _queues(free) == [7.5, 7.5, 0.0, 0.0]
    # 9 reports of 0.1 s, 3 packs of 0.2 s, 30 trials of 0.01 s, 2 handovers of 0.5 s.
    busy = "simulate([Pack(10, 2.5)] * 3, 1, D(0.2, 0.1, 0.01, 0.5), R(0, 0))"
    trained, recorded, driver, recorder = _queues(busy)
    assert trained == recorded == pytest.approx(7.5 + 0.9 + 0.6 + 0.3 + 1.0)
    assert (driver, recorder) == (pytest.approx(1.8 / 10.3), 0.0)


def test_a_recorder_that_is_never_full_does_not_delay_many_workers() -> None:
    # Five packs on two workers: three rounds. A recorder that takes 0.5 s writes the last one.
    found = _queues("simulate([Pack(1, 1.0)] * 5, 2, D(0, 0, 0), R(0.5, 0))")
    assert found[:2] == [3.0, 3.5]
    assert _queues("throughput(Pack(10, 2.0), 4, D(0, 0, 0.001), R(0, 0.001))") == 20.0


def test_a_full_recorder_decides_when_the_sweep_ends() -> None:
    # 100 packs are trained at once after 1 s; the recorder takes 0.5 + 10 × 0.05 s for each.
    found = _queues("simulate([Pack(10, 1.0)] * 100, 100, D(0, 0, 0), R(0.5, 0.05))")
    assert found[:2] == [1.0, pytest.approx(101.0)]
    costs = "D(0.01, 0.001, 0), R(0.5, 0.05, 0.04, 2)"
    names = [
        (part, pytest.approx(rate), pytest.approx(workers))
        for part, rate, workers in _queues(f"limits(Pack(10, 2.0), {costs})")
    ]
    # Driver: 10 trials in 0.01 + 2 × 0.001 s. Server: 2 processes, 0.04 s a trial. Workers: 5 a s.
    assert names == [
        ("recorder", 10.0, 2.0),
        ("server", 50.0, 10.0),
        ("driver", pytest.approx(10 / 0.012), pytest.approx(2 / 0.012)),
    ]
    assert _queues(f"throughput(Pack(10, 2.0), 100, {costs})") == pytest.approx(10.0)
    # Eight sweeps at once have eight recorders, but one server, which is full first.
    assert _queues(f"throughput(Pack(10, 2.0), 100, {costs}, 8)") == pytest.approx(50.0)


def test_a_full_driver_leaves_workers_idle() -> None:
    # Each of 50 workers reports every second; the driver takes 0.1 s: 10 reports a second.
    found = _queues("simulate([Pack(1, 4.0)] * 50, 50, D(0, 0.1, 0), R(0, 0))")
    assert found[0] == pytest.approx(1.0 + 50 * 4 * 0.1)
    assert found[2] == pytest.approx(20.0 / 21.0)


@pytest.mark.slow
@pytest.mark.sweep
def test_the_scale_benchmark_sleeps_for_real_and_says_how_far_the_model_is_off(
    tmp_path: Path,
) -> None:
    done = run_script("benchmarks/scale.py", "--quick", "--out", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = _read(tmp_path, "scale")
    (check,) = found["checks"]
    (run,) = check["runs"]
    trials, *_, a_trial, _ = run["shape"]
    assert run["workers"] == 2
    # Nobody can be faster than the sleep; the model is no faster either.
    least = trials * a_trial / run["workers"]
    assert least <= run["trained"] <= run["recorded"]
    assert least <= check["predicted"]["trained"] <= check["predicted"]["recorded"]
    assert "off (trained)" in done.stdout.replace("\n", " ")
    assert run["bytes_a_trial"] > 10 * 5 * 6 * 4  # seeds, epochs, curves, bytes of a number
    assert {one["store"] for one in found["recording"]} == {"SQLite file"}
    assert all(one["cpu_a_trial"]["recorder"] > 0 for one in found["recording"])
    assert all(min(one["seconds_a_model_epoch"]) > 0 for one in found["training"])


def test_the_scale_chart_names_results_that_are_missing(tmp_path: Path) -> None:
    flags = ("--results", str(tmp_path))
    done = run_script("benchmarks/scale_chart.py", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert "python benchmarks/scale.py" in done.stderr


def test_memory_is_read_at_every_tenth_and_growth_is_its_slope() -> None:
    looks = [
        {"recorded": n, "driver_bytes": 1000.0 + 3 * n, "recorder_bytes": 2000.0} for n in range(51)
    ]
    code = (
        "import json\nfrom dataclasses import asdict\nfrom memory import read\n"
        f"looks = {looks}\n"
        "print(json.dumps(asdict(read({'looks': looks, 'packs': 5}, 50, 10))))"
    )
    found = json.loads(_python(code))
    assert found["recorded"] == list(range(5, 51, 5))
    assert found["resident"]["driver"] == [1000.0 + 3 * n for n in range(5, 51, 5)]
    assert found["growth"]["driver"] == pytest.approx(3.0)
    assert found["growth"]["recorder"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
def test_the_rules_for_verdicts_are_tried_on_studies_of_every_shape(tmp_path: Path) -> None:
    done = run_script("benchmarks/verdict_rules.py", "--quick", "--out", "here", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = _read(tmp_path / "here", "verdict_rules")
    assert {(one["shape"], one["effect"]) for one in found["outcomes"]} == {
        (one["shape"], one["effect"])
        for one in _read(FOLDER / "results", "verdict_rules")["outcomes"]
    }
    for one in found["outcomes"]:
        assert all(sum(counts) == one["studies"] for counts in one["words"].values())


@pytest.mark.parametrize(
    ("word", "effect", "wrong"),
    [
        ("supported", 0.1, False),
        ("supported", 0, True),
        ("supported, small", 0.9, False),
        ("supported, small", 1, True),
        ("supported, small", -0.1, True),
        ("contradicted", 0.9, False),
        ("contradicted", 1, True),
        ("inconclusive", 2, False),
    ],
)
def test_a_verdict_is_wrong_when_the_truth_is_another(
    word: str, effect: float, wrong: bool
) -> None:
    code = f"from verdict_rules import is_wrong; print(is_wrong({word!r}, {effect}))"
    assert _python(code).strip() == str(wrong)


def test_the_rules_err_and_turn_over_as_rarely_as_the_page_on_them_says() -> None:
    page = (ROOT / "docs" / "verdicts.md").read_text()
    kept = _read(FOLDER / "results", "verdict_rules")
    for shape in dict.fromkeys(one["shape"] for one in kept["outcomes"]):
        own = [one for one in kept["outcomes"] if one["shape"] == shape]
        decided = sum(sum(sum(c[:-1]) for c in one["words"].values()) for one in own)
        wrong, flips = (sum(one[name] for one in own) for name in ("wrong", "flips"))
        studies = sum(one["studies"] for one in own)
        assert f"| {shape} | {wrong:,} of {decided:,} | {flips} of {studies:,} |" in page
        assert wrong <= 0.02 * decided
        if not shape.startswith("skewed"):
            assert flips == 0
    normal = [one for one in kept["outcomes"] if one["shape"] == "normal"]
    for one in normal:
        cells = []
        for seeds in ("30", "100", "300", "1000"):
            supported, small, _, contradicted, open_ = one["words"][seeds]
            shares = (supported, small, contradicted, open_)
            cells.append(" · ".join(f"{100 * share / one['studies']:.0f}" for share in shares))
        assert f"| {one['effect']:g} | {' | '.join(cells)} |" in page


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_are_short_and_hide_no_module(path: Path) -> None:
    # Their folder is first on the import path, so a module there goes before all others.
    assert path.stem not in OF_OTHERS
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
