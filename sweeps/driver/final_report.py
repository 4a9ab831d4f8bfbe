"""What a sweep says at its end: the answer, what went wrong, and where to look further."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.driver.looking_in import ways_in
from sweeps.driver.outcome import Done, Outcome, uri_flag
from sweeps.driver.summary import print_answer, print_confirmed
from sweeps.driver.terminal import tell
from sweeps.plan.exit_codes import SOME_FAILED
from sweeps.plan.ranking import find_answer
from sweeps.record.messages import Begun, Found
from trainables.commands.project_scripts import scripts, these_words, words
from trainables.manifest import Manifest

_ANALYSES = {"seeds": "robustness"}  # scripts that are not called like their sweep


def print_report(done: Done, uri: str) -> None:
    """The answer as tables, what went wrong, and the commands that show more."""
    sweep, again = done.sweep, done.confirmed
    tried = again if isinstance(again, Outcome) and _has_answer(again) else None
    if isinstance(sweep, Outcome) and _has_answer(sweep):
        keys = {trial.key for trial in tried.manifest.trials} if tried else set()
        closed = sweep.closed
        print_answer(sweep.manifest, sweep.summaries, closed.differences, keys, closed.held_out)
    if tried:
        closed = tried.closed
        print_confirmed(tried.manifest, tried.summaries, closed.differences, closed.held_out)
    if isinstance(again, Found):
        name = again.promised.run_name
        print(f"its best were tried on fresh seeds before: {name}, run {again.run_id}")
    resume = f"{these_words()} --resume {done.run_id}{uri_flag(uri)}"
    for each in (sweep, again):
        for line in each.complaints(resume) if isinstance(each, Outcome) else ():
            tell(line)
    if done.problem:
        tell(f"error: the best were not tried on fresh seeds: {done.problem}")
        tell(f"complete it with:  {resume}")
    elif done.exit_code == SOME_FAILED:
        tell(f"try them again with:  {resume} --retry-failed")
    if isinstance(sweep, Found) or done.stopped:
        return
    if len(sweep.manifest.configurations) == 1:
        print("this is one configuration: there is nothing to compare it with")
    if sweep.manifest.options["smoke_test"]:
        print("a smoke test: nothing is kept; without --smoke-test the record stays")
        return
    for line in _commands(sweep.manifest, uri, sweep.begun, sweep.closed.views):
        print(line)


def _has_answer(outcome: Outcome) -> bool:
    best = find_answer(outcome.manifest, outcome.summaries).best
    return best is not None and outcome.stopped is None


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
