"""A laptop and three hosts on which docs/cluster.md is followed, command by command."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.network_hosts import Host, network
from support.scripts import HANG, ROOT
from support.servers import lacking

TRUSTING = "-o StrictHostKeyChecking=no"  # of hosts that SSH meets for the first time
PAGE = (ROOT / "docs" / "cluster.md").read_text()


def documented() -> list[str]:
    """The page's commands, except those of sections that say that they are not run here."""
    sections = [part for part in PAGE.split("\n## ") if "\n*Not run by the tests" not in part]
    blocks = re.findall(r"(?:^(?: {4}| {8})(?! )\S.*\n)+", "\n".join(sections), re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(ray|bash|python|ssh) ", line)]


@dataclass
class Cluster:
    """The hosts, and which of the page's commands they have run."""

    laptop: Host
    head: Host
    workers: list[Host]
    run: set[str] = field(default_factory=set)

    @property
    def tracking_uri(self) -> str:
        return f"http://{self.head.address}:5000"

    def filled_in(self, text: str) -> str:
        """`text` with addresses and user in place of the names that stand for them."""
        both = ", ".join(host.address for host in self.workers)
        text = text.replace("WORKER_ADDRESS, WORKER_ADDRESS", both)
        return text.replace("HEAD_ADDRESS", self.head.address).replace("SSH_USER", "root")

    def follow(self, beginning: str, host: Host | None = None) -> str:
        """Runs the page's command that begins so, on the laptop in the project's folder or on
        `host`; what it printed. It has to end well."""
        command = self.filled_in(self.command(beginning))
        done = host.run(command) if host else self.laptop.run(f"cd project; {command}")
        assert done.returncode == 0, f"{beginning}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def command(self, beginning: str) -> str:
        """The page's one command that begins so, or that is just that."""
        lines = documented()
        found = {line for line in lines if line.startswith(beginning)}
        (command,) = {beginning} if beginning in lines else found
        self.run.add(command)
        return command

    def on_head(self, command: str) -> str:
        """What a command prints that somebody at the head types."""
        done = self.head.run(command)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def nodes(self) -> int:
        """How many nodes Ray has."""
        # Of a node that is lost, its status goes on to count the CPUs.
        _, _, active = self.on_head("ray status").partition("Active:\n")  # says nothing at first
        return sum(map(int, re.findall(r"^ (\d+) ", active.partition("Pending:")[0], re.MULTILINE)))

    def wait_for_nodes(self, number: int) -> None:
        deadline = time.monotonic() + HANG
        while (found := self.nodes()) != number:
            assert time.monotonic() < deadline, f"{found} nodes and never {number}"
            time.sleep(4)  # a look costs seconds of a core


@contextmanager
def hosts_of_the_page(shared: Path) -> Iterator[Cluster]:
    """A laptop with the project, and three hosts as their owner hands them over.

    `shared`: an empty folder, for what the hosts have in common.
    """
    with network(shared) as made:
        _fetch_packages(shared)
        cluster = Cluster(made.add("laptop"), made.add("head"), [])
        cluster.workers += [made.add("one"), made.add("two")]
        _prepare_laptop(cluster, made.key)
        for host in (cluster.head, *cluster.workers):
            _make_venv(host, shared)
        yield cluster


def _fetch_packages(shared: Path) -> None:
    """What hosts need beyond the test run's own packages, which they see; they have no network."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extra = settings["project"]["optional-dependencies"]["cluster"]
    venv.create(shared / "venv", symlinks=True)
    folder = _site_packages(shared / "venv")
    (folder / "test_run.pth").write_text(sysconfig.get_path("purelib"))
    python = [str(shared / "venv" / "bin" / "python"), "-m", "pip", "--quiet"]
    wheels = ["download", "--dest", str(shared / "wheels"), *settings["build-system"]["requires"]]
    for command in (["install", *extra], wheels):
        done = subprocess.run([*python, *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lacking(f"hosts need packages that cannot be installed here: {done.stderr[-300:]}")


def _site_packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def _make_venv(host: Host, shared: Path) -> None:
    """An environment that sees the shared packages, where `install.sh` looks for one."""
    environment = host.path("/root/sweeps-cluster/venv")
    venv.create(environment, symlinks=True)
    seen = [_site_packages(shared / "venv"), sysconfig.get_path("purelib")]
    (_site_packages(environment) / "shared.pth").write_text("\n".join(map(str, seen)))
    script = (Path(sys.prefix) / "bin" / "ray").read_text().splitlines(keepends=True)
    script[0] = "#!/root/sweeps-cluster/venv/bin/python\n"
    ray = environment / "bin" / "ray"
    ray.write_text("".join(script))
    ray.chmod(0o755)
    pip = host.path("/root/.config/pip/pip.conf")
    pip.parent.mkdir(parents=True)
    pip.write_text(f"[global]\nno-index = true\nfind-links = {shared / 'wheels'}\n")
    # Ray would count this machine's cores on each of them.
    host.path("/root/.bashrc").write_text("export RAY_OVERRIDE_RESOURCES='{\"CPU\": 1}'\n")


def _prepare_laptop(cluster: Cluster, key: Path) -> None:
    laptop = cluster.laptop
    shutil.copy(key, laptop.path("/root/.ssh/id_ed25519"))
    laptop.path("/root/.bashrc").write_text(f"export PATH={Path(sys.prefix) / 'bin'}:$PATH\n")
    project = laptop.path("/root/project")
    copy = ["rsync", "-a", "--exclude=/.git", "--filter=:- .gitignore", f"{ROOT}/", f"{project}/"]
    subprocess.run(copy, check=True)
    settings = project / "cluster.yaml"
    settings.write_text(cluster.filled_in(settings.read_text()))
    who = "git -c user.name=tester -c user.email=tester@localhost"
    commit = f"cd project && git init -q && git add -A && {who} commit -qm 'Filled in'"
    done = laptop.run(commit)
    assert done.returncode == 0, done.stderr
    (project / "left_over.py").write_text("raise SystemExit('not committed')\n")
