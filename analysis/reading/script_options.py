"""The command line that all analysis scripts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union

import tyro

from trainables.commands.project_scripts import OptionsMet, meet, these_words

_Options = TypeVar("_Options")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where sweeps are read from and figures go to."""

    tracking_uri: str | None = None
    """MLflow store; by default MLFLOW_TRACKING_URI, else mlflow.db in the current folder."""

    out: Path | None = None
    """Folder for PNG, SVG and CSV files; by default figures, and in it one named for the sweep."""

    allow_partial: bool = False
    """Go on when the sweep lacks trials; the figures then say so."""

    upload: bool = True
    """Add the figures to the sweep's MLflow run."""

    def folder(self, name: str = "") -> Path:
        """Where files go: those of one sweep into a folder `name` of their own, unless told."""
        return self.out or Path("figures", name)


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions(Places):
    """Options of a script that analyses one sweep."""

    sweep: str | None = None
    """Run id of the sweep, its first 4 digits or more, or the sweep's name; by default the newest
    finished one."""


def parse(kind: type[_Options], description: str | None) -> _Options:
    """The options given on the command line; a wrong one ends the script with exit code 2."""
    meet(kind)
    text = f"{(description or '').strip()}\n\n--version tells the version."
    return tyro.cli(kind, description=text, prog=these_words())


def print_completion(
    program: str, options: Mapping[str, OptionsMet], arguments: Sequence[str]
) -> None:
    """What a shell needs to complete the program's scripts and their flags, as `arguments` ask."""
    kinds = [
        Annotated[met.kind, tyro.conf.subcommand(name, prefix_name=False)]
        for name, met in options.items()
    ]
    every: Any = Union[tuple(kinds)]  # noqa: UP007  # `|` takes no tuple
    tyro.cli(every, prog=program, args=arguments)
