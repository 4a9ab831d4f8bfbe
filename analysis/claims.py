"""What do the recorded sweeps say on the lesson's claims?

    python sweeps/lesson.py       # records the sweeps that the claims need
    python analysis/claims.py
    python analysis/claims.py --hidden 64 64    # on sweeps of another network, with lesson.py's
                                                # flag of that name

Reads the newest finished sweeps in the lesson's settings. The table goes into ./figures as CSV and
Markdown and to the sweeps' MLflow runs. docs/verdicts.md has the rules; none is called contradicted
by fewer than 300 seeds: python sweeps/lesson.py --seeds 300.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mlflow import MlflowClient

from analysis.claims_of_lesson import dropout_claims, learning_claims, penalty_claims, size_claim
from analysis.claims_of_lesson.claims_table import save, show
from analysis.claims_of_lesson.lesson_sweeps import LessonSweeps, load_lesson
from analysis.claims_of_lesson.verdicts import Finding, Untestable, Verdict, decide, untested
from analysis.plotting.terminal import print_warnings
from analysis.reading.connection import open_store, upload
from analysis.reading.errors import exit_code
from analysis.reading.script_options import Places, parse
from analysis.reading.sweep_record import SweepRecord
from trainables.commands.project_scripts import words

_Records = Mapping[str, SweepRecord]


class Claim(NamedTuple):
    """A claim of the lesson, the sweeps that it needs, by role, and its test."""

    id: str
    text: str
    needs: tuple[str, ...]
    test: Callable[[_Records], Finding]


def _on(role: str, test: Callable[[SweepRecord], Finding]) -> Callable[[_Records], Finding]:
    return lambda records: test(records[role])


CLAIMS = (
    Claim(
        "dropout-none-best",
        "The best accuracy is at dropout 0; train and test accuracy fall as the rate rises",
        ("dropout",),
        _on("dropout", dropout_claims.none_best),
    ),
    Claim(
        "dropout-slower",
        "Dropout needs more epochs to reach a given accuracy",
        ("dropout",),
        _on("dropout", dropout_claims.slower),
    ),
    Claim(
        "dropout-lowers-train",
        "Regularization by dropout lowers training accuracy",
        ("dropout",),
        _on("dropout", dropout_claims.lowers_train),
    ),
    Claim(
        "dropout-gap",
        "The train − test gap moves with the dropout rate (which way, the lesson leaves open)",
        ("dropout",),
        _on("dropout", dropout_claims.gap),
    ),
    Claim(
        "dropout-gap-stratified",
        "So it does where, unlike in the lesson, every class has its share of the test rows",
        ("dropout-stratified",),
        _on("dropout-stratified", dropout_claims.gap),
    ),
    Claim(
        "l2-no-trend",
        "Small λ of L2 (≤ 0.01) change test accuracy little, in no clear direction",
        ("small-l2",),
        _on("small-l2", penalty_claims.l2_no_trend),
    ),
    Claim(
        "l2-too-strong",
        "λ of L2 near 0.1 lowers accuracy, of the test and of the training set",
        ("l2",),
        _on("l2", penalty_claims.l2_too_strong),
    ),
    Claim(
        "l2-shrinks",
        "L2 shrinks all weights, few reach zero: the norm falls, sparsity does not rise",
        ("l2",),
        _on("l2", penalty_claims.l2_shrinks),
    ),
    Claim(
        "l1-sparse",
        "L1 drives many weights towards zero",
        ("l1",),
        lambda records: penalty_claims.l1_sparse(records["l1"], records.get("strong-l1")),
    ),
    Claim(
        "l1-final",
        "L1 changes final accuracy little on this small model",
        ("l1",),
        _on("l1", penalty_claims.l1_final),
    ),
    Claim(
        "l1-early",
        "A higher λ of L1 may learn faster early on",
        ("strong-l1",),
        lambda records: penalty_claims.l1_early(records["strong-l1"], records.get("l1")),
    ),
    Claim(
        "batch-early",
        "The smaller the batch, the faster the early learning, per epoch",
        ("batch_size",),
        _on("batch_size", learning_claims.batch_early),
    ),
    Claim(
        "batch-final",
        "Every batch size reaches high accuracy in the end, 64 last",
        ("batch_size",),
        lambda records: learning_claims.batch_final(
            records["batch_size"], records.get("long-batch")
        ),
    ),
    Claim(
        "seeds-vary",
        "Results vary with the random initialisation: one run proves nothing",
        ("l2",),
        learning_claims.seeds_vary,
    ),
    Claim(
        "size-matters-net",
        "Regularization helps a larger model more than this one",
        ("small", "large"),
        lambda records: size_claim.larger_net(records["small"], records["large"]),
    ),
    Claim(
        "size-matters-data",
        "Regularization helps more on harder data",
        ("small", "harder"),
        lambda records: size_claim.harder_data(records["small"], records["harder"]),
    ),
)


@dataclass(frozen=True, kw_only=True)
class ClaimsOptions(Places):
    """The command line."""

    hidden: tuple[int, ...] = ()
    """Units of each hidden layer, such as 12 12; without it the lesson's network."""


def judge(sweeps: LessonSweeps) -> list[Verdict]:
    """The verdict on every claim that is one of this network, in the lesson's order."""
    claims = [claim for claim in CLAIMS if set(claim.needs) <= set(sweeps.roles)]
    findings = [_find(claim, sweeps.records) for claim in claims]
    return decide([(claim.id, claim.text) for claim in claims], findings)


def judge_recorded(
    client: MlflowClient, allow_partial: bool, hidden: Sequence[int] = ()
) -> tuple[LessonSweeps, list[Verdict]]:
    """The lesson's sweeps in that store, what is odd about them on stderr, and the verdicts.

    `hidden`: units of each hidden layer, if not the lesson's network.
    """
    sweeps = load_lesson(client, allow_partial, hidden)
    for record in sweeps.records.values():
        print_warnings(record, f"{record.manifest.run_name}: ")
    return sweeps, judge(sweeps)


def _find(claim: Claim, records: _Records) -> Finding:
    if lacking := [role for role in claim.needs if role not in records]:
        return untested(
            f"No finished sweep for {', '.join(lacking)}; record it: {words('sweeps', 'lesson')}."
        )
    try:
        return claim.test(records)
    except Untestable as reason:
        text = str(reason)
        runs = [records[role].run_id for role in claim.needs]
        return untested(f"{text[0].upper()}{text[1:]}", runs)


@exit_code
def main(options: ClaimsOptions) -> None:
    """Judges the claims; the exit code, with one line on stderr unless it is 0."""
    client = open_store(options.tracking_uri)
    sweeps, verdicts = judge_recorded(client, options.allow_partial, options.hidden)
    show(sweeps, verdicts)
    files = save(sweeps, verdicts, options.folder(_folder(options)))
    print(" ".join(map(str, files)))
    if options.upload:
        upload(client, [record.run_id for record in sweeps.records.values()], files)


def _folder(options: ClaimsOptions) -> str:
    """A folder of its own for a network that is not the lesson's."""
    return "-".join(map(str, ("hidden", *options.hidden))) if options.hidden else ""


if __name__ == "__main__":
    sys.exit(main(parse(ClaimsOptions, __doc__)))
