"""Does choosing on the test set promise more than it keeps?

    python analysis/choosing.py

Reads the newest finished sweep that was recorded with --folds, or --sweep RUN_ID; the figure goes
into a folder of ./figures named for the sweep, and to the sweep's MLflow run.
"""

from __future__ import annotations

import sys

from analysis.figures.captions import seeds_and_method
from analysis.figures.confirmed import held_out_reading
from analysis.folds.choice import Choices, Chosen, choose, scores_of
from analysis.folds.choosing_figure import Way, choosing_plot, ways
from analysis.folds.fold_sweeps import load_with_folds, on_fresh_seeds
from analysis.plotting.files import folder_of, publish
from analysis.plotting.terminal import (
    new_console,
    new_table,
    print_origin,
    print_table,
    print_warnings,
)
from analysis.plotting.wording import (
    about_zero,
    from_to,
    in_percent,
    models_left,
    number,
    with_half_width,
)
from analysis.reading.connection import open_store
from analysis.reading.errors import exit_code
from analysis.reading.script_options import AnalysisOptions, parse
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import SHARE, Difference, Estimate, estimate
from trainables.commands.project_scripts import words


@exit_code
def main(options: AnalysisOptions) -> None:
    """Analyses the sweep; the exit code, with one line on stderr unless it is 0."""
    client = open_store(options.tracking_uri)
    record = load_with_folds(client, options.sweep, options.allow_partial)
    print_warnings(record)
    choices = choose(scores_of(record))
    chosen = choices.scores.trials[choices.by_cv.place]
    fresh = on_fresh_seeds(client, record, chosen.hyperparameters)
    found = ways(record, choices, fresh)
    _show(record, choices, found, found[-1].accuracy if fresh else None)
    drawn = [choosing_plot(record, choices, fresh)]
    publish(client, drawn, options, folder_of(record, options))


def _show(
    record: SweepRecord, choices: Choices, found: tuple[Way, ...], fresh: Estimate | None
) -> None:
    console = new_console()
    folds = choices.scores.trials[0].folds
    table = new_table(
        f"Choosing by {folds}-fold cross-validation, or on the test set",
        "way of choosing",
        "configuration",
        right=("n", "accuracy %"),
    )
    for way in found:
        numbers = (models_left(way.accuracy), with_half_width(way.accuracy, ".2"))
        table.add_row(way.name, way.configuration, *numbers)
    print_table(console, table)
    console.print(f"{seeds_and_method(record, '±')}; honest: other rows judge than chose")
    print_origin(console, record, "choosing")
    for line in sentences(record, choices, fresh):
        console.print(line, style="bold")


def sentences(record: SweepRecord, choices: Choices, fresh: Estimate | None) -> list[str]:
    """What the numbers say, the optimism first; `fresh`: accuracy of the choice on fresh seeds."""
    trials = choices.scores.trials
    by_test, by_cv = trials[choices.by_test.place], trials[choices.by_cv.place]
    honest, alone = estimate(choices.nested, SHARE).mean, estimate(choices.alone, SHARE).mean
    lines = [
        f"Choosing on the test set claims {_percent(choices.claimed.mean)} ({by_test.name}); "
        f"judged on rows that had no part in the choice it is {_percent(honest)}: "
        f"{_optimism(choices.optimism)}.",
        f"A single seed that chooses on its own test rows claims {_percent(alone)} on average: "
        f"{_optimism(choices.optimism_alone)}.",
    ]
    same = f"{by_cv.name}, as the test set does" if by_cv == by_test else by_cv.name
    ties = [
        _tie("cross-validated", choices.by_cv, len(trials)),
        _tie("test", choices.by_test, len(trials)),
    ]
    lines.append("; ".join([f"Cross-validation chooses {same}", *filter(None, ties)]) + ".")
    if fresh is None:
        command = f"{words('sweeps', 'seeds')} --from {record.run_id} --top 1"
        lines.append(f"No finished sweep has judged that choice on fresh seeds: {command}")
    else:
        interval = "no interval"
        if fresh.low is not None and fresh.high is not None:
            bounds = from_to(100 * fresh.low, 100 * fresh.high, ".2")
            interval = f"95 % interval {bounds}"
        accuracy = _percent(fresh.mean)
        lines.append(f"On {fresh.n} fresh seeds that choice has {accuracy} ({interval}).")
    if held_out := held_out_reading(record, [by_cv, by_test]):
        lines.append(held_out)
    return lines


def _percent(accuracy: float | None) -> str:
    return number(in_percent(accuracy), ".2", " %", "no number, since all models diverged")


def _optimism(found: Difference) -> str:
    """How far the claim lies above what is true, in words."""
    if found.mean is None:
        return f"the two cannot be compared ({found.remark})"
    points = round(100 * found.mean, 2)
    text = (
        f"the claim is {'pessimistic' if points < 0 else 'optimistic'} by {abs(points):.2f} points"
    )
    if found.remark or found.low is None or found.high is None:
        return f"{text} ({found.remark})"
    low, high = sorted((-1 if points < 0 else 1) * 100 * one for one in (found.low, found.high))
    interval = from_to(low, high, ".2")
    return f"{text}, 95 % interval {interval} (n = {found.n}), which {about_zero(found)}"


def _tie(which: str, chosen: Chosen, of: int) -> str:
    if not chosen.equal:
        return ""
    many = f"all {of} configurations" if chosen.equal == of - 1 else f"{chosen.equal + 1} of {of}"
    return f"{many} have that {which} accuracy, so the lower loss, then the order, decided"


if __name__ == "__main__":
    sys.exit(main(parse(AnalysisOptions, __doc__)))
