"""Runs every sweep that the lesson's claims are tested on, one after the other.

    python sweeps/lesson.py                  # 12 sweeps; first it says how long about
    python sweeps/lesson.py --dry-run        # their commands, and which are recorded already
    python sweeps/lesson.py --only l2 l1     # these alone
    python sweeps/lesson.py --hidden 64 64   # with another network; see analysis/claims.py
    python sweeps/lesson.py --where-it-helps # data on which regularization can be seen to help

Each is an ordinary command, printed before it runs. Run again, it goes on where it was stopped:
sweeps that are finished are left as they are, unless --again.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sweeps.driver.exits import complain, exit_code_of
from sweeps.driver.interrupts import Interrupts, Stopped
from sweeps.driver.terminal import wrapped
from sweeps.helping_parts import HELPING_PARTS
from sweeps.lesson_parts import LessonPart, estimate, parts_with, planned
from sweeps.plan.checks import MOST_FIRST_SEED, MOST_SEEDS, made, outside
from sweeps.plan.command_line import read_options
from sweeps.plan.exit_codes import BAD_INPUT, DONE
from sweeps.plan.flags import Whole
from sweeps.record.store.opening import database_file, resolve_uri
from trainables.commands.project_scripts import file_from_here, these_words, words
from trainables.declaration import Range, did_you_mean, shown
from trainables.record_format import Kind, Tag, tagged

_ANSWER_ENDS = "figures and table:"  # from here on a sweep prints commands


@dataclass(frozen=True, kw_only=True)
class LessonOptions:
    """The command line."""

    seeds: Whole = 30
    """Replicates of every configuration of every sweep."""
    first_seed: Whole = 0
    """The first of them, which are counted on from it."""
    hidden: tuple[Whole, ...] = ()
    """Units of each hidden layer, such as 12 12; without it the lesson's network."""
    only: tuple[str, ...] = ()
    """Run these parts alone, by the names that --dry-run lists."""
    where_it_helps: bool = False
    """Not the claims' sweeps, but regularizers one at a time on data that are soon overfitted."""
    again: bool = False
    """Run sweeps again that are recorded already."""
    tracking_uri: str | None = None
    """MLflow store; else MLFLOW_TRACKING_URI, else sqlite:///mlflow.db in the current folder."""
    dry_run: bool = False
    """Print the commands and stop; nothing is started or written."""
    quiet: bool = False
    """No progress, only what each sweep found."""


class Known(NamedTuple):
    """A recorded sweep that promised what a part would: its run, its name, whether it is whole."""

    run_id: str
    run_name: str
    finished: bool
    failed: bool


def main() -> int:
    """Runs what the command line asks for; the exit code, that of the first sweep to fail."""
    options = read_options(LessonOptions, __doc__)
    if wrong := problems(options):
        complain("\n".join(wrong))
        return BAD_INPUT
    parts = [part for part in parts_of(options) if not options.only or part.role in options.only]

    def work() -> int:
        with Interrupts() as interrupts:
            uri = resolve_uri(options.tracking_uri)
            return _run_all(parts, options, uri, interrupts)

    try:
        return exit_code_of(work)
    except Stopped as stopped:
        return _stopped(stopped, options)


def parts_of(options: LessonOptions) -> Sequence[LessonPart]:
    """All sweeps of what is asked for."""
    return HELPING_PARTS if options.where_it_helps else parts_with(options.hidden)


def problems(options: LessonOptions) -> list[str]:
    """All that is wrong with the options, a line each."""
    found = outside(
        options,
        seeds=Range(1, MOST_SEEDS, whole=True),
        first_seed=Range(0, MOST_FIRST_SEED, whole=True),
    )
    if options.hidden:
        found += [f"--hidden {text}" for text in made({"hidden": options.hidden})[1].values()]
        if options.where_it_helps:
            found.append("--hidden cannot be used with --where-it-helps, which has its own network")
    roles = [part.role for part in parts_of(options)]
    if unknown := [role for role in options.only if role not in roles]:
        hint = did_you_mean(unknown[0], roles)
        found.append(f"--only needs some of {', '.join(roles)}, got {shown(unknown[0])}{hint}")
    return found


def flags_of(part: LessonPart, options: LessonOptions, known: Known | None = None) -> list[str]:
    """The flags with which its script runs the part, or completes what is known of it."""
    if known is None:
        flags = [*part.flags, *_seeds(options)]
    else:
        flags = ["--resume", known.run_id, *(["--retry-failed"] if known.failed else [])]
    if options.tracking_uri:
        flags += ["--tracking-uri", options.tracking_uri]
    return flags + (["--quiet"] if options.quiet else [])


def _run_all(
    parts: Sequence[LessonPart], options: LessonOptions, uri: str, interrupts: Interrupts
) -> int:
    known = {} if options.again else recorded(parts, options, uri)
    _tell_estimate(parts, options, known)
    began = time.monotonic()
    for number, part in enumerate(parts, start=1):
        found = known.get(part.role)
        head = wrapped(f"[{number}/{len(parts)}] {part.role}: {part.why}", "  ")
        if found is not None and found.finished:
            print(f"{head}\n  recorded already: {found.run_name}, run {found.run_id}", flush=True)
            continue
        flags = flags_of(part, options, found)
        command = f"{words('sweeps', part.script)} {shlex.join(flags)}"
        print(f"{head}\n  {command}", flush=True)
        if options.dry_run:
            continue
        started = time.monotonic()
        code, text = _run(part.script, flags, interrupts)
        if code != DONE:
            return _failed(command, code, text, options)
        print(f"{text.split(_ANSWER_ENDS)[0].rstrip()}\n  {time.monotonic() - started:.0f} s")
    if not options.dry_run:
        print(f"all recorded after {time.monotonic() - began:.0f} s")
        store = (
            f" --tracking-uri {shlex.quote(options.tracking_uri)}" if options.tracking_uri else ""
        )
        hidden = "".join(f" {units}" for units in options.hidden)
        network = f" --hidden{hidden}" if hidden else ""
        if options.where_it_helps:
            print(f"where it helps:  {words('analysis', 'where_it_helps')}{store}")
        else:
            print(f"the claims:   {words('analysis', 'claims')}{network}{store}")
        if not network and not options.where_it_helps:
            print(f"as one page:  {words('analysis', 'report')}{store}")
    return DONE


def _tell_estimate(
    parts: Sequence[LessonPart], options: LessonOptions, known: Mapping[str, Known]
) -> None:
    """About how long what is left will take."""
    left = [part for part in parts if part.role not in known or not known[part.role].finished]
    if left:
        print(wrapped(estimate(left, options.seeds)), flush=True)


def _run(script: str, flags: Sequence[str], interrupts: Interrupts) -> tuple[int, str]:
    """Runs one command; its exit code and what it printed. Raises `Stopped` once it has ended."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        # A group of its own: Ctrl-C in the terminal would otherwise reach the sweep twice, from
        # there and from here, and the second one stops it without order.
        interrupts.at_checks(True)
        process = subprocess.Popen(
            [sys.executable, file_from_here("sweeps", script), *flags],
            stdout=output,
            process_group=0,
        )
        stopped = None
        while process.poll() is None:
            try:
                interrupts.check()
                time.sleep(0.1)
            except Stopped as signalled:  # also the second one, which comes at once
                stopped = signalled
                process.send_signal(signal.Signals(signalled.code - 128))
        interrupts.at_checks(False)
        interrupts.check()
        if stopped is not None:
            raise stopped
        output.seek(0)
        return process.returncode, output.read()


def recorded(parts: Sequence[LessonPart], options: LessonOptions, uri: str) -> dict[str, Known]:
    """By role, what the store has of the parts: a finished sweep, else one to go on with."""
    file = database_file(uri)
    if file is not None and not file.exists():
        return {}  # a new store: MLflow need not be loaded to know
    from sweeps.plan.new_manifest import make_manifest
    from sweeps.record.store.opening import open_store

    client = open_store(uri)
    ids = [each.experiment_id for each in client.search_experiments()]
    found = {}
    for part in parts:
        promise = make_manifest(*planned(part, flags_of(part, options))).promise
        runs = client.search_runs(
            ids,
            tagged({Tag.KIND: Kind.SWEEP, Tag.PROMISE: promise}),
            order_by=["attributes.start_time DESC"],
        )
        states = [
            Known(
                run.info.run_id,
                run.info.run_name,
                run.info.status == "FINISHED" and Tag.FAILED_TRIALS not in run.data.tags,
                Tag.FAILED_TRIALS in run.data.tags,
            )
            for run in runs
        ]
        if states:
            found[part.role] = next((one for one in states if one.finished), states[0])
    return found


def _failed(command: str, code: int, text: str, options: LessonOptions) -> int:
    print(text, end="")
    complain(
        f"{command} ended with exit code {code}; what it said stands above. Put that right and go "
        f"on with:  {_this_command(options)}"
    )
    return code if code > 0 else 128 - code


def _stopped(stopped: Stopped, options: LessonOptions) -> int:
    print(
        f"stopped by {stopped}; what was recorded stays. Go on with:  {_this_command(options)}",
        file=sys.stderr,
    )
    return stopped.code


def _seeds(options: LessonOptions) -> list[str]:
    first = ["--first-seed", str(options.first_seed)] if options.first_seed else []
    return ["--seeds", str(options.seeds), *first]


def _this_command(options: LessonOptions) -> str:
    flags = _seeds(options)
    if options.hidden:
        flags += ["--hidden", *map(str, options.hidden)]
    if options.where_it_helps:
        flags.append("--where-it-helps")
    if options.only:
        flags += ["--only", *options.only]
    if options.tracking_uri:
        flags += ["--tracking-uri", options.tracking_uri]
    return f"{these_words()} {shlex.join(flags)}"


if __name__ == "__main__":
    sys.exit(main())
