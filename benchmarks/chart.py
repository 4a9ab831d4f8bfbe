"""Draws seconds against the number of trials, ours and the rivals', from the benchmarks' results.

    python benchmarks/chart.py      # writes docs/time_against_trials.png

Needs the results of `sweep` and of `growth`. Dots are measured; a dashed line is extrapolated from
its rival's dots, and is labelled so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from drawing import COLOURS, logarithmic, parse, read, save_chart


@dataclass(frozen=True)
class Line:
    """Measured `points` (trials of one seed, median seconds), and what follows from them.

    `extrapolated`: seconds of start-up and seconds of each trial, or None for measured alone.
    """

    label: str
    points: tuple[tuple[int, float], ...]
    extrapolated: tuple[float, float] | None = None


def lines(sweep: dict[str, Any], growth: dict[str, Any]) -> list[Line]:
    """What is to be drawn, ours first."""
    ours: dict[int, list[float]] = defaultdict(list)
    for each in growth["runs"]:
        ours[each["trials"]].append(each["seconds"])
    rivals: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in sweep["rows"]:
        if row["way"].startswith("python "):
            if row["seeds"] == 1:
                ours[row["configurations"]] += row["seconds"]
        else:
            rivals[row["way"]].append(
                (row["configurations"] * row["seeds"], median(row["seconds"]))
            )
    found = [Line("python sweeps/l2.py", tuple((n, median(s)) for n, s in sorted(ours.items())))]
    for each in sweep["extrapolations"]:
        rule = (each["startup_seconds"], each["seconds_a_model"])
        found.append(Line(each["way"], tuple(sorted(rivals[each["way"]])), rule))
    return found


def draw(found: list[Line], machine: dict[str, Any], epochs: int, path: Path) -> None:
    """Draws `found` on two logarithmic axes into `path`."""
    axes = logarithmic(
        (8, 5),
        xlabel=f"trials (one seed, {epochs} epochs each)",
        ylabel="seconds, process start to exit",
        title=f"{machine['cpu']}, {machine['cores']} cores; medians",
    )
    most = max(trials for line in found for trials, _ in line.points)
    for line, colour in zip(found, COLOURS, strict=False):
        trials, seconds = zip(*line.points, strict=True)
        style = "o-" if line.extrapolated is None else "o"
        axes.plot(trials, seconds, style, color=colour, label=f"{line.label} (measured)")
        if line.extrapolated is not None:
            startup, each = line.extrapolated
            reach = [most ** (step / 50) for step in range(51)]
            drawn = [startup + n * each for n in reach]
            axes.plot(reach, drawn, "--", color=colour, label=f"{line.label} (extrapolated)")
    for limit, name in ((60, "a minute"), (3600, "an hour"), (86_400, "a day")):
        axes.axhline(limit, color="0.85", linewidth=0.8, zorder=0)
        axes.annotate(
            name,
            (1, limit),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            color="0.5",
            fontsize=8,
        )
    save_chart(axes, path)


def main() -> None:
    """Reads the results and draws the chart."""
    options = parse(__doc__, "time_against_trials.png")
    sweep, growth = read(options.results, ("sweep", "growth"))
    epochs = sweep["rows"][0]["epochs"]
    draw(lines(sweep, growth), sweep["machine"], epochs, options.out)


if __name__ == "__main__":
    main()
