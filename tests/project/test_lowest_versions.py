"""The versions that CI tries beside the newest are the lower ends of the declared ranges."""

from __future__ import annotations

import tomllib

from packaging.requirements import Requirement
from packaging.version import Version

from support.scripts import ROOT

LOWEST = ROOT / ".ci" / "lowest.txt"


def test_ci_installs_the_lower_end_of_every_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lower: dict[str, set[Version]] = {}
    for requirement in map(Requirement, project["dependencies"]):
        ends = [end for end in requirement.specifier if end.operator == ">="]
        lower[requirement.name] = {Version(end.version) for end in ends}
    lines = [line for line in LOWEST.read_text().splitlines() if not line.startswith("#")]
    installed: dict[str, set[Version]] = {}
    for requirement in map(Requirement, lines):
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        installed[requirement.name] = {Version(pin.version)}
    assert installed == lower
