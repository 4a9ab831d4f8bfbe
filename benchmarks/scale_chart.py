"""Draws where a cluster's parts are full, and simulates the default sweep on more workers.

    python benchmarks/scale_chart.py      # writes docs/scale.png, prints a table

Both from the results of the scale benchmark. Dots are sweeps of sleeping trials that were measured
on this machine; lines are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from drawing import COLOURS, logarithmic, parse, read, save_chart
from measure import print_table
from scale_sweep import lines


class Curve(NamedTuple):
    """Trials per second by number of workers."""

    label: str
    points: list[tuple[float, float]]


def limits(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The lowest rate of each part over the kinds of store: of the first network's long sweep."""
    first = rows[0]["network"]
    most = max(row["trials"] for row in rows)
    found: dict[str, float] = {}
    for row in rows:
        if row["network"] != first or row["trials"] != most or row["sweeps"] != 1:
            continue
        for each in row["limits"]:
            store = row["store"]
            names = {"driver": "the driver", "recorder": f"one recorder ({store})"}
            found[names.get(each["part"], f"{store}: the server")] = each["trials_a_second"]
    return found


def measured(checks: Sequence[dict[str, Any]]) -> list[Curve]:
    """Of each kind of check the median rate by workers, and what the model said."""
    found: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {}
    for each in checks:
        shape = each["runs"][0]["shape"]
        trials, together, a_trial = shape[0], shape[1], shape[4]
        label = f"{a_trial:g} s a trial, {together} a pack, {each['runs'][0]['store']}"
        ours, model = found.setdefault(label, ([], []))
        workers = each["runs"][0]["workers"]
        ours.append((workers, median(trials / run["recorded"] for run in each["runs"])))
        model.append((workers, trials / each["predicted"]["recorded"]))
    curves = []
    for label, (ours, model) in found.items():
        curves += [Curve(label, ours), Curve(f"{label} (model)", model)]
    return curves


def draw(found: dict[str, Any], path: Path) -> None:
    """Draws the results into `path`."""
    machine = found["machine"]
    axes = logarithmic(
        (8.5, 5.5),
        xlabel="workers",
        ylabel="trials per second (10 seeds, 500 epochs)",
        title=f"Costs of {machine['cpu']}, {machine['cores']} cores; dotted: the model",
    )
    a_trial = found["limits"][0]["seconds_a_trial"]
    reach = (1.0, 3000.0)
    label = f"workers: {a_trial:.2g} s a trial, the lesson's network"
    axes.plot(reach, [each / a_trial for each in reach], color="black", label=label)
    for (name, rate), colour in zip(limits(found["limits"]).items(), COLOURS, strict=False):
        axes.plot(reach, (rate, rate), color=colour, linewidth=1.2, label=name)
    for number, curve in enumerate(measured(found["checks"])):
        colour, model = "osD"[number // 2 % 3], number % 2
        workers, rates = zip(*curve.points, strict=True)
        if model:
            axes.plot(workers, rates, ":", color="0.4", linewidth=1)
        else:
            axes.plot(workers, rates, colour, color="0.2", label=f"measured: {curve.label}")
    save_chart(axes, path)


def main() -> None:
    """Reads the results, draws the chart and prints the table."""
    options = parse(__doc__, "scale.png")
    (found,) = read(options.results, ("scale",))
    draw(found, options.out)
    print_table(
        "50 configurations × 10 seeds × 500 epochs, simulated without start-up", lines(found)
    )


if __name__ == "__main__":
    main()
