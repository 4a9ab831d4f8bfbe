"""A sweep at a terminal of 80 columns: its plan, its progress, its end and its errors fit in."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.at_terminal import COLUMNS, PASTED, run_at_terminal
from support.record import read_record
from support.scripts import HANG, environment
from support.warm_scripts import run_warm
from trainables.commands.project_scripts import scripts

SWEEPS = sorted(name for name, script in scripts("sweeps").items() if script.declares)

OWN = '''"""Does a stronger penalty help?"""

from sweeps.driver.main import main
from sweeps.plan.sweep import Axis, Sweep

SWEEP = Sweep(
    name="strong",
    question="Does a stronger penalty help?",
    axes=(Axis(name="l2", lesson=(0.0, 1.0), low=0.0, high=1.0),),
)

if __name__ == "__main__":
    main(SWEEP)
'''


def _too_wide(lines: list[str]) -> list[str]:
    wide = [line for line in lines if len(line.rstrip()) > COLUMNS and not PASTED.match(line)]
    return [line for line in wide if not line.startswith("recorded in ")]  # which ends in a path


@pytest.mark.parametrize("name", [*SWEEPS, "seeds"])
def test_a_plan_fits(name: str, tmp_path: Path) -> None:
    flags = ("--l1", "0", "0.005", "--by-source") if name == "seeds" else ()
    done = run_warm(f"sweeps/{name}.py", "--dry-run", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert _too_wide(done.stdout.splitlines()) == []


def test_an_error_ends_between_words_and_is_one_line_elsewhere(tmp_path: Path) -> None:
    shown = run_at_terminal("sweeps/l2.py", "--folds", "1000", cwd=tmp_path)
    assert shown.exit_code == 2
    assert len(shown.lines) > 1
    assert _too_wide(shown.lines) == []
    done = run_warm("sweeps/l2.py", "--folds", "1000", cwd=tmp_path)
    (line,) = done.stderr.splitlines()
    assert line.split() == " ".join(shown.lines).split()


@pytest.mark.slow
@pytest.mark.sweep
def test_a_sweep_shows_a_bar_and_counts_that_move_and_everything_fits(tmp_path: Path) -> None:
    flags = ("--num-samples", "4", "--seeds", "3", "--epochs", "3000", "--pack", "1")
    shown = run_at_terminal("sweeps/elastic_net.py", *flags, cwd=tmp_path)
    assert shown.exit_code == 0, shown.lines
    assert _too_wide(shown.lines) == []
    bars = [line for line in shown.lines if line.startswith("training ━")]
    counts = {int(n) for line in bars for n in re.findall(r"(\d+) of 12 models", line)}
    assert len(counts) > 2
    assert any("models" in line and "s left" in line for line in bars)
    recorded = {n for line in shown.lines for n in re.findall(r"· (\d) of 4 trials recorded", line)}
    assert len(recorded) > 1, recorded
    assert any("best l1=" in line for line in shown.lines)


@pytest.mark.slow
@pytest.mark.sweep
def test_what_a_users_own_script_prints_works_where_it_is_printed(tmp_path: Path) -> None:
    (tmp_path / "my scripts").mkdir()
    (tmp_path / "my scripts" / "strong.py").write_text(OWN)
    flags = ("--seeds", "2", "--epochs", "5", "--confirm", "0")
    script = tmp_path / "my scripts" / "strong.py"
    shown = run_at_terminal(script, *flags, cwd=tmp_path)
    assert shown.exit_code == 0, shown.lines
    (drawn,) = [line for line in shown.lines if line.startswith("figures and table:  ")]
    program, *words = shlex.split(drawn.split(":  ")[1])
    assert program == "python"
    subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment(), timeout=HANG, check=True
    )
    run_id = read_record(tmp_path).parent.info.run_id
    assert run_id in words
    again = run_warm("sweeps/l2.py", "--resume", run_id, cwd=tmp_path)
    assert again.returncode == 7
    assert f"use python '{script}'" in again.stderr
