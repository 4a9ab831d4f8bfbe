"""Which differences between a few configurations hold over many seeds?

    python sweeps/seeds.py --seeds 1000 --l2 0 0.01 0.1    # values, the first is the baseline
    python sweeps/seeds.py --from RUN_ID --top 5           # a sweep's best, on fresh seeds
    python sweeps/seeds.py --l2 0 0.1 --by-source          # and where the spread comes from

Several flags with values give all their combinations; with --one-at-a-time each value with the
first of all others. Values of what another sweep varies have the epochs, learning rate and split of
that sweep, unless flags say otherwise. A sweep's best were chosen on the seeds that it had, and
partly for their luck with these: --from tries them, and its baseline, on others.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from sweeps import batch_size, dropout, elastic_net, l1, l2, label_smoothing
from sweeps.driver.launch import run_command
from sweeps.plan.checks import Checked
from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.options import Options, given
from sweeps.plan.packs import seconds_together
from sweeps.plan.seeds_options import SeedsOptions, check_seeds, parse_seeds
from sweeps.plan.seeds_plan import NAME, as_declared, plan_from, plan_values, same_question

DECLARED_SWEEPS = tuple(
    each.SWEEP for each in (dropout, l1, l2, batch_size, elastic_net, label_smoothing)
)


@dataclass(frozen=True)
class SeedsSweep:
    """The command line of this script, as `sweeps.plan.command.Command` describes it."""

    options: SeedsOptions
    stated: Collection[str]

    @property
    def name(self) -> str:
        """The sweep's name."""
        return NAME

    @property
    def usual(self) -> SeedsOptions:
        """The options without flags."""
        return SeedsOptions()

    @property
    def asked(self) -> str:
        """Nothing: this process's own words."""
        return ""

    @property
    def needs(self) -> str | None:
        """The run id of the sweep whose best are taken."""
        return self.options.from_run

    @cached_property
    def _complete(self) -> SeedsOptions:
        """The options with what they do not say, where another sweep asks the same question."""
        question = same_question(self.options, self.stated, DECLARED_SWEEPS)
        return as_declared(self.options, self.stated, question)

    @cached_property
    def _checked(self) -> Checked:
        return check_seeds(self._complete, self.stated)

    def problems(self) -> list[str]:
        """A line for each thing wrong in the options."""
        return self._checked.wrong

    def plan(self, source: SourceSweep | None = None) -> Plan:
        """The sweep with its trials."""
        options, base = self._complete, self._checked.fit
        if options.smoke_test:
            options, base = replace(options, seeds=2, epochs=5), base.at(epochs=5)
        if source is None:
            return plan_values(options, self.stated, base)
        return plan_from(options, self.stated, source)

    def seconds(self) -> float:
        """Of what it would train without another sweep."""
        return seconds_together(self.plan().trials)

    def most_confirming(self, options: Options) -> int:
        """None: what it trains has not been chosen, or was chosen on other seeds."""
        return 0

    def confirmation(self, options: Options, source: SourceSweep) -> None:
        """None."""


def main() -> None:
    """Runs what the command line asks for and exits with one of `exit_codes`."""
    options = parse_seeds(__doc__ or "")
    run_command(SeedsSweep(options, given(sys.argv[1:], SeedsOptions)))


if __name__ == "__main__":
    main()
