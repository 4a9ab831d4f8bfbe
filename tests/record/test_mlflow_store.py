"""The settings that a store is opened with are those that MLflow reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.scripts import environment

PATIENCE = """
from sweeps.record.store.opening import open_store, work_patiently
open_store("sqlite:///mlflow.db")
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_TIMEOUT as seconds
print(seconds.get())
work_patiently()
print(seconds.get())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("given", "expected"), [("", ["5", "30"]), ("77", ["77", "77"])])
def test_a_call_waits_shortly_at_first_then_longer_or_as_the_user_says(
    tmp_path: Path, given: str, expected: list[str]
) -> None:
    chosen = {"MLFLOW_HTTP_REQUEST_TIMEOUT": given} if given else {}
    done = subprocess.run(
        [sys.executable, "-c", PATIENCE],
        cwd=tmp_path,
        env=environment() | chosen,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == expected
