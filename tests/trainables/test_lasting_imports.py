"""The garbage collector rests during imports, works afterwards, and leaves what they made alone."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from trainables.lasting_imports import lasting_imports


def test_the_collector_rests_within_and_works_after() -> None:
    before = gc.get_freeze_count()
    with lasting_imports():
        assert not gc.isenabled()
        kept = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)
    gc.unfreeze()


def test_it_works_again_after_an_import_that_fails() -> None:
    with pytest.raises(ModuleNotFoundError), lasting_imports():
        raise ModuleNotFoundError
    assert gc.isenabled()
    gc.unfreeze()


def test_a_waiting_worker_imports_what_training_needs_and_no_more(tmp_path: Path) -> None:
    code = (
        "import sys, trainables.worker_imports\n"
        "assert {'torch', 'ray.tune', 'trainables.train_pack'} <= set(sys.modules)\n"
        "assert not {'mlflow', 'sklearn', 'optuna', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
