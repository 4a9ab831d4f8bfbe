"""What made a record: command, commit, versions, machine. Never a secret."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from trainables.commands.project_scripts import these_words
from trainables.installation import cpu_name, package_version, set_variables

_PACKAGES = ("torch", "numpy", "scikit-learn", "ray", "mlflow", "optuna", "pandas", "pyarrow")
# Up to the last @ before the path: passwords may hold one.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s?#]*@")


def without_credentials(text: str) -> str:
    """`text` with `user:password@` taken out of every address in it."""
    return _CREDENTIALS.sub("", text)


def one_line(error: BaseException) -> str:
    """The kind of error and its message, without line breaks and without credentials."""
    return f"{type(error).__name__}: {without_credentials(' '.join(str(error).split()))[:300]}"


def command_line(arguments: Sequence[str]) -> str:
    """The command as the user has typed it; `arguments`: those of this process."""
    return without_credentials(" ".join([these_words(), shlex.join(arguments[1:])]).strip())


def commit(without: str = "") -> tuple[str, bool]:
    """Commit of this project's working tree and whether it has changes; empty outside of git.

    Changes below the path `without` do not count.
    """
    folder = Path(__file__).parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        excluded = [f":(top,exclude){without}"] if without else []
        return head, bool(_git(folder, "status", "--porcelain", "--", ":/", *excluded))
    except (OSError, subprocess.CalledProcessError):
        return "", False


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers can depend on, without importing them."""
    packages = {name: package_version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}


def machine() -> dict[str, str | int]:
    """The driver's machine, and what is set there that decides last bits; see `arithmetic`."""
    return {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.release()}",
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "executable": sys.executable,
        "variables": " ".join(f"{name}={value}" for name, value in set_variables().items()),
    }
