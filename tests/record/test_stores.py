"""One sweep, every kind of store: the same record, and no secret in it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from support.everything import differences, everything, sweeps
from support.invariants import check_invariants
from support.record import Record
from support.scripts import ROOT, environment
from support.servers import MlflowServer, mlflow_server, mlflow_server_with_login, postgresql
from support.sweep_process import started

pytestmark = pytest.mark.sweep

SIX = ("--num-samples", "6", "--seeds", "3", "--epochs", "40", "--log-seeds")
L2 = (*SIX, "--max-concurrent", "1")  # other packs than those of the record it is compared with
TINY = ("--num-samples", "2", "--seeds", "2", "--epochs", "20", "--max-concurrent", "1")
CANARY = "c4n4ry@in/a:password"  # with everything that could end it early
WRITTEN = "c4n4ry%40in%2Fa%3Apassword"  # as it stands in an address
CANARIES = re.compile(rb".{0,60}(c4n4ry|4g4in|a:password).{0,60}")  # in whole or in part


@pytest.fixture(scope="module")
def with_login() -> Iterator[MlflowServer]:
    with mlflow_server_with_login("admin", CANARY) as server:
        yield server


def check_same_as_embedded(uri: str, record: Record, folder: Path) -> None:
    reference = everything(record.client)
    with started("sweeps/l2.py", *L2, cwd=folder, MLFLOW_TRACKING_URI=uri) as process:
        assert process.wait() == 0, process.stderr
        check_invariants(uri, reference=reference, process=process)
    assert list(folder.iterdir()) == []


def test_the_readers_see_a_difference(l2_record: Record) -> None:
    reference, other = everything(l2_record.client), everything(l2_record.client)
    assert differences(other, reference) == []
    losses = other.tables["curves"]["test/loss"]
    other.tables["curves"]["test/loss"] = losses.where(losses.index != 7, losses + 1e-7)
    assert len(differences(other, reference)) == 1


@pytest.mark.slow
def test_server_with_sqlite_holds_what_an_embedded_store_holds(
    l2_record: Record, tmp_path: Path
) -> None:
    with mlflow_server() as server:
        check_same_as_embedded(server.uri, l2_record, tmp_path)


@pytest.mark.slow
def test_server_with_postgresql_holds_what_an_embedded_store_holds(
    l2_record: Record, tmp_path: Path
) -> None:
    with postgresql() as database, mlflow_server(database) as server:
        check_same_as_embedded(server.uri, l2_record, tmp_path)


def reader(server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", CANARY)
    return MlflowClient(server.uri)


@pytest.mark.slow
@pytest.mark.parametrize("in_address", [True, False])
def test_login_is_used_and_stands_nowhere(
    with_login: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_address: bool
) -> None:
    """The canary is the password, in the address on the command line or in the environment, and
    a key in the environment, and part of the address of the git remote."""
    project = copy_of_the_project(tmp_path / "project")
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    experiment = "in-address" if in_address else "in-environment"
    flags = [*TINY, "--experiment-name", experiment]
    variables = {"PYTHONPATH": str(project), "AWS_SECRET_ACCESS_KEY": CANARY, "A_TOKEN": CANARY}
    if in_address:
        flags += ["--tracking-uri", with_login.uri.replace("//", f"//admin:{WRITTEN}@")]
    else:
        variables["MLFLOW_TRACKING_URI"] = with_login.uri
        variables |= {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": CANARY}
    with started(project / "sweeps/l2.py", *flags, cwd=cwd, **variables) as process:
        assert process.wait() == 0, process.stderr
        client = reader(with_login, monkeypatch)
        assert sweeps(client, experiment)[0].data.tags["mlflow.source.git.commit"]
        check_invariants(with_login.uri, experiment=experiment, process=process)
        # The temporary folder has what was printed and all logs of Ray.
        for place in (with_login.folder, cwd, process.temporary):
            assert_no_canary(place)


@pytest.mark.slow
@pytest.mark.parametrize("in_address", [True, False])
def test_wrong_password_is_refused_in_one_line_that_names_the_variables(
    with_login: MlflowServer, tmp_path: Path, in_address: bool
) -> None:
    variables = {"MLFLOW_TRACKING_URI": with_login.uri}
    if in_address:
        variables["MLFLOW_TRACKING_URI"] = with_login.uri.replace("//", "//admin:c4n4ry%40wrong@")
    else:
        variables |= {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "c4n4ry"}
    with started("sweeps/l2.py", *TINY, cwd=tmp_path, **variables) as process:
        assert process.wait() == 4
        (line,) = process.messages
        assert "MLFLOW_TRACKING_USERNAME" in line
        assert "MLFLOW_TRACKING_PASSWORD" in line
        assert_no_canary(process.temporary)
    assert list(tmp_path.iterdir()) == []


PASSWORDS = ("c4n4ry", "c4n4ry@4g4in", "c4n4ry:4g4in", "c4n4ry%2F4g4in")
UNANSWERED = f"""
from sweeps.record.store.opening import StoreError, open_store
for password in {PASSWORDS}:
    try:
        open_store(f"http://admin:{{password}}@127.0.0.1:9")
    except StoreError as error:
        print(error)
"""


@pytest.mark.slow
def test_password_of_a_server_that_does_not_answer_is_not_repeated(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNANSWERED],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == len(PASSWORDS)
    assert CANARIES.search(done.stdout.encode() + done.stderr.encode()) is None
    address = f"http://admin:{PASSWORDS[1]}@127.0.0.1:9"
    for flags, code in ((("--dry-run",), 0), ((), 4)):
        with started(
            "sweeps/l2.py", *TINY, "--tracking-uri", address, *flags, cwd=tmp_path
        ) as process:
            assert process.wait() == code
            assert_no_canary(process.temporary)


def copy_of_the_project(folder: Path) -> Path:
    """The project as a repository whose remote has the canary in its address."""
    for name in ("sweeps", "trainables", "analysis"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    who = ["-c", "user.name=A. User", "-c", "user.email=user@example.org"]
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        [*who, "commit", "--quiet", "--message", "all of it"],
        ["remote", "add", "origin", f"https://user:{WRITTEN}@git.example.org/project.git"],
    ):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=environment())
    return folder


def assert_no_canary(folder: Path) -> None:
    """No file below `folder` contains the canary, in whole or in part."""
    for path in folder.rglob("*"):
        if path.is_file():
            found = CANARIES.search(path.read_bytes())
            assert found is None, f"{path}: {found and found[0]!r}"
