"""What of an installation the numbers depend on."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trainables.hyperparameters import TRAINER_VERSION

NUMBERS_DEPEND_ON = ("torch", "numpy")
ABSENT = "absent"
NO_TRIALS = "commands"  # the room of this package of which a trial knows nothing
# Environment variables by which torch, the libraries below it and numpy choose the instructions
# that they compute with. How many threads there are decides no bit: the trainers use one.
VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    *("MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "MKL_DEBUG_CPU_TYPE"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE"),
    *("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"),
    "GLIBC_TUNABLES",
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
)


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


def set_variables() -> dict[str, str]:
    """Those of `VARIABLES` that are set for this process."""
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


@cache
def arithmetic() -> dict[str, str]:
    """What decides the last bits of the numbers that this process trains, besides its device.

    `cpu`, `instructions` (the vector instructions that torch uses), `torch`, `numpy`, `libc`, and
    every variable that is set, by its name.
    """
    import numpy
    import torch

    return {
        "cpu": cpu_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "libc": " ".join(platform.libc_ver()),
        **set_variables(),
    }


def code_files() -> list[Path]:
    """The source files of this package, but for `NO_TRIALS`; its `__init__.py` comes first."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return [file for file in files if file.parent.name != NO_TRIALS]


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
