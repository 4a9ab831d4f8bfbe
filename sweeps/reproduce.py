"""Trains one recorded trial again, from its record alone, and compares every recorded number.

    python sweeps/reproduce.py RUN_ID

RUN_ID is a trial's run, or that of one of its seeds; its first digits do, as tables show them.
Equal numbers end with exit code 0; different ones with 3, a table of what differs, and the likely
reason.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.markup import escape

from sweeps.driver.deviations import Deviation, as_recorded, in_arrays, in_run, reasons
from sweeps.driver.exits import exit_code_of
from sweeps.driver.terminal import new_table, print_table
from sweeps.plan.command_line import read_options
from sweeps.plan.errors import Refused, SweepError
from sweeps.plan.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from sweeps.plan.provenance import one_line
from sweeps.record.store.opening import StoreError, open_store, resolve_uri, work_patiently
from trainables.commands.run_ids import NoSuchRun, SeveralRuns
from trainables.record_format import Artifact, Kind, Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


_NOTHING_KNOWN = "nothing known differs: the record may have been changed afterwards"
# Of a record of before each trial had its `Tag.ARITHMETIC`.
_UNKNOWN = (
    "it was made with other vector instructions or settings of the environment, of which it does "
    "not tell"
)


@dataclass(frozen=True, kw_only=True)
class ReproduceOptions:
    """The command line."""

    run_id: Annotated[str, tyro.conf.Positional]
    """The MLflow run of a trial, or of one of its seeds; its first digits, 4 or more, do."""
    tracking_uri: str | None = None
    """MLflow store; else MLFLOW_TRACKING_URI, else sqlite:///mlflow.db in the current folder."""


class NotATrial(SweepError):
    """The run is not one that can be trained again; the message says which would be."""


def main() -> int:
    """Reproduces what the command line names; the exit code."""
    options = read_options(ReproduceOptions, __doc__)

    def work() -> int:
        try:
            client = open_store(resolve_uri(options.tracking_uri))
            work_patiently()
            return reproduce(client, options.run_id)
        except SweepError:
            raise
        except KeyboardInterrupt as stopped:
            raise Refused("stopped by SIGINT", INTERRUPTED) from stopped
        except Exception as error:  # whatever the store's libraries raise
            raise StoreError(one_line(error)) from error

    return exit_code_of(work)


def reproduce(client: MlflowClient, run_id: str) -> int:
    """Trains the trial of that run again, prints how it compares; the exit code."""
    from sweeps.record.runs.parts import Parts
    from sweeps.record.runs.trial_runs import TrialRuns
    from sweeps.record.store.recorded_sweep import read_manifest
    from trainables import data
    from trainables.pack_run import PackRun

    run, parent = _trial_and_sweep(client, run_id)
    manifest = read_manifest(client, parent)
    trial = next(t for t in manifest.trials if t.key == run.data.tags[Tag.TRIAL_KEY])
    (recorded,) = Parts(client, parent.info.run_id).read(run.data.tags, [trial])
    dataset = data.load(trial.hyperparameters.dataset)
    print(
        f"training {trial.name} of {manifest.run_name} again: {len(trial.seeds)} seeds, "
        f"{trial.hyperparameters.epochs} epochs"
    )
    pack = PackRun([trial], dataset)
    while not pack.done:
        completed = pack.advance()
    (again,) = completed
    runs = TrialRuns(manifest, every_number=True)
    again = replace(again, device=recorded.device)
    made, _ = runs.make(again, again.finals(runs.window), run.data.tags, 0)
    compared = [as_recorded(run, made)]
    found = [*in_arrays(recorded, again), *in_run(client, run, compared[0])]
    seed_runs = _seed_runs(client, run) if made.children else {}
    for child in made.children:
        if seed_run := seed_runs.get(child.tags[Tag.SEED]):
            compared.append(as_recorded(seed_run, child))
            found += in_run(client, seed_run, compared[-1])
        else:
            found.append(Deviation(child.name, "", "no run", "a run", math.nan, 1))
    if not found:
        numbers = sum(values.size for values in recorded.trained.curves.values())
        weights = sum(values.size for values in recorded.trained.parameters.values())
        points = sum(len(each.points) for each in compared)
        print(
            f"equal to the last bit: {numbers:,} numbers of curves, {weights:,} weights, "
            f"{points:,} points in MLflow"
        )
        return DONE
    then = json.loads(run.data.tags.get(Tag.ARITHMETIC, "{}"))
    likely = reasons(manifest, dataset.digest, recorded.device, then, again.arithmetic)
    _show(found, likely or [_NOTHING_KNOWN if then else f"{_NOTHING_KNOWN}, or {_UNKNOWN}"])
    return SOME_FAILED


def _trial_and_sweep(client: MlflowClient, run_id: str) -> tuple[Run, Run]:
    from sweeps.record.store.recorded_run import recorded_run

    try:
        run = recorded_run(client, run_id, Kind.TRIAL, Kind.SEED)
    except (NoSuchRun, SeveralRuns) as error:
        raise NotATrial(f"a trial's run id is needed, {error}") from error
    if run.data.tags.get(Tag.KIND) == Kind.SEED:
        run = client.get_run(run.data.tags[Tag.PARENT])
    kind = run.data.tags.get(Tag.KIND)
    if kind == Kind.SWEEP:
        of = run.data.tags[Tag.SWEEP]
        raise NotATrial(
            f"a trial's run id is needed, {run_id} is the whole sweep {of}: see its "
            f"{Artifact.RESULTS} for those of its trials"
        )
    if kind != Kind.TRIAL or Tag.TRIAL_KEY not in run.data.tags:
        raise NotATrial(f"a trial's run id is needed, {run_id} is not a run of a sweep")
    if run.info.status != "FINISHED":
        raise NotATrial(f"{run.info.run_name} is {run.info.status}: it has no numbers to compare")
    return run, client.get_run(run.data.tags[Tag.PARENT])


def _seed_runs(client: MlflowClient, run: Run) -> dict[str, Run]:
    """The runs of the trial's seeds, by seed."""
    from sweeps.record.store.recorded_sweep import runs_below

    found = runs_below(client, run.info.experiment_id, run.data.tags[Tag.SWEEP])
    mine = [each for each in found if each.data.tags[Tag.PARENT] == run.info.run_id]
    return {each.data.tags[Tag.SEED]: each for each in mine}


def _show(found: Sequence[Deviation], likely: Sequence[str]) -> None:
    table = new_table("what differs from the record")
    for heading in ("number", "first at", "recorded", "now", "largest difference", "how many"):
        table.add_column(heading, no_wrap=True)
    for each in found:
        gap = "" if math.isnan(each.largest) else f"{each.largest:.3g}"
        cells = (each.what, each.where, each.recorded, each.now, gap, f"{each.values:,}")
        table.add_row(*map(escape, cells))
    print_table(table)
    for line in likely:
        print(f"likely reason: {line}")


if __name__ == "__main__":
    sys.exit(main())
