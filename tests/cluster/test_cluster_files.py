"""The files that a cluster is made with, as far as one machine can try them."""

from __future__ import annotations

import base64
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import validate_config

from support.scripts import HANG, ROOT, environment

SETTINGS = ("cluster.yaml", "docs/cloud.yaml")
SCRIPTS = sorted([*(ROOT / "cluster").glob("*.sh"), ROOT / "docs" / "slurm.sh"])
ADDRESS, PORT = "127.0.0.77", 5077  # of this machine, where nothing else listens


def settings(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return loaded


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_what_ray_understands(name: str) -> None:
    validate_config(settings(name))
    with pytest.raises(Exception, match="file_mount_s"):
        validate_config({**settings(name), "file_mount_s": {}})


def test_a_cloud_provider_s_machines_are_set_up_as_all_others_are() -> None:
    own, cloud = (settings(name) for name in SETTINGS)
    for same in ("cluster_name", "file_mounts", "rsync_filter", "cluster_synced_files"):
        assert cloud[same] == own[same]
    assert cloud["worker_start_ray_commands"] == own["worker_start_ray_commands"]
    for commands in ("head_setup_commands", "worker_setup_commands"):
        (command,) = own[commands]
        assert cloud[commands][0] == f"PYTHON=python3 {command}"
    started = own["head_start_ray_commands"][-1].split("; ")[-1]
    assert cloud["head_start_ray_commands"] == [*own["head_start_ray_commands"][:-1], started]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_are_bash(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_slurm_s_flags_are_the_sweep_s() -> None:
    text = (ROOT / "docs" / "slurm.sh").read_text()
    command = text[text.index("python sweeps/l2.py") :]
    flags = {word for word in command.split() if word.startswith("--")}
    known = subprocess.run(
        [sys.executable, str(ROOT / "sweeps" / "l2.py"), "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert flags >= {"--address", "--expect-nodes"}
    assert not {flag for flag in flags if f"{flag} " not in known}


Server = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A head's home folder."""
    folder = tmp_path / "sweeps-cluster"
    folder.mkdir()
    path = f'export PATH="{Path(sys.executable).parent}:$PATH"'
    server = f"export MLFLOW_TRACKING_URI=http://{ADDRESS}:{PORT}"
    (folder / "env.sh").write_text(f"{path}\nexport NODE_ADDRESS={ADDRESS}\n{server}\n")
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    """Runs `mlflow.sh` with an argument; nothing of it is left afterwards."""

    def run(what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(ROOT / "cluster" / "mlflow.sh"), what],
            env=environment() | {"HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )

    yield run
    run("stop")


def status(login: str | None = None, host: str | None = None) -> int:
    """The status of the server's answer; 0 where none answers."""
    headers = {"Host": host} if host else {}
    if login:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    request = urllib.request.Request(f"http://{ADDRESS}:{PORT}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=HANG) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except urllib.error.URLError:
        return 0


@pytest.mark.slow
def test_the_server_asks_for_the_login_that_is_there(home: Path, server: Server) -> None:
    credentials = home / ".mlflow" / "credentials"
    credentials.parent.mkdir()
    credentials.write_text(
        "[mlflow]\nmlflow_tracking_username = sweeper\n"
        "mlflow_tracking_password = only of this test\n"
    )
    done = server("start")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"MLflow at http://{ADDRESS}:{PORT}, login sweeper\n"
    assert status() == 401
    assert status("sweeper:wrong") == 401
    assert status("sweeper:only of this test") == 200
    assert status("sweeper:only of this test", host="evil.example") == 403
    secrets = [*(home / "sweeps-cluster" / "mlflow").iterdir()]
    assert not [file.name for file in secrets if file.stat().st_mode & 0o077]
    credentials.unlink()
    assert server("start").stdout == f"MLflow at http://{ADDRESS}:{PORT}\n"
    assert status() == 200
    assert server("stop").returncode == 0
    assert status() == 0


def test_a_server_that_cannot_start_says_why(home: Path, server: Server) -> None:
    (home / "sweeps-cluster" / "mlflow").mkdir()
    (home / "sweeps-cluster" / "mlflow" / "mlflow.db").write_text("no database")
    done = server("start")
    assert done.returncode == 1
    assert "file is not a database" in done.stderr
    assert not (home / "sweeps-cluster" / "mlflow" / "pid").exists()
