"""What the charts of benchmarks have in common: where they read, and how they look."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from measure import RESULTS, ROOT

COLOURS = ("#0b6e4f", "#c1440e", "#3b5ba5", "#7a5195", "#b8860b", "#5c5c5c", "#cc3377")


def parse(description: str | None, picture: str) -> argparse.Namespace:
    """The command line of a chart: `results`, a folder, and `out`, by default `docs/picture`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / picture)
    return parser.parse_args()


def read(results: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The results of those benchmarks; ends the process with 2 where some are missing."""
    found = []
    for name in names:
        path = results / f"{name}.json"
        if not path.exists():
            print(f"error: {path} is missing: python benchmarks/{name}.py", file=sys.stderr)
            sys.exit(2)
        found.append(json.loads(path.read_text()))
    return found


def logarithmic(size: tuple[float, float], **labels: str) -> Axes:
    """Axes with two logarithmic scales; `labels`: what `Axes.set` takes."""
    _, axes = plt.subplots(figsize=size, layout="constrained")
    axes.set(xscale="log", yscale="log", **labels)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def save_chart(axes: Axes, path: Path) -> None:
    """Writes the picture with its legend."""
    axes.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.gcf().savefig(path, dpi=150)
    print(path)
