"""The configurations and seeds of `sweeps/seeds.py`: values from flags, or a sweep's best."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from sweeps.plan.checks import MOST_FIRST_SEED, batch_problems
from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.errors import Refused
from sweeps.plan.exit_codes import BAD_INPUT
from sweeps.plan.hyperparameter_flags import SHARED, VALUES
from sweeps.plan.options import flag_of
from sweeps.plan.own_axes import axis_of
from sweeps.plan.ranking import best_of
from sweeps.plan.seeds_options import SeedsOptions
from sweeps.plan.sweep import Axis, Sweep
from trainables.hyperparameters import DECLARED, SOURCES, Hyperparameters, default
from trainables.manifest import Manifest, RecordedAxis
from trainables.trial import Trial

NAME = "seeds"
_TOP = 5


def same_question(
    options: SeedsOptions, stated: Collection[str], declared: Sequence[Sweep]
) -> Sweep | None:
    """Which of the `declared` sweeps asks what the values in `options` ask on more seeds.

    It is that of the hyperparameters with several values, or of those that were given; such as are
    in none of the sweeps, like the learning rate, are a setting and no question. None without one.
    """
    if "from_run" in stated:
        return None
    swept = {axis.name for sweep in declared for axis in sweep.axes}
    given = [name for name in VALUES if name in swept and getattr(options, name)]
    several = [name for name in given if len(getattr(options, name)) > 1]
    asked = set(several or given)
    return next((each for each in declared if {axis.name for axis in each.axes} == asked), None)


def as_declared(
    options: SeedsOptions, stated: Collection[str], question: Sweep | None
) -> SeedsOptions:
    """`options` with what the sweep of the same question has set, where nothing is stated."""
    if question is None:
        return options
    own: dict[str, Any] = {
        name: (value,) if name in VALUES else value
        for name, value in question.defaults.items()
        if name not in stated
    }
    return replace(options, **own, summary=options.summary or question.summary)


def plan_values(options: SeedsOptions, stated: Collection[str], base: Hyperparameters) -> Plan:
    """All combinations of the values in `options`, or one value at a time, where that is asked for.

    The first of all, which `base` has, is the baseline.

    Axes are the hyperparameters with several values. One configuration has those that were
    `stated` for its axes, or else all.
    """
    values = {name: getattr(options, name) or (default(name),) for name in VALUES}
    several = [name for name in VALUES if len(values[name]) > 1]
    named = [name for name in VALUES if name in stated]
    # Names of configurations stay those of older records.
    usual = [name for name in VALUES if not DECLARED[name].since]
    axes = tuple(axis_of(name, values[name]) for name in several or named or usual)
    sweep = Sweep(name=NAME, question=_question(bool(several)), axes=axes).at(options.summary)
    seeds = _seeds(options)
    lists = [axis.lesson for axis in axes]
    points = _one_at_a_time(lists) if options.one_at_a_time else list(product(*lists))
    return Plan(sweep, options, _all(options, [sweep.trial(base, each, seeds) for each in points]))


def plan_from(options: SeedsOptions, stated: Collection[str], source: SourceSweep) -> Plan:
    """The baseline and the best configurations of `source` on seeds that it did not use.

    Raises `Refused` for options that do not fit the source, with a line for each.
    """
    manifest = source.promised
    options = replace(options, from_run=source.run_id)  # by whatever it was named
    ranked = best_of(manifest, source.summaries)
    used = manifest.trials[0].seeds
    fresh = max(used) + 1
    if "first_seed" not in stated:
        options = replace(options, first_seed=fresh)
    wrong = [*_contradictions(options, stated, manifest), *_stale(options, manifest, used, fresh)]
    top = min(_TOP, len(ranked)) if options.top is None else options.top
    if not ranked:
        wrong.append(f"{manifest.run_name} has no configuration with a result to choose")
    elif top > len(ranked):
        wrong.append(
            f"--top needs at most {len(ranked)}, the configurations of {manifest.run_name} with a "
            f"result, got {top}"
        )
    if wrong:
        raise Refused("\n".join(wrong), BAD_INPUT)
    baseline = manifest.baseline_trial
    chosen = [baseline, *(each for each in ranked[:top] if each.key != baseline.key)]
    epochs = options.epochs if options.smoke_test else baseline.hyperparameters.epochs
    options = _completed(options, chosen, epochs)
    sizes = [each.hyperparameters.batch_size for each in chosen]
    if wrong := batch_problems(sizes, options):
        raise Refused("\n".join(wrong), BAD_INPUT)
    window, of = manifest.summary_epochs, baseline.hyperparameters.epochs
    sweep = Sweep(
        name=NAME,
        question=f"Does what {manifest.run_name} found hold on seeds that it never saw?",
        axes=tuple(_recorded_axis(each, chosen) for each in manifest.axes),
        summary=(window.start / of, window.stop / of),
    )
    seeds = _seeds(options)
    trials = [Trial(each.name, each.hyperparameters.at(epochs=epochs), seeds) for each in chosen]
    return Plan(sweep, options, _all(options, trials))


def _one_at_a_time(lists: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The first of all values, then the others of each list with the first of all other lists."""
    first = tuple(values[0] for values in lists)
    return [first] + [
        (*first[:place], value, *first[place + 1 :])
        for place, values in enumerate(lists)
        for value in values[1:]
    ]


def _all(options: SeedsOptions, trials: Sequence[Trial]) -> list[Trial]:
    """The configurations' trials, and after them those with an exchanged source."""
    if options.smoke_test:
        trials = [trials[0], *trials[1:][-1:]]
    trials = [replace(each, vary=options.vary, folds=options.folds) for each in trials]
    if not options.by_source:
        return trials
    kept = {source: tuple(one for one in SOURCES if one != source) for source in SOURCES}
    exchanged = [
        replace(each, name=f"{each.name} next={source}", vary=kept[source], others="next")
        for each in trials
        for source in SOURCES
    ]
    return [*trials, *exchanged]


def _seeds(options: SeedsOptions) -> tuple[int, ...]:
    return tuple(range(options.first_seed, options.first_seed + options.seeds))


def _question(several: bool) -> str:
    if several:
        return "Which of these configurations differ by more than the luck of their seeds?"
    return "How much do the results of this configuration vary from seed to seed?"


def _recorded_axis(recorded: RecordedAxis, chosen: Sequence[Trial]) -> Axis:
    """An axis as it stands in a manifest; the first of the `chosen` is the baseline."""
    values = [getattr(each.hyperparameters, recorded.field) for each in chosen]
    return Axis(
        name=recorded.field,
        label=recorded.label,
        lesson=tuple(dict.fromkeys(values)),
        low=recorded.low,
        high=recorded.high,
        log=recorded.log,
        decimals=recorded.decimals,
        baseline=values[0],
    )


def _completed(options: SeedsOptions, chosen: Sequence[Trial], epochs: int) -> SeedsOptions:
    """The options with what comes from the source; values that differ there are left empty."""
    all_values = {name: {getattr(each.hyperparameters, name) for each in chosen} for name in VALUES}
    one: dict[str, Any] = {
        name: tuple(values) if len(values) == 1 else () for name, values in all_values.items()
    }
    shared = {name: getattr(chosen[0].hyperparameters, name) for name in SHARED}
    return replace(options, **{**one, **shared, "epochs": epochs})


def _contradictions(
    options: SeedsOptions, stated: Collection[str], manifest: Manifest
) -> list[str]:
    """A line for each stated hyperparameter that is not the source's, and for what else is its."""
    swept = {axis.field for axis in manifest.axes}
    base = manifest.baseline_trial.hyperparameters
    found = []
    if "summary" in stated:
        found.append(f"--summary cannot be set with --from: it is that of {manifest.run_name}")
    for name in (*VALUES, *SHARED):
        if name not in stated or (name == "epochs" and options.smoke_test):
            continue
        asked, has = getattr(options, name), getattr(base, name)
        if name in swept:
            found.append(
                f"{flag_of(name)} cannot be set with --from: it is what {manifest.run_name} varies"
            )
        elif asked != ((has,) if name in VALUES else has):
            found.append(
                f"{flag_of(name)} needs {_words(has)}, as {manifest.run_name} has it, or to be "
                f"left out, got {_words(asked)}"
            )
    return found


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _stale(options: SeedsOptions, manifest: Manifest, used: Sequence[int], fresh: int) -> list[str]:
    """A line if seeds are among those that the source has used, or too large to be seeds."""
    first, stop = options.first_seed, options.first_seed + options.seeds
    if any(first <= seed < stop for seed in used):
        return [
            f"--first-seed needs seeds that {manifest.run_name} did not use, which has {min(used)} "
            f"to {max(used)}: give {fresh} or leave it out, got {first}"
        ]
    if first > MOST_FIRST_SEED:
        return [f"--first-seed needs at most {MOST_FIRST_SEED}, got {first}"]
    return []
