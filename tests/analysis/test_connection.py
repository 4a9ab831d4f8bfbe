"""Opening a store: nothing is created, and what is wrong is said in one line, soon."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from analysis.reading.connection import open_store
from analysis.reading.errors import STORE, Stop
from support.record_fixture import Recorded, made_up_sweep, new_store
from support.small_record import POINTS, write


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_store(tmp_path)


@pytest.fixture
def sweep() -> list[Recorded]:
    return made_up_sweep(["l2"], POINTS)


@pytest.mark.parametrize("how", ["argument", "environment", "default"])
def test_missing_store_is_not_created(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if how == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    with pytest.raises(Stop) as caught:
        open_store("sqlite:///mlflow.db" if how == "argument" else None)
    assert caught.value.code == STORE
    assert f"no tracking store at {tmp_path}/mlflow.db" in str(caught.value)
    assert "sweeps/l2.py" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough" * 100])
def test_file_that_is_no_store_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_bytes(content)
    with pytest.raises(Stop) as caught:
        open_store(f"sqlite:///{file}")
    assert caught.value.code == STORE
    assert str(file) in str(caught.value)
    assert file.read_bytes() == content


def test_relative_sqlite_uri_is_of_the_current_folder(
    uri: str, sweep: list[Recorded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(uri, sweep)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert open_store(None).tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"


@pytest.mark.slow
@pytest.mark.parametrize("answers", [False, True])
def test_unreachable_server_fails_soon(answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_RETRIES", "TIMEOUT"):  # set, so that what open_store sets is undone
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", "")
        monkeypatch.delenv(f"MLFLOW_HTTP_REQUEST_{name}")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if answers:  # takes the connection and then says nothing
            server.listen()
        start = time.monotonic()
        with pytest.raises(Stop) as caught:
            open_store(f"http://somebody:secret@127.0.0.1:{server.getsockname()[1]}")
        assert time.monotonic() - start < 15
    assert caught.value.code == STORE
    assert "cannot read the tracking store http://***@127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)
