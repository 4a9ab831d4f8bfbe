"""The command line: every bad value is refused at once, in one line each, and nothing is left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps import batch_size, dropout, elastic_net, l1, l2, label_smoothing
from sweeps.plan.command import Command
from sweeps.plan.declared_sweep import DeclaredSweep
from sweeps.plan.options import SearchOptions, defaults, parse
from sweeps.plan.seeds_options import parse_seeds
from sweeps.plan.sweep import Sweep
from sweeps.seeds import SeedsSweep
from trainables.hyperparameters import DECLARED, Hyperparameters
from trainables.trial import Trial

ROOT = Path(__file__).parents[2]
SWEEPS = [each.SWEEP for each in (batch_size, dropout, elastic_net, l1, l2, label_smoothing)]


def _run(folder: Path, *flags: str | bytes, script: str = "l2") -> subprocess.CompletedProcess[str]:
    """`python sweeps/l2.py FLAGS` in `folder`, which must stay as it is."""
    before = sorted(folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, str(ROOT / "sweeps" / f"{script}.py"), *flags],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert sorted(folder.rglob("*")) == before
    assert "Traceback" not in done.stdout + done.stderr
    return done


def _plan(*flags: str, sweep: Sweep = l2.SWEEP) -> list[Trial]:
    return list(DeclaredSweep(sweep, parse(sweep, "", flags)).plan().trials)


def _refusals(*flags: str, sweep: Sweep = l2.SWEEP) -> list[str]:
    found = DeclaredSweep(sweep, parse(sweep, "", flags)).problems()
    assert all(line.startswith("--") for line in found)
    return found


@pytest.mark.parametrize(
    ("flag", "value", "shown"),
    [
        ("--num-samples", "0", "0"),
        ("--num-samples", "-1", "-1"),
        ("--num-samples", "1.5", "1.5"),
        ("--num-samples", "abc", "abc"),
        ("--num-samples", "1e9", "1000000000"),
        ("--num-samples", "inf", "inf"),
        ("--num-samples", "", ""),
        ("--dropout", "-0.1", "-0.1"),
        ("--dropout", "1.5", "1.5"),
        ("--dropout", "nan", "nan"),
        ("--dropout", "half", "half"),
        ("--l1", "-1", "-1"),
        ("--label-smoothing", "1.1", "1.1"),
        ("--l1", "-1e-9", "-1e-09"),
        ("--l1", "inf", "inf"),
        ("--lr", "0", "0"),
        ("--lr", "-0.005", "-0.005"),
        ("--lr", "nan", "nan"),
        ("--lr", "inf", "inf"),
        ("--batch-size", "0", "0"),
        ("--batch-size", "-16", "-16"),
        ("--batch-size", "121", "121"),
        ("--batch-size", "2.5", "2.5"),
        ("--epochs", "0", "0"),
        ("--epochs", "1e9", "1000000000"),
        ("--seeds", "0", "0"),
        ("--seeds", "-1", "-1"),
        ("--seeds", "two", "two"),
        ("--seeds", "1e9", "1000000000"),
        ("--first-seed", "-1", "-1"),
        ("--first-seed", "0.5", "0.5"),
        ("--search-seed", "-1", "-1"),
        ("--search-seed", "4294967296", "4294967296"),
        ("--hidden", "0", "0"),
        ("--hidden", "-3", "-3"),
        ("--hidden", "wide", "wide"),
        ("--hidden", "4097", "4097"),
        ("--cpus-per-trial", "0", "0"),
        ("--cpus-per-trial", "-1", "-1"),
        ("--gpus-per-trial", "-1", "-1"),
        ("--gpus-per-trial", "1.5", "1.5"),
        ("--max-concurrent", "0", "0"),
        ("--pack", "0", "0"),
        ("--device", "cpu,cuda", "0"),  # GPUs for each trial
        ("--expect-nodes", "0", "0"),
        ("--expect-nodes", "1.5", "1.5"),
        ("--address", "head", "head"),
        ("--address", "ray://head:10001", "ray://head:10001"),
    ],
)
def test_a_bad_number_is_refused_with_what_was_needed_and_what_came(
    flag: str, value: str, shown: str
) -> None:
    (line,) = _refusals(flag, value)
    assert re.fullmatch(
        rf"{flag} (cpu,cuda )?needs .+, got {re.escape(shown)}( \(about .+ days .+\))?", line
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x",
        "/etc/x",
        "a/b",
        "..",
        ".hidden",
        "-x",
        "x" * 5000,
        "x" * 101,
        "two\nlines",
        "trailing\n",
        "a'b",
        'a"b',
        "<b>x</b>",
        "=cmd",
        "a b",
        "a;b",
        "ünïcode",
        "\udcff",
        "a\x00b",
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_an_experiment_name_that_is_unsafe_somewhere_is_refused_in_one_short_line(
    name: str,
) -> None:
    (line,) = _refusals(f"--experiment-name={name}")
    assert line.startswith("--experiment-name needs ")
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 250


@pytest.mark.parametrize("name", ["l2", "My-Sweep_2.1", "7", "x" * 100])
def test_a_plain_experiment_name_is_accepted(name: str) -> None:
    assert len(_plan("--experiment-name", name)) == 7


def test_everything_wrong_is_listed_at_once_in_the_order_of_help() -> None:
    flags = "--num-samples 0 --seeds 0 --epochs 0 --lr nan --dropout 2 --l1 -1 --hidden 64 0"
    lines = _refusals(*flags.split(), "--experiment-name", "")
    named = {line.split()[0] for line in lines}
    assert len(lines) == len(named) == 8
    assert named == {flag for flag in flags.split() if flag.startswith("--")} | {
        "--experiment-name"
    }


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_what_a_sweep_varies_cannot_be_fixed(sweep: Sweep) -> None:
    for axis in sweep.axes:
        flag = f"--{axis.name.replace('_', '-')}"
        (line,) = _refusals(flag, "1", sweep=sweep)
        assert line.startswith(f"{flag} is what this sweep varies")


def test_more_rows_than_the_dataset_trains_on_are_refused() -> None:
    assert _refusals("--batch-size", "121") == [
        "--batch-size needs at most the 120 training rows of iris, got 121"
    ]
    assert len(_plan("--batch-size", "121", "--dataset", "wine")) == 7
    assert len(_plan("--batch-size", "120")) == 7


@pytest.mark.parametrize(
    ("flags", "fragment"),
    [
        (["--num-samples", "7"], "--num-samples needs at most 6"),
        (["--num-samples", "100000"], "--num-samples needs at most 6"),
    ],
)
def test_more_configurations_than_there_are_are_refused(flags: list[str], fragment: str) -> None:
    (line,) = _refusals(*flags, sweep=batch_size.SWEEP)
    assert fragment in line


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_without_flags_a_sweep_is_the_lessons_with_ten_seeds(sweep: Sweep) -> None:
    trials = _plan(sweep=sweep)
    assert len(trials) == len(sweep.lesson_points())
    assert {trial.seeds for trial in trials} == {tuple(range(10))}
    expected = {**Hyperparameters().as_dict(), **sweep.defaults}
    for axis in sweep.axes:
        del expected[axis.name]
    for trial in trials:
        assert expected.items() <= trial.hyperparameters.as_dict().items()


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        (["--epochs", "7"], "epochs", 7),
        (["--epochs", "2e3"], "epochs", 2000),
        (["--lr", "0.02"], "lr", 0.02),
        (["--batch-size", "33"], "batch_size", 33),
        (["--hidden", "64", "64"], "hidden", (64, 64)),
        (["--dropout", "0.25"], "dropout", 0.25),
        (["--dropout", "1"], "dropout", 1.0),
        (["--l1", "1e-3"], "l1", 0.001),
        (["--label-smoothing", "0.1"], "label_smoothing", 0.1),
        (["--dataset", "wine"], "dataset", "wine"),
        (["--standardize"], "standardize", True),
        (["--split", "stratified"], "split", "stratified"),
    ],
)
def test_every_trial_has_the_hyperparameter_that_was_asked_for(
    flags: list[str], field: str, value: object
) -> None:
    trials = _plan(*flags)
    assert {getattr(trial.hyperparameters, field) for trial in trials} == {value}
    usual = getattr(_plan()[0].hyperparameters, field)
    assert usual != value


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_data_are_split_as_in_the_lesson_by_every_sweep_and_by_seeds_alike(sweep: Sweep) -> None:
    assert {trial.hyperparameters.split for trial in _plan(sweep=sweep)} == {"random"}
    values = [f"--{axis.name.replace('_', '-')}" for axis in sweep.axes]
    flags = [word for flag in values for word in (flag, "0.1" if flag != "--batch-size" else "8")]
    of_seeds = SeedsSweep(parse_seeds("", flags), {axis.name for axis in sweep.axes}).plan()
    assert {trial.hyperparameters.split for trial in of_seeds.trials} == {"random"}


def test_num_samples_counts_configurations_and_not_models() -> None:
    trials = _plan("--num-samples", "50", "--seeds", "3", "--first-seed", "100")
    assert len(trials) == len({trial.key for trial in trials}) == 50
    assert {trial.seeds for trial in trials} == {(100, 101, 102)}


def test_a_smoke_test_has_two_configurations_two_seeds_and_few_epochs() -> None:
    trials = _plan("--smoke-test")
    assert len({trial.key for trial in trials}) == len(trials) == 2
    assert all(len(trial.seeds) == 2 for trial in trials)
    assert trials[0].hyperparameters.epochs <= 10


def test_the_search_and_its_seed_reach_the_search() -> None:
    def values(*flags: str) -> list[float]:
        return [trial.hyperparameters.l2 for trial in _plan("--num-samples", "8", *flags)]

    assert values("--search", "grid") == pytest.approx([i / 70 for i in range(8)], abs=1e-6)
    assert len({tuple(values("--search-seed", seed)) for seed in ("0", "1", "2")}) == 3
    assert values("--search", "random") != values("--search", "qmc")


def test_defaults_leave_open_what_a_sweep_varies_and_nothing_else() -> None:
    for sweep in SWEEPS:
        options = defaults(sweep)
        swept = {axis.name for axis in sweep.axes}
        empty = {name for name in Hyperparameters().as_dict() if getattr(options, name) is None}
        assert empty == swept


class _Looks:
    """Allows every value and remembers each that it was asked about."""

    def __init__(self) -> None:
        self.at: list[object] = []

    def problem(self, value: object) -> None:
        self.at.append(value)


@pytest.mark.parametrize(
    "command",
    [
        lambda: DeclaredSweep(l2.SWEEP, parse(l2.SWEEP, "", ["--lr", "0.01", "--folds", "2"])),
        lambda: SeedsSweep(parse_seeds("", ["--lr", "0.01", "--l2", "0", "0.1"]), {"lr", "l2"}),
    ],
    ids=["l2", "seeds"],
)
def test_a_value_is_looked_at_once_on_its_way_to_the_trials(
    command: Callable[[], Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = _Looks()
    monkeypatch.setitem(DECLARED, "lr", DECLARED["lr"]._replace(allowed=looks))
    asked = command()
    assert asked.problems() == []
    trials = asked.plan().trials
    assert len(trials) > 1
    assert {trial.hyperparameters.lr for trial in trials} == {0.01}
    assert looks.at == [0.01]


def test_options_are_not_changed_by_planning() -> None:
    options = parse(l2.SWEEP, "", ["--smoke-test", "--num-samples", "4"])
    before = SearchOptions(**vars(options))
    DeclaredSweep(l2.SWEEP, options).plan()
    assert options == before


def test_bad_values_end_the_script_with_2_and_an_error_line_each(tmp_path: Path) -> None:
    flags = "--num-samples -1 --dropout -0.1 --l1 -1e-3 --lr nan --hidden 64 -3 --seeds abc"
    done = _run(tmp_path, *flags.split(), "--experiment-name", "../x")
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(lines) == 7
    assert all(re.fullmatch(r"error: --[a-z0-9-]+ needs .+, got .+", line) for line in lines)


def test_too_many_batch_sizes_end_the_script_with_2_and_one_line(tmp_path: Path) -> None:
    done = _run(tmp_path, "--num-samples", "7", script="batch_size")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: --num-samples needs at most 6")


def test_bytes_that_are_no_text_are_refused_without_a_traceback(tmp_path: Path) -> None:
    done = _run(tmp_path, "--experiment-name", b"\xff\xfe", "--num-samples", b"\xff")
    assert done.returncode == 2
    assert [line.split()[1] for line in done.stderr.splitlines()] == [
        "--num-samples",
        "--experiment-name",
    ]


@pytest.mark.parametrize(
    "flags",
    [
        ["--bogus", "3"],
        ["--num-sample", "3", "--bogus"],
        ["--num-samples"],
        ["--search", "guess"],
        ["--dataset", "mnist"],
        ["extra"],
    ],
    ids=" ".join,
)
def test_what_the_command_line_does_not_know_ends_the_script_with_2(
    flags: list[str], tmp_path: Path
) -> None:
    done = _run(tmp_path, *flags)
    assert done.returncode == 2
    assert flags[0] in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("flags", "nearest"),
    [
        (["--num-sample", "3"], "--num-samples"),
        (["--dataset", "irsi"], "got irsi: did you mean iris?"),
        (["--dataset=digit"], "got digit: did you mean digits?"),
        (["--search", "gird"], "got gird: did you mean grid?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_name_that_is_misspelt_brings_the_nearest(
    flags: list[str], nearest: str, tmp_path: Path
) -> None:
    done = _run(tmp_path, *flags)
    assert done.returncode == 2
    assert nearest in done.stderr


def test_the_flag_that_turns_something_off_says_what_it_does(tmp_path: Path) -> None:
    text = " ".join(_run(tmp_path, "--help").stdout.replace("│", " ").split())
    assert "--no-drop-last Train on an epoch's last batch also when it is not full" in text
    assert "(default: True)" not in text


@pytest.mark.parametrize("script", [sweep.name for sweep in SWEEPS])
def test_help_ends_with_0_and_names_every_flag(script: str, tmp_path: Path) -> None:
    done = _run(tmp_path, "--help", script=script)
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"python {ROOT}/sweeps/{script}.py" in done.stdout
    for name in SearchOptions.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in done.stdout.replace("--no-", "--"), name


def test_a_dry_run_prints_the_plan_and_touches_nothing(tmp_path: Path) -> None:
    done = _run(tmp_path, "--dry-run", "--num-samples", "5", "--search", "grid", "--seeds", "2")
    assert done.returncode == 0
    assert "5 configurations × 2 seeds = 10 models" in done.stdout
    names = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert names == [f"l2={value:.6f}" for value in (0, 0.025, 0.05, 0.075, 0.1)]
