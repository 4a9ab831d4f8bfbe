"""What of an installation the numbers depend on."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trainables.hyperparameters import TRAINER_VERSION

NUMBERS_DEPEND_ON = ("torch", "numpy")
ABSENT = "absent"


def package_version(name: str) -> str:
    """The version of the installed package, without importing it; `ABSENT` if there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ABSENT


def cpu_name() -> str:
    """The model of this machine's processor: numbers differ in their last bits between kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def code_files() -> list[Path]:
    """The source files of this package."""
    return sorted(Path(__file__).parent.glob("*.py"))


def installation(ask_for_cuda: bool = False) -> dict[str, str]:
    """Versions, a digest of this package's code, its folder and the CPU, as seen by this process.

    With `ask_for_cuda` also `cuda`: empty when torch can use a GPU, else why it cannot.
    """
    content = hashlib.sha256()
    for file in code_files():
        content.update(file.name.encode() + file.read_bytes())
    found = {
        "python": platform.python_version(),
        **{name: package_version(name) for name in NUMBERS_DEPEND_ON},
        "trainer": str(TRAINER_VERSION),
        "code": content.hexdigest()[:12],
        "folder": str(Path(__file__).parent),
        "cpu": cpu_name(),
    }
    if ask_for_cuda:
        from trainables.device import why_no_cuda

        found["cuda"] = why_no_cuda()
    return found
