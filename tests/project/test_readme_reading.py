"""The pandas and MLflow lines of docs/reading.md read a real record, without this project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.record import Record
from support.scripts import ROOT, environment
from trainables import data

pytestmark = [pytest.mark.sweep, pytest.mark.slow]


def test_the_lines_read_trials_and_curves(l2_record: Record, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reading.md").read_text()
    code, *of_the_model = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(of_the_model) == 3
    assert "import mlflow" in code
    assert not re.search(
        r"\b(sweeps|analysis|trainables)\b[. ]*import|import (sweeps|analysis)", code
    )
    keep = "".join(
        f"\n{name}.to_pickle({str(tmp_path / name)!r})"
        for name in ("trials", "finals", "curves", "by_epoch", "probabilities", "good")
    )
    iris = data.load("iris")
    rows = pd.DataFrame(iris.x, columns=list(iris.feature_names)).assign(species="?")
    rows.to_csv(l2_record.folder / "rows.csv", index=False)
    keep += f"\nnp.save({str(tmp_path / 'shares.npy')!r}, shares)"
    done = subprocess.run(
        [sys.executable, "-c", code + "".join(of_the_model) + keep],
        cwd=l2_record.folder,
        env=environment() | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    trials, finals, curves, by_epoch, probabilities, good = (
        pd.read_pickle(tmp_path / name)
        for name in ("trials", "finals", "curves", "by_epoch", "probabilities", "good")
    )
    assert list(probabilities) == list(iris.class_names)
    np.testing.assert_allclose(probabilities, np.load(tmp_path / "shares.npy"), atol=1e-5)
    assert list(good["source_run_id"]) == [l2_record.parent.info.run_id]
    assert set(trials["run_id"]) == {run.info.run_id for run in l2_record.trials}
    promised = [trial["hyperparameters"]["l2"] for trial in l2_record.manifest["trials"]]
    assert list(finals.index) == sorted(promised)
    recorded = {float(run.data.params["l2"]): run.data.metrics for run in l2_record.trials}
    for value, row in finals.iterrows():
        for name in ("", "_ci_low", "_ci_high"):
            metric = f"final/test_accuracy{name}"
            assert row[f"metrics.{metric}"] == recorded[value][metric]
    assert len(curves) == 6 * 3 * 40
    expected = l2_record.table("curves").groupby(["config", "epoch"])["test/accuracy"].mean()
    assert len(by_epoch) == 6 * 40
    for (config, epoch), value in by_epoch.items():
        assert value == expected[config, epoch]
    assert np.isfinite(by_epoch).all()
