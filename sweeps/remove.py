"""Removes sweeps from a store, which otherwise stays as it is: runs, curves, models, all files.

    python sweeps/remove.py RUN_ID              # says what there is, and asks
    python sweeps/remove.py RUN_ID RUN_ID …     # several at once
    python sweeps/remove.py RUN_ID --dry-run    # what there is, and nothing else

RUN_ID is a sweep's run id, its first digits, or the sweep's name. What is removed cannot be brought
back; figures and exports that you made stay where they are. On an MLflow server, whose database and
files are out of reach, sweeps are marked as deleted. Interrupted, the same command goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from sweeps.driver.exits import complain, exit_code_of
from sweeps.plan.command_line import read_options
from sweeps.plan.errors import Refused, SweepError
from sweeps.plan.exit_codes import BAD_INPUT, DONE, INTERRUPTED
from sweeps.plan.provenance import one_line, without_credentials
from sweeps.record.store.opening import (
    StoreError,
    database_file,
    open_store,
    resolve_uri,
    work_patiently,
)
from trainables.commands.project_scripts import these_words

if TYPE_CHECKING:
    from sweeps.record.removal import Holdings


@dataclass(frozen=True, kw_only=True)
class RemoveOptions:
    """The command line."""

    sweeps: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN_ID …")] = ()
    """Run ids of sweeps, their first 4 digits or more, or the sweeps' names."""
    tracking_uri: str | None = None
    """MLflow store; else MLFLOW_TRACKING_URI, else sqlite:///mlflow.db in the current folder."""
    yes: bool = False
    """Remove without asking."""
    dry_run: bool = False
    """Say what there is of the sweeps and stop; nothing is removed."""


def main() -> int:
    """Removes what the command line names; the exit code."""
    options = read_options(RemoveOptions, __doc__)
    if wrong := _problem(options):
        complain(wrong)
        return BAD_INPUT

    def work() -> int:
        try:
            return remove(options)
        except SweepError:
            raise
        except KeyboardInterrupt as stopped:
            raise Refused("stopped by SIGINT: the same command goes on", INTERRUPTED) from stopped
        except Exception as error:  # whatever the store's libraries raise
            raise StoreError(f"{one_line(error)}: the same command goes on") from error

    return exit_code_of(work)


def _problem(options: RemoveOptions) -> str:
    if not options.sweeps:
        return f"needs the run id of a sweep or more: {these_words()} RUN_ID"
    if not (options.yes or options.dry_run or sys.stdin.isatty()):
        return "needs --yes where nobody can be asked, or --dry-run"
    return ""


def remove(options: RemoveOptions) -> int:
    """Says what there is of the sweeps, asks, and removes them; the exit code.

    Raises `SweepError`, and what the store raises.
    """
    from sweeps.record import removal

    uri = resolve_uri(options.tracking_uri)
    file = database_file(uri)
    if file is not None and not file.exists():  # opening it would make one
        raise Refused(f"there is no store to remove a sweep from: no {file}", BAD_INPUT)
    client = open_store(uri)
    work_patiently()
    found = [removal.find(client, uri, text) for text in options.sweeps]
    parts = [run_id for each in found for run_id in removal.confirmations(client, each.run)]
    found += [removal.find(client, uri, run_id) for run_id in parts]
    found = list({each.run.info.run_id: each for each in found}.values())
    for_good = removal.can_remove(client, found)
    for each in found:
        _describe(each, for_good, [other.name for other in found])
    if options.dry_run:
        return DONE
    if not options.yes and not _agreed(len(found), for_good):
        print("nothing was removed")
        return DONE
    for each in found:
        (removal.remove if for_good else removal.mark)(client, each)
        print(f"{each.name} {'is removed' if for_good else 'is marked as deleted'}", flush=True)
    if not for_good:
        print(
            f"its runs and files are out of reach from here and stay in {without_credentials(uri)} "
            "until `mlflow gc` is called where its database is; till then MLflow can restore them"
        )
    elif line := removal.compact(client, uri):
        print(line)
    return DONE


def _describe(found: Holdings, for_good: bool, names: Sequence[str]) -> None:
    """Prints what there is of a sweep; `names`: of all that are to go."""
    from sweeps.record.removal import size

    run = found.run.info
    state = "marked as deleted" if found.marked else run.status.lower()
    print(f"{found.name}, run {run.run_id}, {state}:")
    parts = [f"{1 + len(found.below)} runs", f"{len(found.models)} models"]
    if for_good:
        files = found.files()
        total = size(sum(path.stat().st_size for path in files))
        parts.append(f"{len(files)} files of {total}, and its rows of the database")
    print(f"  {', '.join(parts)}")
    for folder in found.kept:
        print(f"  results that wait to be recorded in {folder}")
    for text, of in found.references:
        if of not in names:
            print(f"  warning: {text}")


def _agreed(count: int, for_good: bool) -> bool:
    """Whether the user says yes; no answer is none."""
    what = "it" if count == 1 else f"all {count}"
    question = f"remove {what} for good?" if for_good else f"mark {what} as deleted?"
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


if __name__ == "__main__":
    sys.exit(main())
