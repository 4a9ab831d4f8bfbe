"""How often do the rules for verdicts err, on made-up studies of which the truth is known?

    python benchmarks/verdict_rules.py             # 2,000 growing studies of each effect and shape
    python benchmarks/verdict_rules.py --quick     # does it run at all

A study claims that an effect is above 0 and grows from 10 to 1,000 seeds. Its seeds' differences
are the true effect plus luck with a standard deviation of `--spread` points, drawn from one of
several shapes; at each number of seeds they are judged by the rules as they stand in
`analysis/claims_of_lesson/verdicts.py`. A verdict is wrong when it is

- supported, and the true effect is not above 0;
- supported, small, and the true effect is not above 0, or not below 1 point, what matters;
- contradicted, and the true effect is 1 point or more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.claims_of_lesson.one_part import MARGIN, WORDS, Evidence, Part, judge
from analysis.stats.seeds import LEAST_P, Difference
from measure import RESULTS, print_table, save

Floats = NDArray[np.float64]
EFFECTS: tuple[float, ...] = (
    *(-2, -1.5, -1, -0.75, -0.5, -0.36, -0.25, -0.1, 0, 0.1, 0.2, 0.25, 0.3, 0.36),
    *(0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2),
)  # points, above 0 as claimed
SEEDS = (10, 15, 20, 30, 50, 100, 200, 300, 500, 700, 1000)
SHOWN = (30, 100, 300, 1000)  # numbers of seeds in the printed table
SPREAD = 1.5  # points: of test accuracy, λ of L2 = 0.1 minus 0, on 30 seeds of Iris

# Luck of mean 0 and standard deviation 1. Accuracies are steps: right answers of 30 test rows.
_STEPS = (2 * 30 * 0.95 * 0.05) ** 0.5
SHAPES: Mapping[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "normal": lambda draws, shape: draws.normal(size=shape),
    "steps": lambda draws, shape: (
        (draws.binomial(30, 0.95, shape) - draws.binomial(30, 0.95, shape)) / _STEPS
    ),
    "heavy tails": lambda draws, shape: draws.standard_t(3, shape) / 3**0.5,
    "skewed to the claim": lambda draws, shape: draws.exponential(size=shape) - 1,
    "skewed against it": lambda draws, shape: 1 - draws.exponential(size=shape),
}


@dataclass(frozen=True)
class EffectOutcome:
    """What became of the studies of one true effect.

    `words`: by number of seeds, how many studies had each word of `WORDS`. `wrong`: of all those
    verdicts, how many are wrong. `flips`: studies that were called supported, small or not, with
    one number of seeds and contradicted with another.
    """

    shape: str
    effect: float
    studies: int
    words: dict[int, list[int]]
    wrong: int
    flips: int

    @property
    def decided(self) -> int:
        return sum(sum(counts) - counts[-1] for counts in self.words.values())


def studied(shape: str, effect: float, studies: int, spread: float) -> EffectOutcome:
    """That many growing studies of the effect, judged at every number of `SEEDS`."""
    place = list(SHAPES).index(shape)
    draws = np.random.default_rng([place, round(1000 * effect) + 10_000])
    values = effect + spread * SHAPES[shape](draws, (studies, SEEDS[-1]))
    by_seeds = [[judge(claimed(one)).word for one in differences(values[:, :n])] for n in SEEDS]
    words = {
        n: [found.count(word) for word in WORDS] for n, found in zip(SEEDS, by_seeds, strict=True)
    }
    wrong = sum(is_wrong(word, effect) for found in by_seeds for word in found)
    flips = sum(flipped(found) for found in zip(*by_seeds, strict=True))
    return EffectOutcome(shape, effect, studies, words, wrong, flips)


def differences(values: Floats) -> list[Difference]:
    """The mean of each row of `values` (studies, seeds), with Student's interval and p."""
    n = values.shape[1]
    means, errors = values.mean(axis=1), values.std(axis=1, ddof=1) / n**0.5
    halves = stdtrit(n - 1, 0.975) * errors
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.maximum(LEAST_P, 2 * stdtr(n - 1, -np.abs(means) / errors))
    columns = zip(means, means - halves, means + halves, p, halves, strict=True)
    return [
        Difference(float(mean), float(low), float(high), n, float(own) if half else None, "")
        for mean, low, high, own, half in columns
    ]


def claimed(difference: Difference) -> Part:
    """The claim that such an effect is above 0."""
    return Part(Evidence("made up", "points", difference, None, "paired t"), 1, MARGIN)


def is_wrong(word: str, effect: float) -> bool:
    """Whether a study that says so of that true effect errs."""
    if word == "supported":
        return effect <= 0
    if word == "supported, small":
        return not 0 < effect < MARGIN
    return word == "contradicted" and effect >= MARGIN


def flipped(words: Sequence[str]) -> bool:
    """Whether a study was both supported, in any way, and contradicted as it grew."""
    return "contradicted" in words and any(word.startswith("supported") for word in words)


def lines(outcomes: Sequence[EffectOutcome]) -> list[dict[str, str]]:
    """The outcomes of one shape as lines of a table, all of them together last."""
    found = []
    for one in outcomes:
        line = {"true effect": f"{one.effect:g}"}
        for n in SHOWN:
            shares = (f"{100 * count / one.studies:.0f}" for count in _of_interest(one.words[n]))
            line[f"n = {n:,}"] = " ".join(shares)
        found.append(line | _errors([one]))
    return [*found, {"true effect": "all"} | _errors(outcomes)]


def _of_interest(counts: Sequence[int]) -> list[int]:
    """Supported, small, contradicted, inconclusive: one number has no parts."""
    return [count for word, count in zip(WORDS, counts, strict=True) if word != "partly"]


def _errors(outcomes: Sequence[EffectOutcome]) -> dict[str, str]:
    decided, wrong = (sum(getattr(one, name) for one in outcomes) for name in ("decided", "wrong"))
    flips, studies = (sum(getattr(one, name) for one in outcomes) for name in ("flips", "studies"))
    share = f"{100 * wrong / decided:.3f} %" if decided else "–"
    return {"wrong of decided": f"{share} of {decided:,}", "flips": f"{flips} of {studies:,}"}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, help="of each effect and shape (default 2000)")
    parser.add_argument(
        "--spread", type=float, default=SPREAD, help=f"of seeds, in points (default {SPREAD:g})"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to try it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    options = parser.parse_args(arguments)
    if options.studies is None:
        options.studies = 20 if options.quick else 2000
    if options.studies < 1 or not options.spread > 0:
        parser.error("studies must be at least 1, the spread above 0")
    return options


def main() -> None:
    """Simulates, prints a table for each shape and writes the JSON file."""
    options = parse()
    outcomes = []
    for shape in SHAPES:
        own = [studied(shape, one, options.studies, options.spread) for one in EFFECTS]
        title = f"{shape}: % supported, small, contradicted, inconclusive"
        print_table(title, lines(own))
        outcomes += own
    content = {
        "spread": options.spread,
        "words": WORDS,
        "outcomes": [asdict(one) for one in outcomes],
    }
    print(f"raw results: {save('verdict_rules', options.out, sys.argv, content)}")


if __name__ == "__main__":
    main()
