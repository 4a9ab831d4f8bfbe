"""Asking for a recorded sweep that another one is planned from."""

from __future__ import annotations

from typing import cast

from sweeps.plan.command import SourceSweep
from sweeps.plan.errors import Refused
from sweeps.plan.exit_codes import BAD_INPUT
from sweeps.record.client import Recorder
from sweeps.record.messages import Read, Ready
from sweeps.record.store.opening import StoreError, database_file, resolve_uri


def require_store(tracking_uri: str | None) -> None:
    """Raises `Refused` when there is no database to read: opening it would make one."""
    file = database_file(resolve_uri(tracking_uri))
    if file is not None and not file.exists():
        raise Refused(f"--from needs a recorded sweep, there is no {file}", BAD_INPUT)


def ask_for_source(recorder: Recorder, run_id: str) -> SourceSweep:
    """The sweep with that run id. Raises `StoreError`, or `Refused` without one."""
    ready = cast(Ready, recorder.expect(Ready))
    if ready.problem:
        raise StoreError(ready.problem)
    recorder.send(Read(run_id))
    source = cast(SourceSweep, recorder.expect(SourceSweep))
    if source.problem:
        raise Refused(source.problem, source.code)
    return source
