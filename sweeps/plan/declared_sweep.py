"""A sweep that its script declares: from its flags to its trials."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from sweeps.plan.checks import Checked, check
from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.confirmation import MOST, confirmation
from sweeps.plan.options import Options, SearchOptions, defaults
from sweeps.plan.own_axes import own_axis_problems, with_own_axis
from sweeps.plan.packs import training_seconds
from sweeps.plan.search import points, problem
from sweeps.plan.sweep import Sweep


@dataclass(frozen=True)
class DeclaredSweep:
    """The command line of a declared sweep, as `sweeps.plan.command.Command` describes it."""

    sweep: Sweep
    options: SearchOptions
    stated: Collection[str] = ()
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

    @cached_property
    def _own_axis_problems(self) -> list[str]:
        return own_axis_problems(self.sweep, self.options, "values" in self.stated)

    @cached_property
    def _own(self) -> Sweep:
        """The sweep with the user's values or range, if these can be."""
        return self.sweep if self._own_axis_problems else with_own_axis(self.sweep, self.options)

    @cached_property
    def _checked(self) -> Checked:
        return check(self.options, self._own)

    def problems(self) -> list[str]:
        """A line for each thing wrong in the options."""
        found = [*self._own_axis_problems, *self._checked.wrong]
        if not found and (
            text := problem(self._own, self.options.num_samples, self.options.search)
        ):
            return [text]
        return found

    def plan(self, source: SourceSweep | None = None) -> Plan:
        """The sweep with its trials."""
        sweep, options, base = self._own.at(self.options.summary), self.options, self._checked.fit
        chosen = points(sweep, options.num_samples, options.search, options.search_seed)
        if options.smoke_test:
            options, base = replace(options, seeds=2), base.at(epochs=5)
            others = [*sweep.lesson_points(), *chosen]
            chosen = [sweep.baseline, next(each for each in others[::-1] if each != sweep.baseline)]
        seeds = tuple(range(options.first_seed, options.first_seed + options.seeds))
        trials = [sweep.trial(base, point, seeds, options.folds) for point in chosen]
        return Plan(sweep, self.options, trials)

    def seconds(self) -> float:
        """As if all trials had the smallest of the batch sizes; a smoke test takes next to none."""
        options, base = self.options, self._checked.fit
        if options.smoke_test:
            return 0.0
        sizes = [axis.choices for axis in self._own.axes if axis.name == "batch_size"]
        if sizes:
            base = base.at(batch_size=min(sizes[0]))
        count = options.num_samples or len(self._own.lesson_points())
        models = count * options.seeds * (1 + options.folds)
        return training_seconds(base, models + self.most_confirming(options))

    def most_confirming(self, options: Options) -> int:
        """As `--confirm` says."""
        return (MOST + 1) * options.confirm if isinstance(options, SearchOptions) else 0

    def confirmation(self, options: Options, source: SourceSweep) -> Plan | None:
        """The 3 best and the baseline on as many fresh seeds as `--confirm` says."""
        assert isinstance(options, SearchOptions)
        return confirmation(options, options.experiment_name or self.name, source)
