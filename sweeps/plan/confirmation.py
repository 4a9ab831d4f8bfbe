"""A sweep's best and its baseline once more, on seeds that had no part in choosing them.

The best of many configurations is the one that was best for these seeds: part of its gain is their
luck. On fresh seeds that part is gone, so that what is left is what a sweep reports as its gain.
"""

from __future__ import annotations

from dataclasses import fields

from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.errors import Refused
from sweeps.plan.exit_codes import BAD_INPUT
from sweeps.plan.options import Options, SearchOptions
from sweeps.plan.ranking import best_of
from sweeps.plan.seeds_options import SeedsOptions
from sweeps.plan.seeds_plan import plan_from
from trainables.commands.project_scripts import words

MOST = 3  # of the best are tried again
_SMOKE_SEEDS = 2
# What a command asks for that is no matter of its confirmation.
_OWN = ("folds", "summary", "seeds", "first_seed", "resume", "retry_failed", "smoke_test")


def confirmation(options: SearchOptions, experiment: str, source: SourceSweep) -> Plan | None:
    """The 3 best of a sweep that has ended, and its baseline, on seeds that follow those it had.

    `options`: those of the sweep; it is run and recorded as that was, in the same `experiment`.
    None where no configuration can be better than the baseline: of a single one, or without any
    result. Raises `Refused` when there are no such seeds.
    """
    ranked = best_of(source.promised, source.summaries)
    if len(source.promised.configurations) == 1 or not ranked:
        return None
    shared = {
        each.name: getattr(options, each.name) for each in fields(Options) if each.name not in _OWN
    }
    seeds = min(options.confirm, _SMOKE_SEEDS) if options.smoke_test else options.confirm
    own = SeedsOptions(
        **{**shared, "experiment_name": experiment, "dry_run": False},
        from_run=source.run_id,
        seeds=seeds,
        top=min(MOST, len(ranked)),
    )
    try:
        return plan_from(own, (), source)
    except Refused as error:
        raise Refused(f"the choice cannot be tried on fresh seeds: {error}", BAD_INPUT) from error


def asked_as(run_id: str, seeds: int, top: int) -> str:
    """The command that would record the same on its own."""
    return f"{words('sweeps', 'seeds')} --from {run_id} --top {top} --seeds {seeds}"
