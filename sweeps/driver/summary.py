"""What a sweep prints: its plan, and at the end the answer and where to look further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from sweeps.driver.looking_in import ways_in
from sweeps.driver.outcome import Outcome, uri_flag
from sweeps.driver.resume import also_unfinished
from sweeps.driver.terminal import WIDTH, new_table, print_table, tell, width_of, wrapped
from sweeps.plan.against_baseline import BaselineDifference
from sweeps.plan.command import Plan
from sweeps.plan.exit_codes import SOME_FAILED
from sweeps.plan.packs import training_seconds
from sweeps.plan.provenance import without_credentials
from sweeps.plan.ranking import Summaries, find_answer, how_chosen, shown
from sweeps.record.messages import Begun, Found
from sweeps.record.pages.words import at_once, mean_percent, percent, points, verdict
from trainables.commands.project_scripts import scripts, these_words, words
from trainables.manifest import Manifest
from trainables.record_format import Final
from trainables.setting import Models, setting
from trainables.trial import Trial

_ANALYSES = {"seeds": "robustness"}  # scripts that are not called like their sweep
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
    print(f"recorded in {without_credentials(uri)}")
    for trial in trials:
        print(f"  {trial.name}")


def print_report(outcome: Outcome) -> None:
    """The answer as a table, what went wrong, and the commands that show more."""
    manifest, uri, begun, closed, summaries, _, stopped = outcome
    if find_answer(manifest, summaries).best is not None and stopped is None:
        _print_answer(manifest, summaries, closed.differences)
    resume = f"{these_words()} --resume {begun.run_id}{uri_flag(uri)}"
    for line in outcome.complaints(resume):
        tell(line)
    if outcome.exit_code == SOME_FAILED:
        tell(f"try them again with:  {resume} --retry-failed")
    if stopped is not None:
        return
    if len(manifest.configurations) == 1:
        print("this is one configuration: there is nothing to compare it with")
    if manifest.options["smoke_test"]:
        print("a smoke test: nothing is kept; without --smoke-test the record stays")
        return
    for line in _commands(manifest, uri, begun, closed.views):
        print(line)


def print_remainder(found: Found, uri: str, retry_failed: bool) -> None:
    """What `--resume` has left to do, nothing if the sweep is complete."""
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
        print("the sweep is complete: there is nothing to do")
        if found.failed:
            print(f"{len(found.failed)} trials failed: --resume --retry-failed trains them again")
    for trial in left:
        print(f"  {trial.name}")


def _print_answer(
    manifest: Manifest, summaries: Summaries, differences: Mapping[str, BaselineDifference]
) -> None:
    """All configurations, or of many the best and the baseline, and what can be said of each."""
    rows = shown(manifest, summaries)
    table = _table(manifest, summaries, differences, rows, " ")
    if width_of(table) > WIDTH:  # names of two values in two lines
        table = _table(manifest, summaries, differences, rows, "\n")
    print_table(table)
    for line in _facts(manifest, differences):
        print(wrapped(line))
    for line in verdicts(rows, differences):
        print(wrapped(line, "  "))


def _table(
    manifest: Manifest,
    summaries: Summaries,
    differences: Mapping[str, BaselineDifference],
    rows: Sequence[Trial],
    between: str,
) -> Table:
    """`between`: what stands between the values in a configuration's name."""
    judge, other = ("cv", "test") if manifest.folds else ("test", "train")
    table = new_table(manifest.question)
    for heading in ("", "configuration"):
        table.add_column(heading, no_wrap=True)
    for heading in (f"{judge} accuracy", f"{other}\naccuracy", "difference\nin points"):
        table.add_column(heading, no_wrap=True, justify="right")
    titles = _titles(manifest, summaries, rows)
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


def _facts(manifest: Manifest, differences: Mapping[str, BaselineDifference]) -> list[str]:
    """How the numbers of the table are to be read."""
    count, seeds = len(manifest.configurations), len(manifest.trials[0].seeds)
    facts = [f"mean [95 % t interval] over {seeds} seeds"]
    if manifest.folds:
        facts.append(how_chosen(manifest))
    elif count > 1:
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


def _commands(manifest: Manifest, uri: str, begun: Begun, views: Mapping[str, str]) -> list[str]:
    """How to look further, ready to paste."""
    flag = uri_flag(uri)  # empty where the analysis finds the store by itself
    lines = [f"figures and table:  {_analysis(manifest, begun)}{flag}"]
    if manifest.folds:
        lines += [
            f"the choice drawn:   {words('analysis', 'choosing')}{flag}",
            f"on fresh seeds:     {words('sweeps', 'seeds')} --from {begun.run_id} --top 1{flag}",
        ]
    return [*lines, *ways_in(uri, begun, manifest.run_name, views)]


def _analysis(manifest: Manifest, begun: Begun) -> str:
    """The command that draws the sweep: its own script, or what draws every sweep."""
    script = _ANALYSES.get(manifest.name, manifest.name)
    if script in scripts("analysis"):
        return words("analysis", script)
    return f"{words('analysis', 'export')} {begun.run_id}"
