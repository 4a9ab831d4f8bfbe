"""What a robustness study says, in plain sentences, and no more than its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.plotting.wording import from_to, number, p_in_three_decimals
from analysis.reading.finished_trials import some
from analysis.reading.sweep_record import SweepRecord
from analysis.seed_study.study import SOURCE_NAMES, SourceShares, Studied, best, seeds_for
from analysis.seed_study.study_captions import seeds_text
from analysis.stats.equivalence import within_margin
from analysis.stats.paired import Paired

_LEVEL = 0.05
_WIDTHS = (1.0, 0.5)  # points
_NO_MATTER = 0.5  # points: a difference shown to be smaller is said to be small


def reading(
    record: SweepRecord, studied: Sequence[Studied], shares: Sequence[SourceShares]
) -> list[str]:
    """One sentence or two on each: single runs, differences, numbers of seeds, sources."""
    if best(studied) is None:
        return ["Every model of every configuration diverged, so nothing can be said."]
    return [
        *_single_runs(studied),
        *_differences(record, studied),
        *_seeds(studied),
        *_sources(studied, shares),
    ]


def _single_runs(studied: Sequence[Studied]) -> list[str]:
    top = best(studied)
    assert top is not None
    seeds = len(top.values)
    if seeds == 1:
        return [
            "One seed: one run proves nothing. No interval and no test exists; sweep with "
            "--seeds 10 or more."
        ]
    finite = top.values[np.isfinite(top.values)]
    text = (
        f"Single models of {top.trial.name}, which has the highest mean, end between "
        f"{100 * finite.min():.1f} and {100 * finite.max():.1f} %"
    )
    alive = [one for one in studied if one.mean.n]
    values = np.stack([one.values for one in alive])
    together = values[:, np.isfinite(values).all(axis=0)]
    if len(alive) == 1 or together.shape[1] == 0:
        return [f"{text}."]
    is_best = np.round(together, 12) == np.round(together, 12).max(axis=0)
    won = (is_best / is_best.sum(axis=0))[[one is top for one in alive]].mean()
    return [f"{text}; with one seed it would be the best in {100 * won:.0f} % of studies."]


def _differences(record: SweepRecord, studied: Sequence[Studied]) -> list[str]:
    if record.baseline is None:
        return ["The baseline is lacking, so no difference can be given."]
    pairs = [(one, one.paired) for one in studied if one.paired is not None]
    if not pairs:
        return ["One configuration: there is nothing to compare it with."]
    name = record.baseline.name
    tested = [(one, paired) for one, paired in pairs if one.p_holm is not None]
    clear = [(one, paired) for one, paired in tested if (one.p_holm or 0.0) < _LEVEL]
    found = []
    if clear:
        texts = [_difference(one, paired) for one, paired in clear]
        found.append(f"More than luck (Holm's p < {_LEVEL:g}) against {name}: {some(texts)}.")
    elif tested:
        count = f"{len(tested)} difference{'s' if len(tested) > 1 else ''}"
        found.append(f"Of {count} to {name} none is more than luck (Holm's p < {_LEVEL:g}).")
    unclear = [one.trial.name for one, _ in tested if (one.p_holm or 0.0) >= _LEVEL]
    if clear and unclear:
        found.append(f"Cannot be told from {name} with these seeds: {some(unclear)}.")
    for one, paired in pairs:
        if one.p_holm is None and one.trial.seeds[1:]:
            found.append(f"{one.trial.name}: {paired.difference.remark}.")
    if small := [one.trial.name for one, paired in pairs if _is_small(paired)]:
        found.append(
            f"Shown to be within ± {_NO_MATTER:g} points of {name} (90 % interval): {some(small)}."
        )
    found += _other_rows(clear)
    if odd := [one.trial.name for one, paired in tested if _tests_disagree(paired)]:
        found.append(
            "The paired t-test and the Wilcoxon or permutation test, each by itself at "
            f"{_LEVEL:g}, disagree for {some(odd)}. Wilcoxon's asks whether differences lie "
            "symmetrically about 0, which skewed ones with a mean of 0 do not."
        )
    elif tested:
        found.append("Wilcoxon and permutation tests agree with the t-test everywhere.")
    return found


def _difference(one: Studied, paired: Paired) -> str:
    difference = paired.difference
    mean, low, high = (100 * (value or 0.0) for value in difference[:3])
    numbers = (number(mean, "+.2", " points"), from_to(low, high, "+.2"))
    return f"{one.trial.name} ({', '.join(numbers)}, p {_sign(p_in_three_decimals(one.p_holm))})"


def _sign(text: str) -> str:
    return text if text.startswith("<") else f"= {text}"


def _other_rows(clear: Sequence[tuple[Studied, Paired]]) -> list[str]:
    """Whether what is clear on these rows would be expected on others."""
    known = [(one.trial.name, paired.corrected) for one, paired in clear if paired.corrected.p]
    if not known:
        return []
    holds = [name for name, corrected in known if corrected.excludes_zero]
    if len(holds) == len(known):
        which = "all of them" if len(known) > 1 else "it too"
        return [
            f"The Nadeau–Bengio interval, for other rows of this kind, leaves out 0 for {which}."
        ]
    rest = f"leaves out 0 for {some(holds)} alone" if holds else "includes 0 for every one of them"
    return [
        f"The Nadeau–Bengio interval, for other rows of this kind, {rest}: more seeds on the same "
        "rows cannot settle the others."
    ]


def _is_small(paired: Paired) -> bool:
    return within_margin(paired.difference, 0, _NO_MATTER / 100) < 0.05


def _tests_disagree(paired: Paired) -> bool:
    p_values = (paired.difference.p, paired.wilcoxon_p, paired.permutation_p)
    return len({p < _LEVEL for p in p_values if p is not None}) > 1


def _seeds(studied: Sequence[Studied]) -> list[str]:
    halves = [
        100 * (one.mean.high - one.mean.low) / 2
        for one in studied
        if one.mean.low is not None and one.mean.high is not None
    ]
    if not halves or max(halves) == 0:
        return []
    texts = []
    for width in _WIDTHS:
        needed = [seeds_for(one.values, width / 100) for one in studied]
        if known := [n for n in needed if n is not None]:
            texts.append(f"{_range(known)} seeds give ± {width:g} point{'s' if width != 1 else ''}")
    count = seeds_text(len(studied[0].values))
    most = f"{max(halves):.2f}"
    least = f"{min(halves):.2f}"
    here = f"± {most}" if most == least else f"± {least} to {most}"
    found = [
        f"For the mean of a configuration {', '.join(texts)} (95 %); the {count} here give {here}."
    ]
    if enough := [
        f"{one.paired.smallest_n:,} for {one.trial.name}"
        for one in studied
        if one.paired and one.paired.smallest_n and one.p_holm is not None and one.p_holm < _LEVEL
    ]:
        found.append(f"Seeds that show the difference in 80 % of studies: {some(enough)}.")
    return found


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _sources(studied: Sequence[Studied], shares: Sequence[SourceShares]) -> list[str]:
    """Of the best configuration and of the baseline; the table has all."""
    top = best(studied)
    named = {one.trial.key for one in studied if one is top or one.is_baseline}
    found = []
    for one in shares:
        known = [(source.total, source) for source in one.sources if source.total is not None]
        if one.trial.key not in named or not known:
            continue
        parts = [
            f"{SOURCE_NAMES[source.source]} {100 * total:.0f} %"
            for total, source in sorted(known, key=lambda pair: -pair[0])
        ]
        found.append(
            f"Spread of {one.trial.name} by source, interactions included: {', '.join(parts)}."
        )
    return found
