"""What a sweep prints: its plan, and at the end the answer and where to look further."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.table import Table

from sweeps.driver.resume import also_unfinished
from sweeps.driver.terminal import WIDTH, new_table, print_table, width_of, wrapped
from sweeps.plan.against_baseline import BaselineDifference
from sweeps.plan.command import Plan
from sweeps.plan.confirmation import MOST
from sweeps.plan.options import SearchOptions
from sweeps.plan.packs import training_seconds
from sweeps.plan.provenance import without_credentials
from sweeps.plan.ranking import Summaries, find_answer, how_chosen, shown
from sweeps.record.messages import Found
from sweeps.record.pages.words import at_once, mean_percent, percent, points, verdict
from trainables.manifest import Manifest
from trainables.record_format import Final
from trainables.setting import Models, setting
from trainables.trial import Trial

_PLACES = ("best", "2nd", "3rd")


def print_plan(plan: Plan, uri: str) -> None:
    """What would run, for `--dry-run`."""
    sweep, _, trials = plan
    seeds = len(trials[0].seeds)
    seconds = sum(training_seconds(trial.hyperparameters, trial.models) for trial in trials)
    folds = f" × (1 + {trials[0].folds} folds)" if trials[0].folds else ""
    models = sum(trial.models for trial in trials)
    print(wrapped(f"{sweep.name}: {sweep.question}"))
    count = sum(not trial.exchanged for trial in trials)
    again = ""
    if count < len(trials):
        again = (
            f" × {len(trials) // count} (as they are, and with each source of randomness exchanged)"
        )
    print(wrapped(f"{count} configurations × {seeds} seeds{again}{folds} = {models} models"))
    fields = [axis.name for axis in sweep.axes]
    window = sweep.summary_epochs(trials[0].hyperparameters.epochs)
    print(wrapped(_made_with(trials, fields, window)))
    print(f"about {seconds:.0f} s of training on one core, plus start-up and recording")
    if line := _announced(plan):
        print(wrapped(line))
    print(f"recorded in {without_credentials(uri)}")
    for trial in trials:
        print(f"  {trial.name}")


def _announced(plan: Plan) -> str:
    """What follows the sweep, if anything does."""
    count, options = len(plan.trials), plan.options
    if not isinstance(options, SearchOptions) or options.confirm == 0 or count == 1:
        return ""
    first = max(plan.trials[0].seeds) + 1
    seeds = f"seeds {first} to {first + options.confirm - 1}"
    return (
        f"then the {min(MOST, count)} best and the baseline again, on {seeds}, which have no part "
        f"in choosing them: up to {min(MOST + 1, count) * options.confirm} models more"
    )


def print_remainder(found: Found, uri: str, retry_failed: bool, follows: bool) -> None:
    """What `--resume` has left to do, nothing if the sweep is complete.

    `follows`: whether its best are, or were, tried on fresh seeds.
    """
    manifest = found.promised
    done = found.recorded - (found.failed if retry_failed else frozenset())
    left = [trial for trial in manifest.trials if trial.key not in done]
    print(
        wrapped(
            f"{manifest.run_name} (run {found.run_id}): {len(manifest.trials) - len(left)} of "
            f"{len(manifest.trials)} trials are recorded in {without_credentials(uri)}"
            f"{also_unfinished(found)}"
        )
    )
    if found.complete:
        print(f"the sweep is complete{'' if follows else ': there is nothing to do'}")
        if found.failed:
            print(f"{len(found.failed)} trials failed: --resume --retry-failed trains them again")
    for trial in left:
        print(f"  {trial.name}")


def print_answer(
    manifest: Manifest,
    summaries: Summaries,
    differences: Mapping[str, BaselineDifference],
    tried_again: Collection[str] = (),
    held_out: str = "",
) -> None:
    """All configurations, or of many the best and the baseline, and what can be said of each.

    `tried_again`: keys of those that fresh seeds have the say on. `held_out`: the sentence on the
    rows that are held out, if any are.
    """
    rows = shown(manifest, summaries)
    _print_table(manifest, summaries, differences, rows, _titles(manifest, summaries, rows))
    for line in _facts(manifest, differences, bool(tried_again)):
        print(wrapped(line))
    left = [trial for trial in rows if trial.key not in tried_again]
    for line in verdicts(left, differences):
        print(wrapped(line, "  "))
    if held_out:
        print(wrapped(held_out))


def print_confirmed(
    manifest: Manifest,
    summaries: Summaries,
    differences: Mapping[str, BaselineDifference],
    held_out: str = "",
) -> None:
    """The configurations that were chosen, in that order, and the baseline, on fresh seeds."""
    baseline = manifest.baseline_trial
    chosen = [trial for trial in manifest.configurations if trial != baseline]
    rows = [trial for trial in (*chosen, baseline) if trial.key in summaries]
    _print_table(manifest, summaries, differences, rows, {baseline.key: "baseline"})
    for line in _facts(manifest, differences, tried_again=False)[:1]:  # the rest is as above
        print(wrapped(line))
    for line in verdicts(rows, differences):
        print(wrapped(line, "  "))
    if held_out:
        print(wrapped(held_out))


def _print_table(
    manifest: Manifest,
    summaries: Summaries,
    differences: Mapping[str, BaselineDifference],
    rows: Sequence[Trial],
    titles: Mapping[str, str],
) -> None:
    table = _table(manifest, summaries, differences, rows, titles, " ")
    if width_of(table) > WIDTH:  # names of two values in two lines
        table = _table(manifest, summaries, differences, rows, titles, "\n")
    print_table(table)


def _table(
    manifest: Manifest,
    summaries: Summaries,
    differences: Mapping[str, BaselineDifference],
    rows: Sequence[Trial],
    titles: Mapping[str, str],
    between: str,
) -> Table:
    """`titles`: what stands before rows, by trial key. `between`: what stands between the values in
    a configuration's name."""
    judge, other = ("cv", "test") if manifest.folds else ("test", "train")
    table = new_table(manifest.question)
    for heading in ("", "configuration"):
        table.add_column(heading, no_wrap=True)
    for heading in (f"{judge} accuracy", f"{other}\naccuracy", "difference\nin points"):
        table.add_column(heading, no_wrap=True, justify="right")
    for trial in rows:
        summary = summaries[trial.key]
        found = differences.get(trial.key)
        table.add_row(
            titles.get(trial.key, ""),
            trial.name.replace(" ", between),
            percent(summary[Final.accuracy(judge)]),
            mean_percent(summary[Final.accuracy(other)]),
            points(found) if found else "",
        )
    return table


def _titles(manifest: Manifest, summaries: Summaries, rows: Sequence[Trial]) -> dict[str, str]:
    """What stands before a row, by trial key."""
    answer = find_answer(manifest, summaries)
    assert answer.best is not None
    best, baseline = answer.best.key, answer.baseline.key
    titles = {baseline: "baseline"}
    if len(rows) == len(manifest.configurations):
        ranked = [best]
    else:
        ranked = [trial.key for trial in rows[: len(_PLACES)]]
    for key, place in zip(ranked, _PLACES, strict=False):
        titles[key] = f"baseline\nand {place}" if key == baseline else place
    return {} if len(manifest.configurations) == 1 else titles


def _made_with(trials: Sequence[Trial], fields: Sequence[str], window: range) -> str:
    """What the models have in common, and over which epochs their numbers are taken."""
    models = Models([trial.hyperparameters for trial in trials], fields)
    return (
        f"{setting(models)}; their numbers are means of epochs {window.start + 1} to {window.stop}"
    )


def _facts(
    manifest: Manifest, differences: Mapping[str, BaselineDifference], tried_again: bool
) -> list[str]:
    """How the numbers of the table are to be read."""
    count, seeds = len(manifest.configurations), manifest.trials[0].seeds
    facts = [f"mean [95 % t interval] over {len(seeds)} seeds"]
    if manifest.folds:
        facts.append(how_chosen(manifest))
    if manifest.options.get("from_run"):
        facts[0] += f", {seeds[0]} to {seeds[-1]}, that had no part in the choice"
    elif tried_again:
        facts.append("the best were chosen on these seeds, which flatters them: see below")
    elif count > 1 and not manifest.folds:
        facts.append(f"the best of {count} configurations is partly luck")
    if differences:
        facts.append(f"difference to the baseline seed by seed, intervals {at_once(manifest)}")
    fields = [axis.field for axis in manifest.axes]
    return [
        "; ".join(facts),
        _made_with(manifest.configurations, fields, manifest.summary_epochs),
    ]


def verdicts(rows: Sequence[Trial], differences: Mapping[str, BaselineDifference]) -> list[str]:
    """For each verdict on some of the configurations a line with the verdict and their names."""
    named: dict[str, list[str]] = {}
    for trial in rows:
        if found := differences.get(trial.key):
            way = ", higher" if found.mean > 0 else ", lower"
            text = verdict(found) + (way if found.more_than_luck else "")
            named.setdefault(text, []).append(trial.name)
    return [f"{text}: {', '.join(names)}" for text, names in named.items()]
