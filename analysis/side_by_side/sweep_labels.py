"""What tells compared sweeps apart, for people."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from analysis.reading.sweep_record import SweepRecord

_LONGEST = 80  # characters of a label; a legend has no room for more


def labels(records: Sequence[SweepRecord]) -> tuple[str, ...]:
    """A label for each sweep, all different: its name and what is fixed at other values than in
    the others, such as `l2, hidden=64 64`; where that is nothing, its run.
    """
    facts = [_fixed(record) for record in records]
    differing = [name for name in facts[0] if len({one[name] for one in facts}) > 1]
    found = []
    for record, own in zip(records, facts, strict=True):
        swept = {axis.field for axis in record.manifest.axes}
        shown = [f"{name}={own[name]}" for name in differing if name not in swept]
        found.append(_short(", ".join([record.manifest.name, *shown])))
    for more in ("run_name", "run_id"):
        if len(set(found)) == len(found):
            break
        extra = [
            record.manifest.run_name if more == "run_name" else record.run_id for record in records
        ]
        found = [
            _short(f"{label} ({text})") if found.count(label) > 1 else label
            for label, text in zip(found, extra, strict=True)
        ]
    return tuple(found)


def unsaid(label: str, setting: Mapping[str, str]) -> str:
    """Of the words on a sweep's hyperparameters, by field, those on what its label leaves out."""
    return ", ".join(text for name, text in setting.items() if f" {name}=" not in label)


def _short(text: str) -> str:
    return textwrap.shorten(text, _LONGEST, placeholder=" …")


def _fixed(record: SweepRecord) -> dict[str, str]:
    """What a sweep's models have in common; of what it varies, the value at the baseline."""
    manifest = record.manifest
    trial = manifest.baseline_trial
    values = trial.hyperparameters.as_row()
    values["seeds"], values["first_seed"] = len(trial.seeds), trial.seeds[0]
    values["vary"] = ",".join(trial.vary)
    values["trainer_version"] = manifest.trainer_version
    return {name: str(value) for name, value in values.items()}
