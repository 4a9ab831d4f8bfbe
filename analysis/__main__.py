"""The scripts of this folder by their names: `analysis l2`, or `python -m analysis l2`.

Without a name it lists what there is.
"""

from __future__ import annotations

import sys

from analysis.reading.script_options import print_completion
from trainables.commands.project_scripts import COMMAND, MODULE, run


def command() -> None:
    """What the console script does."""
    run("analysis", sys.argv[1:], COMMAND, print_completion)


if __name__ == "__main__":
    run("analysis", sys.argv[1:], MODULE, print_completion)
