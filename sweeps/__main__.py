"""The scripts of this folder by their names: `sweeps l2`, or `python -m sweeps l2`.

Without a name it lists what there is.
"""

from __future__ import annotations

import sys

from sweeps.plan.command_line import print_completion
from trainables.commands.project_scripts import COMMAND, MODULE, run


def command() -> None:
    """What the console script does."""
    run("sweeps", sys.argv[1:], COMMAND, print_completion)


if __name__ == "__main__":
    run("sweeps", sys.argv[1:], MODULE, print_completion)
