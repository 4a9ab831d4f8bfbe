"""Hosts made of namespaces: each has its own network, processes, /tmp, /root and /run, and SSH.

They share this machine's kernel, cores and other files. Their addresses exist in their network
alone, and there is no way into or out of it. All of it ends with the processes that hold the
namespaces, even if the test run is killed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from support.scripts import HANG
from support.servers import lacking

_NETWORK = "10.77.0"
_OWN = ("/tmp", "/root", "/run")  # folders that every host has for itself
_NEEDED = ("ip", "nsenter", "unshare", "setpriv", "ssh", "ssh-keygen", "rsync", "git")
_SSHD = "/usr/sbin/sshd"
_LINE = Path(__file__).parent / "poor_line.py"

# The first process of a host. Mounts come one over the other: what has to stay visible of this
# machine's /tmp and /root is bound into the host's own before these are mounted.
_INIT = """
set -e
name=$1 folder=$2
shift 2
hostname "$name"
mount -t tmpfs tmpfs /dev/shm
for path in "$@"; do
  mkdir -p "$folder$path"
  mount --bind "$path" "$folder$path"
done
ip link set lo up
for own in root run tmp; do mount --rbind "$folder/$own" "/$own"; done
cd /root
/usr/sbin/sshd -D -e -f /run/sshd_config &
while :; do wait -n || sleep 0.5; done  # bash reaps the orphans that become its children
"""

_SSHD_CONFIG = """
HostKey /run/host_key
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
UseDNS no
MaxStartups 50:30:100
"""


def require_namespaces() -> None:
    """Skips the test where hosts cannot be made, with the reason; on CI it fails."""
    if os.geteuid() != 0:
        lacking("hosts made of namespaces need root")
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        lacking(
            f"hosts made of namespaces need {', '.join(missing)} (Debian: iproute2, rsync, git)"
        )
    if not os.access(_SSHD, os.X_OK):
        lacking("hosts made of namespaces need sshd (Debian: openssh-server)")
    tried = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], check=False)
    if tried.returncode != 0:
        lacking("this machine does not let root make namespaces")


def _held(*command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
    """Starts a process that ends with this one, however that ends."""
    with (log or Path(os.devnull)).open("ab") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + HANG
    while not happened():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.02)


class Host:
    """A host of a network; while it is on, `run` does what a user at its keyboard does."""

    def __init__(self, network: Network, name: str, number: int) -> None:
        self.name, self.address = name, f"{_NETWORK}.{number}"
        self.folder = network.folder / name  # its own folders, as seen from outside
        self._network = network
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None  # of the host's first process, once the host is up
        for own in (*_OWN, "/root/.ssh", "/run/sshd"):
            (self.folder / own[1:]).mkdir(parents=True, exist_ok=True)
        self.path("/tmp").chmod(0o1777)
        key = self.path("/run/host_key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.path("/run/sshd_config").write_text(_SSHD_CONFIG)
        shutil.copy(network.key.with_suffix(".pub"), self.path("/root/.ssh/authorized_keys"))

    def path(self, inside: str) -> Path:
        """Where one of its own files is for the others of this machine."""
        return self.folder / inside.removeprefix("/")

    @property
    def on(self) -> bool:
        """Whether it has power."""
        return self._holder is not None

    def power_on(self) -> None:
        """Starts the host, which has what it had on its disk; returns when SSH answers."""
        self.path("/run/sshd.pid").unlink(missing_ok=True)
        spaces = ("--net", "--mount", "--pid", "--uts", "--ipc", "--mount-proc")
        ends = ("--fork", "--kill-child", "--propagation", "private")
        script = ("bash", "-c", _INIT, "init", self.name, str(self.folder))
        log = self.folder / "init.log"
        started = _held("unshare", *spaces, *ends, *script, *self._network.shown, log=log)
        self._holder = started
        holder = psutil.Process(started.pid)
        ready = self.path("/run/sshd.pid")
        _wait_until(lambda: ready.exists() or started.poll() is not None, f"{self.name} is up")
        assert ready.exists(), f"{self.name} does not start:\n{log.read_text()}"
        self._pid = holder.children()[0].pid
        self._network.plug(f"v-{self.name}", self._pid, self.address)

    def power_off(self) -> None:
        """Everything on the host stops at once, as without power."""
        if self._holder is not None:
            if self._pid is not None:
                self.cut()  # nobody hears that its connections end
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
                self._pid = None
            self._holder.kill()
            self._holder.wait()
            self._holder = None
            self._network.unplug(f"v-{self.name}")

    def cut(self) -> None:
        """Pulls the network cable."""
        self._network.command("ip", "link", "set", f"v-{self.name}", "down")

    def mend(self) -> None:
        """Plugs the cable in again."""
        self._network.command("ip", "link", "set", f"v-{self.name}", "up")

    @contextmanager
    def poor_line(self, seconds: float, jitter: float, loss: float) -> Iterator[None]:
        """What passes the cable takes so long meanwhile, more or less by up to `jitter`, in either
        direction, and gets lost with the probability `loss`."""
        cable, between = f"v-{self.name}", f"p-{self.name}"
        command = self._network.command
        command(*f"ip link add {between} type bridge".split())
        command("ip", "link", "set", between, "up")
        line = self._network.line(between, *map(str, (seconds, jitter, loss)))
        try:
            command("ip", "link", "set", cable, "master", between)
            yield
        finally:
            command("ip", "link", "set", cable, "master", "bridge")
            line.kill()
            line.wait()
            command("ip", "link", "delete", between)

    def _command(self, command: str) -> list[str]:
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid")
        variables = ("HOME=/root", "USER=root", "LANG=C.UTF-8", "TERM=dumb")
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        # nsenter waits for what it starts, which has to end with it.
        enter = ["nsenter", "--target", str(self._pid), *spaces, "setpriv", "--pdeathsig", "KILL"]
        shell = f"cd; [ ! -e .bashrc ] || . ~/.bashrc; {command}"
        return [*enter, "env", "-i", *variables, path, "bash", "-c", shell]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """What a shell command, started in the home folder, ends with and prints."""
        return subprocess.run(
            self._command(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )

    def start(self, command: str) -> subprocess.Popen[str]:
        """The same in the background, with what it prints in one stream."""
        return subprocess.Popen(
            self._command(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def processes(self) -> list[str]:
        """Command lines of what runs on the host, beside its first process and SSH server."""
        mine = os.readlink(f"/proc/{self._pid}/ns/pid")
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                line = " ".join(process.cmdline())  # none: a zombie
                own = process.pid == self._pid or line.startswith("sshd:")
                if line and not own and os.readlink(f"/proc/{process.pid}/ns/pid") == mine:
                    found.append(line)
        return found

    def wait_until_idle(self) -> None:
        """Waits until nothing runs on the host any more."""
        deadline = time.monotonic() + HANG
        while left := self.processes():
            assert time.monotonic() < deadline, f"{self.name} still has {left}"
            time.sleep(0.2)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Connections that this thread makes meanwhile are made from the host."""
        assert self._pid is not None
        with Path("/proc/thread-self/ns/net").open() as own, _network_of(self._pid) as other:
            _enter(other.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())


def _network_of(pid: int):  # type: ignore[no-untyped-def]
    return Path(f"/proc/{pid}/ns/net").open()


def _enter(file: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(file, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


class Network:
    """A network of hosts; `shown`: folders of this machine that every host sees at their paths."""

    def __init__(self, folder: Path, shown: Sequence[Path]) -> None:
        self.folder = folder
        self.shown = [str(each) for each in shown if str(each).startswith(_OWN)]
        self.key = folder / "key"  # opens every host
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        # The cables end at a bridge in a network of its own, which vanishes with its one process.
        self._switch = _held("unshare", "--net", "sleep", "infinity")
        own = os.readlink("/proc/self/ns/net")
        switch = f"/proc/{self._switch.pid}/ns/net"
        _wait_until(lambda: os.readlink(switch) != own, "a switch")
        self.command("ip", "link", "add", "bridge", "type", "bridge")
        self.command("ip", "link", "set", "bridge", "up")
        self.hosts: list[Host] = []

    def command(self, *command: str, inside: int | None = None) -> None:
        """Runs a command in the network of the switch, or of the process `inside`."""
        target = str(inside or self._switch.pid)
        subprocess.run(["nsenter", "--target", target, "--net", *command], check=True)

    def plug(self, cable: str, pid: int, address: str) -> None:
        """Connects the host with that first process to the switch."""
        self.command(*f"ip link add {cable} type veth peer name eth0 netns {pid}".split())
        self.command("ip", "link", "set", cable, "master", "bridge", "up")
        self.command("ip", "addr", "add", f"{address}/24", "dev", "eth0", inside=pid)
        self.command("ip", "link", "set", "eth0", "up", inside=pid)

    def unplug(self, cable: str) -> None:
        """Takes away what `plug` made; the kernel does that too, at some time."""
        target = ["nsenter", "--target", str(self._switch.pid), "--net"]
        subprocess.run(
            [*target, "ip", "link", "delete", cable], stderr=subprocess.DEVNULL, check=False
        )

    def line(self, bridge: str, *quality: str) -> subprocess.Popen[bytes]:
        """A poor line between that bridge and the others' one, which ends with the process."""
        log = self.folder / f"{bridge}.log"
        script = (sys.executable, str(_LINE), "bridge", bridge, *quality)
        target = str(self._switch.pid)
        line = _held("nsenter", "--target", target, "--net", *script, log=log)
        _wait_until(lambda: log.stat().st_size > 0 or line.poll() is not None, "a line")
        assert line.poll() is None, log.read_text()
        return line

    def add(self, name: str) -> Host:
        """A new host, switched on."""
        self.hosts.append(Host(self, name, 10 + len(self.hosts)))
        self.hosts[-1].power_on()
        return self.hosts[-1]

    def end(self) -> None:
        """Switches everything off."""
        for host in self.hosts:
            host.power_off()
        self._switch.kill()
        self._switch.wait()


@contextmanager
def network(*shown: Path) -> Iterator[Network]:
    """A network without hosts yet; they and their folder are gone afterwards.

    `shown`: folders of this machine that hosts need to see, beside Python's.
    """
    require_namespaces()
    python = [Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("purelib"))]
    with tempfile.TemporaryDirectory(prefix="hosts-", dir="/tmp") as folder:
        made = Network(Path(folder), [*python[:2], *shown])
        try:
            yield made
        finally:
            made.end()
