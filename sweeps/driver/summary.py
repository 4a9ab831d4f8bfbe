"""What a sweep prints: its plan, and at the end the answer and where to look further."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from sweeps.driver.outcome import Outcome, uri_flag
from sweeps.plan.command import Plan
from sweeps.plan.exit_codes import SOME_FAILED
from sweeps.plan.packs import training_seconds
from sweeps.plan.provenance import without_credentials
from sweeps.plan.ranking import Summaries, find_answer, how_chosen
from sweeps.record.messages import Begun, Found
from sweeps.record.pages.saved_view import CHARTS, SEEDS, table_link
from sweeps.record.pages.words import percent
from trainables.manifest import Manifest

_ALL_SHOWN = 8  # up to so many configurations stand in the table, of more the best and the baseline
_ANALYSES = {"seeds": "robustness"}  # scripts that are not called like their sweep


def print_plan(plan: Plan, uri: str) -> None:
    """What would run, for `--dry-run`."""
    sweep, _, trials = plan
    seeds = len(trials[0].seeds)
    seconds = sum(training_seconds(trial.hyperparameters, trial.models) for trial in trials)
    folds = f" × (1 + {trials[0].folds} folds)" if trials[0].folds else ""
    models = sum(trial.models for trial in trials)
    print(f"{sweep.name}: {sweep.question}")
    count = sum(not trial.exchanged for trial in trials)
    again = ""
    if count < len(trials):
        again = (
            f" × {len(trials) // count} (as they are, and with each source of randomness exchanged)"
        )
    print(f"{count} configurations × {seeds} seeds{again}{folds} = {models} models")
    print(f"about {seconds:.0f} s of training on one core, plus start-up and recording")
    print(f"recorded in {without_credentials(uri)}")
    for trial in trials:
        print(f"  {trial.name}")


def print_report(outcome: Outcome) -> None:
    """The answer as a table, what went wrong, and the commands that show more."""
    manifest, uri, begun, closed, summaries, _, stopped = outcome
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = 120  # in a pipe or a log there is no edge to fit
    errors = Console(stderr=True, soft_wrap=True)
    if find_answer(manifest, summaries).best is not None and stopped is None:
        seeds = len(manifest.trials[0].seeds)
        console.print(_answer_table(manifest, summaries, seeds))
    for line in outcome.complaints(_resume_command(manifest.name, begun.run_id, uri)):
        errors.print(line, markup=False)
    if outcome.exit_code == SOME_FAILED:
        command = _resume_command(manifest.name, begun.run_id, uri)
        errors.print(f"try them again with:  {command} --retry-failed", markup=False)
    if stopped is not None:
        return
    if len(manifest.configurations) == 1:
        console.print(
            "this is one configuration: there is nothing to compare it with",
            markup=False,
            highlight=False,
        )
    if manifest.options["smoke_test"]:
        console.print("a smoke test: nothing is kept; without --smoke-test the record stays")
        return
    for line in _commands(manifest, uri, begun, closed.views):
        console.print(line, markup=False, highlight=False)


def print_remainder(found: Found, uri: str, retry_failed: bool) -> None:
    """What `--resume` has left to do, nothing if the sweep is complete."""
    manifest = found.promised
    done = found.recorded - (found.failed if retry_failed else frozenset())
    left = [trial for trial in manifest.trials if trial.key not in done]
    print(
        f"{manifest.run_name} (run {found.run_id}): {len(manifest.trials) - len(left)} of "
        f"{len(manifest.trials)} trials are recorded in {without_credentials(uri)}"
    )
    if found.complete:
        print("the sweep is complete: there is nothing to do")
        if found.failed:
            print(f"{len(found.failed)} trials failed: --resume --retry-failed trains them again")
    for trial in left:
        print(f"  {trial.name}")


def _resume_command(name: str, run_id: str, uri: str) -> str:
    return f"python sweeps/{name}.py --resume {run_id}{uri_flag(uri)}"


def _answer_table(manifest: Manifest, summaries: Summaries, seeds: int) -> Table:
    """All configurations, or of many the best and the baseline."""
    answer = find_answer(manifest, summaries)
    count = len(manifest.configurations)
    table = Table(title=manifest.question, title_justify="left", caption_justify="left")
    luck = f"; the best of {count} configurations is partly luck" if count > 1 else ""
    table.caption = f"mean [95 % t interval] over {seeds} seeds"
    table.caption += f"; {how_chosen(manifest)}" if manifest.folds else luck
    shown = ["test accuracy", "train accuracy"]
    if manifest.folds:
        shown.insert(0, "cv accuracy")
    for heading in ("", "configuration", *shown):
        table.add_column(heading)
    rows = [("best", answer.best), ("baseline", answer.baseline)]
    if count <= _ALL_SHOWN:
        titles = {trial: title for title, trial in rows}
        if answer.best == answer.baseline:
            titles[answer.baseline] = "best, baseline" if count > 1 else ""
        rows = [(titles.get(trial, ""), trial) for trial in manifest.configurations]
    for title, trial in rows:
        summary = summaries.get(trial.key) if trial else None
        if trial and summary:
            accuracies = [percent(summary[name.replace(" ", "_")]) for name in shown]
            table.add_row(title, trial.name, *accuracies)
    return table


def _commands(manifest: Manifest, uri: str, begun: Begun, views: Mapping[str, str]) -> list[str]:
    """How to look further, ready to paste."""
    plain = without_credentials(uri)
    flag = uri_flag(uri)  # empty where `mlflow ui` and the analysis find the store by themselves
    script = _ANALYSES.get(manifest.name, manifest.name)
    lines = [f"figures and table:  python analysis/{script}.py{flag}"]
    if uri.startswith("http"):
        server = plain.rstrip("/")
    else:
        server = "http://127.0.0.1:5000"
        store = f" --backend-store-uri {plain}" if flag else ""
        lines.append(f"all runs:           mlflow ui{store}")
    link = views.get(CHARTS) or table_link(begun.experiment_id, manifest.run_name)
    lines.append(f"charts of trials:   {server}{link}")
    if SEEDS in views:
        lines.append(f"averages of seeds:  {server}{views[SEEDS]}")
    if manifest.folds:
        lines += [
            f"the choice drawn:   python analysis/choosing.py{flag}",
            f"on fresh seeds:     python sweeps/seeds.py --from {begun.run_id} --top 1{flag}",
        ]
    return lines
