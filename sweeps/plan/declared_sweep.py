"""A sweep that its script declares: from its flags to its trials."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.options import (
    SearchOptions,
    base_hyperparameters,
    defaults,
    problems,
)
from sweeps.plan.search import points, problem
from sweeps.plan.sweep import Sweep
from trainables.trial import Trial


@dataclass(frozen=True)
class DeclaredSweep:
    """The command line of a declared sweep, as `sweeps.plan.command.Command` describes it."""

    sweep: Sweep
    options: SearchOptions
    stated: Collection[str]
    asked: str = ""

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.sweep.name

    @property
    def usual(self) -> SearchOptions:
        """The options without flags."""
        return defaults(self.sweep)

    @property
    def needs(self) -> None:
        """No other sweep."""

    def problems(self) -> list[str]:
        """A line for each thing wrong in the options."""
        return all_problems(self.sweep, self.options)

    def plan(self, source: SourceSweep | None = None) -> Plan:
        """The sweep with its trials."""
        return Plan(self.sweep, self.options, plan(self.sweep, self.options))


def all_problems(sweep: Sweep, options: SearchOptions) -> list[str]:
    """A line for each thing wrong in `options`, found without starting anything."""
    found = problems(options, sweep)
    if not found and (wrong := problem(sweep, options.num_samples, options.search)):
        found.append(wrong)
    return found


def plan(sweep: Sweep, options: SearchOptions) -> list[Trial]:
    """The sweep's trials; of options that `all_problems` finds nothing wrong in."""
    if options.smoke_test:
        options = replace(options, seeds=2, epochs=5)
    seeds = tuple(range(options.first_seed, options.first_seed + options.seeds))
    base = base_hyperparameters(options, sweep)
    chosen = points(sweep, options.num_samples, options.search, options.search_seed)
    if options.smoke_test:
        others = [*sweep.lesson_points(), *chosen]
        chosen = [sweep.baseline, next(each for each in others[::-1] if each != sweep.baseline)]
    trials = [sweep.trial(base, point, seeds) for point in chosen]
    return [replace(trial, folds=options.folds) for trial in trials]
