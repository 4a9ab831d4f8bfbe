"""What made each sweep of the report, and how its numbers can be made again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from analysis.figures.captions import held_fixed, which_seeds
from analysis.figures.comparison import Row, compare
from analysis.plotting.file_names import file_name
from analysis.plotting.wording import ONE_SEED, accuracy_text, all_in_percent, number, with_interval
from analysis.reading.connection import without_password
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, Difference
from trainables.setting import models_of, setting

_MACHINE = ("system", "cpu", "cores")  # not its name or its user's folders: nobody else's business


class TrialLine(NamedTuple):
    """A configuration's numbers as text, and the run that they are from."""

    name: str
    n: str
    train: str
    test: str
    difference: str
    run_id: str


class Origin(NamedTuple):
    """A sweep of the report; all texts are for people, `anchor` for links within the page.

    `facts`: pairs of a name and a value. `lacking`: what is wrong with each missing trial.
    """

    anchor: str
    title: str
    run_name: str
    run_id: str
    question: str
    setting: str
    command: str
    facts: tuple[tuple[str, str], ...]
    trials: tuple[TrialLine, ...]
    lacking: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def origin(role: str, record: SweepRecord) -> Origin:
    """What made the sweep that plays that role."""
    manifest = record.manifest
    return Origin(
        anchor=f"sweep-{file_name(role)}",
        title=_title(record),
        run_name=manifest.run_name,
        run_id=record.run_id,
        question=manifest.question,
        setting=_setting(record),
        command=_command(record),
        facts=_facts(record),
        trials=tuple(_line(record, row) for row in compare(record)),
        lacking=tuple(record.lacking.items()),
        warnings=record.warnings,
    )


def shared_facts(
    origins: Sequence[Origin],
) -> tuple[tuple[tuple[str, str], ...], dict[str, tuple[tuple[str, str], ...]]]:
    """The facts that are the same for all of these, and by anchor those that are not."""
    said = Counter(fact for one in origins for fact in one.facts)
    common = tuple(fact for fact, count in said.items() if count == len(origins))
    own = {one.anchor: tuple(fact for fact in one.facts if fact not in common) for one in origins}
    return common, own


def _command(record: SweepRecord) -> str:
    """The command as it is typed in the project's folder, wherever that lay."""
    recorded = without_password(record.manifest.command or "not recorded")
    return re.sub(r"^python .*?(sweeps/\w+\.py)'?", r"python \1", recorded)


def _title(record: SweepRecord) -> str:
    """What varies and on what: `L2 penalty λ from 0 to 0.1; iris, random split, hidden 32`."""
    trials = record.manifest.trials
    varied = []
    for axis in record.manifest.axes:
        values = [getattr(trial.hyperparameters, axis.field) for trial in trials]
        varied.append(f"{axis.label} from {min(values):g} to {max(values):g}")
    captions = trials[0].hyperparameters.captions()
    text = " and ".join(varied)
    on = ", ".join(captions[name] for name in ("dataset", "split", "hidden"))
    if held := held_fixed(record):
        on += f"; {held.split(';')[0]}"
    return f"{text[0].upper()}{text[1:]}; {on}"


def _setting(record: SweepRecord) -> str:
    """What all models of a sweep have in common: hyperparameters, data, seeds."""
    dataset = record.manifest.dataset
    rows = f"{dataset['train']} training and {dataset['test']} test rows"
    if held_out := record.manifest.held_out_rows:
        rows += f", {held_out} held out of all seeds,"
    data = f"{rows} of {dataset['features']} features, {dataset['classes']} classes"
    text = setting(models_of(record.manifest))
    said = f"{text[0].upper()}{text[1:]}"
    return "; ".join([said, data, which_seeds(record.manifest.trials[0])])


def _facts(record: SweepRecord) -> tuple[tuple[str, str], ...]:
    made = record.manifest
    window, dataset, machine = made.summary_epochs, made.dataset, made.machine
    commit = made.commit or "unknown: not from a git checkout"
    if made.dirty:
        commit += ", with uncommitted changes"
    seeds = len(made.trials[0].seeds)
    facts = {
        "commit": commit,
        "versions": ", ".join(f"{name} {number}" for name, number in made.versions.items()),
        "trainer version": str(made.trainer_version),
        "machine": ", ".join(str(machine[name]) for name in _MACHINE if name in machine),
        "data": f"{dataset['name']}, {dataset['rows']} rows, digest {dataset['digest']}",
        "final numbers": f"means of epochs {window.start + 1} to {window.stop}",
        "intervals": f"{METHOD} over seeds" if seeds > 1 else ONE_SEED,
    }
    return tuple((name, value or "not recorded") for name, value in facts.items())


def _line(record: SweepRecord, row: Row) -> TrialLine:
    return TrialLine(
        name=row.trial.name,
        n=f"{row.test.n}" + f", {row.test.diverged} diverged" * (row.test.diverged > 0),
        train=accuracy_text(row.train),
        test=accuracy_text(row.test),
        difference="baseline" if row.trial == record.baseline else _difference(row.difference),
        run_id=row.run_id,
    )


def _difference(found: Difference | None) -> str:
    if found is None:
        return "baseline missing"
    if found.mean is None:
        return found.remark
    if found.remark:
        return f"{number(100 * found.mean, '+.2')} ({found.remark})"
    return with_interval(all_in_percent(found[:3]), "+.2")
