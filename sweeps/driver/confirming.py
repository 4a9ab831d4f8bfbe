"""The last part of a sweep: its best and the baseline again, on seeds that it never saw."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from sweeps.driver.follow_up import FollowUp
from sweeps.driver.interrupts import Interrupts, Stopped
from sweeps.driver.outcome import Done, Outcome
from sweeps.driver.resume import require_equal_numbers
from sweeps.driver.session import SweepRun
from sweeps.driver.standing import Standing
from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.confirmation import asked_as
from sweeps.plan.errors import Interrupted, Refused, SweepError
from sweeps.plan.exit_codes import DONE, SOME_FAILED
from sweeps.plan.packs import seconds_together
from sweeps.plan.seeds_options import SeedsOptions
from sweeps.record.client import Recorder
from sweeps.record.messages import Found, LookForConfirmation, Open, Read, Ready
from sweeps.record.store.opening import StoreError
from trainables.manifest import Manifest


def with_confirmation(
    sweep: Outcome | Found,
    follow_up: FollowUp | None,
    uri: str,
    standing: Standing,
    recorder: Recorder,
    interrupts: Interrupts,
    again: bool,
    retry_failed: bool,
) -> Done:
    """The sweep, and after it what `follow_up` has trained or has left to train.

    `again`: whether the sweep was started before, so that there may be one that confirms it.
    """
    if follow_up is None:
        return Done(sweep)
    if isinstance(sweep, Outcome) and (sweep.stopped or sweep.exit_code not in (DONE, SOME_FAILED)):
        return Done(sweep)
    try:
        source = _source(sweep, recorder)
        plan = follow_up.plan(source)
        if follow_up.refused is not None:
            raise follow_up.refused
        if plan is None:
            return Done(sweep)
        place = (uri, standing, recorder, interrupts)
        seconds = seconds_together(plan.trials)
        before = _before(uri, recorder, source, retry_failed) if again else Found()
        made = _manifest(plan, source)
        if before.run_id and before.promised.promise == made.promise:
            if before.complete:
                return Done(sweep, before)
            what = f"sweep {before.promised.run_name} (run {before.run_id})"
            require_equal_numbers(before.promised, what)
            options = replace(plan.options, retry_failed=retry_failed)
            run = SweepRun(seconds, lambda: before.promised, options, *place)
            return Done(sweep, run.run(before.run_id, _said(plan)))
        recorder.send(Open(uri, plan.options.experiment_name))
        run = SweepRun(seconds, lambda: made, plan.options, *place)
        if trained := follow_up.trained:
            return Done(sweep, run.record(trained.results, trained.failures))
        return Done(sweep, run.run(note=_said(plan)))
    except Stopped as stopped:
        text = f"stopped by {stopped} before the best were trained on fresh seeds"
        return Done(sweep, problem=Interrupted(text, stopped.code, Done(sweep).run_id))
    except SweepError as error:
        return Done(sweep, problem=error)


def _source(sweep: Outcome | Found, recorder: Recorder) -> SourceSweep:
    """The sweep with its results, as far as they say what to try again."""
    if isinstance(sweep, Outcome):
        return SourceSweep(sweep.begun.run_id, sweep.manifest, sweep.summaries)
    recorder.send(Read(sweep.run_id))
    source = cast(SourceSweep, recorder.expect(SourceSweep))
    if source.problem:
        raise Refused(source.problem, source.code)
    return source


def _before(uri: str, recorder: Recorder, source: SourceSweep, retry_failed: bool) -> Found:
    """The sweep that has begun to do so before; without a run where there is none."""
    recorder.send(Open(uri, None))
    ready = cast(Ready, recorder.expect(Ready))
    if ready.problem:
        raise StoreError(ready.problem)
    recorder.send(LookForConfirmation(source.run_id, retry_failed))
    found = cast(Found, recorder.expect(Found))
    if found.problem:
        raise Refused(found.problem, found.code)
    return found


def _manifest(plan: Plan, source: SourceSweep) -> Manifest:
    from sweeps.plan.new_manifest import make_manifest

    options = cast(SeedsOptions, plan.options)
    asked = asked_as(source.run_id, options.seeds, options.top or 1)
    return make_manifest(*plan, asked=asked, confirms=source.run_id)


def _said(plan: Plan) -> str:
    """What goes on now, in a line."""
    seeds = plan.trials[0].seeds
    return (
        f"its best and the baseline once more, on seeds {seeds[0]} to {seeds[-1]}, which had no "
        "part in choosing them"
    )
