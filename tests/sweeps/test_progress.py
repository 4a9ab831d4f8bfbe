"""What stands on the line of progress: only what is known, and counts that go up."""

from __future__ import annotations

import re
import time

import pytest

from sweeps.driver import progress
from sweeps.driver.progress import Progress


def test_a_log_gets_lines_of_80_columns_whose_counts_go_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_PLAIN_SECONDS", 0.1)
    with Progress(quiet=False) as shown:
        shown.expect(10_000, 1_000_000)
        time.sleep(0.25)
        shown.stage("training")
        for step in range(1, 20):
            shown.trained(step * 50_000)
            if step > 10:
                shown.writing(7)  # a server's runs are made one by one
            for _ in range(2 if step > 12 else 0):
                shown.recorded("l1=0.0012500 l2=0.025000 97.0 %")
            time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d+ s · \S", line) for line in lines)
    assert max(map(len, lines)) <= 80
    first = next(i for i, line in enumerate(lines) if "recorded" in line)
    assert any("models trained" in line for line in lines[:first]), "no count before it is above 0"
    recorded = [int(n) for line in lines for n in re.findall(r"(\d+) of 10000 trials", line)]
    assert recorded == sorted(recorded)
    assert 7 in recorded
    assert len(set(recorded)) > 3
    assert any("best l1=0.0012500" in line for line in lines)
    assert any(re.search(r"models trained · [\d,]+/s · \d+ s left$", line) for line in lines)


def test_the_rate_is_that_of_training_and_not_of_the_time_after_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_PLAIN_SECONDS", 0.2)
    with Progress(quiet=False) as shown:
        shown.expect(2, 100)
        for models in (50, 75, 100):
            shown.trained(models)
            time.sleep(0.6)
        shown.stage("recording")
        time.sleep(1)
    lines = capsys.readouterr().err.splitlines()
    after = {re.findall(r"· ([\d.]+)/s", line)[0] for line in lines if "recording" in line}
    assert len(after) == 1
    assert not any(" left" in line for line in lines if "recording" in line)


def test_what_is_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as shown:
        shown.expect(3, 6)
        shown.recorded("best")
        shown.note("a note")
    assert capsys.readouterr().err == ""
