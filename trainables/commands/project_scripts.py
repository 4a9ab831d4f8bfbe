"""The scripts of sweeps/ and analysis/: which there are, and the words that run one from here.

A script is called by its file, `python sweeps/l2.py`, from any folder; or by its folder and name,
`sweeps l2` where the project is installed, else `python -m sweeps l2`. What is printed to be typed
is worded as the user has called, and works in the folder that he is in.
"""

from __future__ import annotations

import ast
import os
import runpy
import shlex
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from trainables.commands.closed_output import outlive_readers
from trainables.declaration import did_you_mean, shown
from trainables.hyperparameters import TRAINER_VERSION
from trainables.installation import package_version
from trainables.record_format import VERSION

_PROJECT = "regularization-sweeps"
_ROOT = Path(__file__).parents[2]
# How a script was called if not by its file: `sweeps` or `python -m sweeps`, with {} for the
# folder. In the environment, for processes that a script starts print commands too.
_CALLED = "SWEEPS_CALLED_AS"
COMMAND, MODULE = "{}", "python -m {}"
_BAD_INPUT = 2
_WIDTH, _NAMES = 80, 18  # columns


class Script(NamedTuple):
    """A script: the first paragraph of its docstring, and whether it declares a sweep."""

    about: str
    declares: bool


class OptionsMet(BaseException):
    """Instead of running, a script gives its options: their class and, unless None, defaults."""

    def __init__(self, kind: type[Any], default: object) -> None:
        super().__init__()
        self.kind, self.default = kind, default
        # The names in its annotations are those of a module that goes with its run.
        hints = get_type_hints(kind, include_extras=True)
        for each in kind.__mro__[:-1]:
            each.__annotations__ = {name: hints[name] for name in each.__annotations__}


_only_options = False


def meet(kind: type[Any], default: object = None) -> None:
    """What every script does with its options before they are read: tells its version if it is
    asked for it, and its options if these are all that is wanted. From here on it outlives whoever
    reads what it prints."""
    if _only_options:
        raise OptionsMet(kind, default)
    outlive_readers()
    if "--version" in sys.argv[1:]:
        print(version())
        sys.exit(0)


def version() -> str:
    """The project's version, and those that decide which numbers it gives and which records it
    reads."""
    own = package_version(_PROJECT)
    return f"{_PROJECT} {own} (trainer {TRAINER_VERSION}, record format {VERSION})"


def scripts(folder: str) -> dict[str, Script]:
    """The scripts of `sweeps` or `analysis` by name."""
    found = {}
    for file in sorted((_ROOT / folder).glob("[!_]*.py")):
        text = file.read_text(encoding="utf-8")
        if '\nif __name__ == "__main__":' not in text:
            continue
        about = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
        found[file.stem] = Script(" ".join(about.split()), "\nSWEEP = " in text)
    return found


def words(folder: str, name: str) -> str:
    """What runs that script, typed in the current folder."""
    if called := os.environ.get(_CALLED):
        return f"{called.format(folder)} {name}"
    return f"python {shlex.quote(file_from_here(folder, name))}"


def file_from_here(folder: str, name: str) -> str:
    """The path of that script, relative to the current folder where that is shorter."""
    file = str(_ROOT / folder / f"{name}.py")
    return min(os.path.relpath(file), file, key=len)


def these_words() -> str:
    """What has run this process's own script, typed in the current folder."""
    file = Path(sys.argv[0]).resolve()
    if os.environ.get(_CALLED) and file.parent.parent == _ROOT.resolve():
        return words(file.parent.name, file.stem)
    return f"python {shlex.quote(sys.argv[0])}"


def words_of_sweep(name: str, command: str) -> str:
    """What runs the script of a recorded sweep of that name, which `command` has run."""
    if name in scripts("sweeps"):
        return words("sweeps", name)
    # A user's own, typed in a folder that is not known; from Python it has no script.
    program, script, *_ = (*shlex.split(command), "", "")
    return f"python {shlex.quote(script)}" if program == "python" else "python YOUR_SCRIPT.py"


def run(
    folder: str,
    arguments: Sequence[str],
    called: str,
    complete: Callable[[str, Mapping[str, OptionsMet], Sequence[str]], None],
) -> None:
    """Runs the script that the first argument names, with the others; without one, lists them.

    `called`: COMMAND or MODULE. `complete` prints what a shell needs to complete: the name of the
    program, the options of its scripts, and the arguments that asked for it.
    """
    program = called.format(folder)
    first, *others = arguments or ["--help"]
    outlive_readers()
    if first in ("-h", "--help"):
        print(_listing(folder, program))
    elif first == "--version":
        print(version())
    elif first.startswith("--tyro-"):
        complete(program, _all_options(folder), arguments)
    else:
        name = first.removesuffix(".py").replace("-", "_")
        if name not in (known := scripts(folder)):
            hint = did_you_mean(name, list(known)) or f": `{program}` lists what there is"
            print(f"error: there is no {shown(first)} in {folder}{hint}", file=sys.stderr)
            sys.exit(_BAD_INPUT)
        os.environ[_CALLED] = called
        _run(folder, name, others)


def _run(folder: str, name: str, arguments: Sequence[str]) -> None:
    sys.argv = [str(_ROOT / folder / f"{name}.py"), *arguments]
    runpy.run_module(f"{folder}.{name}", run_name="__main__", alter_sys=True)


def _all_options(folder: str) -> dict[str, OptionsMet]:
    global _only_options
    _only_options, found = True, {}
    with warnings.catch_warnings(action="ignore"):  # that one has been imported by another
        for name in scripts(folder):
            try:
                _run(folder, name, [])
            except OptionsMet as met:
                found[name] = met
    _only_options = False
    return found


def _listing(folder: str, program: str) -> str:
    known = scripts(folder)
    parts = {"sweeps": True, "other commands": False} if folder == "sweeps" else {"commands": False}
    lines = [f"usage: {program} NAME [OPTIONS]", f"       {program} NAME --help"]
    for title, declares in parts.items():
        lines += ["", f"{title}:"]
        for name, script in known.items():
            if script.declares == declares:
                lines.append(
                    textwrap.fill(
                        script.about,
                        _WIDTH,
                        initial_indent=f"  {name:<{_NAMES}}",
                        subsequent_indent=" " * (_NAMES + 2),
                        break_on_hyphens=False,
                    )
                )
    return "\n".join(lines)
