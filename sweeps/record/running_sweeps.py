"""Sweeps of the same name under way: twins are refused, what dead processes left is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.record.lock import AlreadyRunning, Owner
from sweeps.record.store.recorded_sweep import runs_below
from trainables.record_format import Tag, sweeps_called

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def refuse_twin(client: MlflowClient, mine: Run) -> None:
    """Raises `AlreadyRunning` when an older sweep with the same promise is under way.

    Of two that start at one moment, both see the other, and the later one gives way.
    """
    for run in _running(client, mine.info.experiment_id, mine.data.tags[Tag.NAME]):
        older = (run.info.start_time, run.info.run_id) < (mine.info.start_time, mine.info.run_id)
        same = run.data.tags.get(Tag.PROMISE) == mine.data.tags[Tag.PROMISE]
        owner = Owner.from_tag(run.data.tags.get(Tag.LOCK, ""))
        if older and same and owner is not None and owner.state in ("alive", "elsewhere"):
            raise AlreadyRunning(
                f"the same sweep is already running: {run.info.run_name}, run {run.info.run_id}, "
                f"{owner}; wait for it, or stop it and resume it with --resume {run.info.run_id}"
            )


def close_abandoned(client: MlflowClient, experiment_id: str, name: str) -> list[str]:
    """Ends the runs of sweeps called `name` whose processes died on this machine; their names."""
    closed = []
    for run in _running(client, experiment_id, name):
        owner = Owner.from_tag(run.data.tags.get(Tag.LOCK, ""))
        if owner is not None and owner.state == "dead":
            for child in runs_below(client, experiment_id, run.data.tags[Tag.SWEEP]):
                if child.info.status == "RUNNING":
                    client.set_terminated(child.info.run_id, "KILLED")
            client.set_terminated(run.info.run_id, "KILLED")
            client.delete_tag(run.info.run_id, Tag.LOCK)
            closed.append(run.info.run_name)
    return closed


def _running(client: MlflowClient, experiment_id: str, name: str) -> list[Run]:
    return list(
        client.search_runs(
            [experiment_id],
            f"{sweeps_called(name)} AND attributes.status = 'RUNNING'",
            max_results=1000,
        )
    )
