"""Going on with a sweep that was started before: is it the one that is meant, and can it be?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

from sweeps.driver.outcome import some
from sweeps.plan import provenance
from sweeps.plan.command import Command
from sweeps.plan.errors import Refused
from sweeps.plan.exit_codes import CANNOT_RESUME
from sweeps.plan.flags import NEWEST
from sweeps.plan.hyperparameter_flags import SHARED
from sweeps.plan.options import Options, flag_of
from sweeps.record.client import Recorder
from sweeps.record.messages import Found, Look, Ready
from sweeps.record.store.opening import StoreError
from trainables import data
from trainables.hyperparameters import DECLARED, TRAINER_VERSION, default
from trainables.installation import NUMBERS_DEPEND_ON
from trainables.manifest import Manifest

# What may differ between the parts of one sweep: where and how it runs, not what is recorded.
_FREE = {
    "address",
    "expect_nodes",
    "cpus_per_trial",
    "gpus_per_trial",
    "device",
    "max_concurrent",
    "pack",
    "tracking_uri",
    "store_patience",
    "resume",
    "retry_failed",
    "dry_run",
    "smoke_test",
    "quiet",
    "confirm",
}


def look_up(recorder: Recorder, command: Command) -> Found:
    """The sweep that `--resume` means. Raises `StoreError`, or `Refused` without one."""
    options = command.options
    ready = cast(Ready, recorder.expect(Ready))
    if ready.problem:
        raise StoreError(ready.problem)
    run_id = None if options.resume == NEWEST else options.resume
    recorder.send(Look(command.name, run_id, options.retry_failed, options.experiment_name))
    found = cast(Found, recorder.expect(Found))
    if found.problem:
        raise Refused(found.problem, found.code)
    return found


def which(found: Found) -> str:
    """Says which sweep goes on, and of which other ones it is the newest, in a line."""
    return f"{found.promised.run_name} goes on, run {found.run_id}{also_unfinished(found)}"


def also_unfinished(found: Found) -> str:
    """What goes after the name of a sweep that is the newest of several; else nothing."""
    return f"; unfinished, too: {some(found.others)} (--resume NAME)" if found.others else ""


def continued(command: Command, found: Found) -> Options:
    """The options that the sweep goes on with: its own, but for how it runs now.

    Raises `Refused` when a stated option contradicts what the sweep promised, or when this
    installation would give other numbers than those that are recorded.
    """
    manifest, options, stated = found.promised, command.options, set(command.stated)
    promised = _as_options(manifest.options, command.usual)
    against = {
        name: (getattr(promised, name), getattr(options, name))
        for name in stated
        if name not in _FREE and not _agree(name, getattr(promised, name), getattr(options, name))
    }
    what = f"sweep {manifest.run_name} (run {found.run_id})"
    if against:
        texts = [
            f"{flag_of(name)} {_shown(asked)} (it has {_shown(has)})"
            for name, (has, asked) in sorted(against.items())
        ]
        raise Refused(
            f"{what} was started with other options than {', '.join(texts)}: leave them out to "
            "complete it, or leave out --resume to start a new one",
            CANNOT_RESUME,
        )
    if not found.complete:
        require_equal_numbers(manifest, what)
    now = {each: getattr(options, each) for each in _FREE & (stated | {"resume", "quiet"})}
    return replace(promised, **now)


def _agree(name: str, has: object, asked: object) -> bool:
    """Whether the option that is asked for is that which the sweep has."""
    if name == "from_run" and isinstance(has, str):  # which may be given by its first digits
        return has.startswith(str(asked))
    return has == asked


def _as_options(recorded: Mapping[str, Any], usual: Options) -> Options:
    known = {each.name for each in fields(usual)}
    # A sweep from before a hyperparameter was introduced has its default, whatever is usual today.
    shared = (name for name in SHARED if DECLARED[name].since)
    values: dict[str, Any] = {name: default(name) for name in shared} | {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in recorded.items()
        if name in known
    }
    if "confirm" in {each.name for each in fields(usual)}:
        values = {"confirm": 0} | values  # of before there was such a thing
    fresh = {"dry_run": False, "smoke_test": False, "retry_failed": False, "resume": None}
    return replace(usual, **{**values, **fresh})


def require_equal_numbers(manifest: Manifest, what: str) -> None:
    """Raises `Refused` unless this installation would give `what` the numbers that it has."""
    if manifest.trainer_version != TRAINER_VERSION:
        raise Refused(
            f"{what} was trained with version {manifest.trainer_version} of the trainer, this "
            f"installation has {TRAINER_VERSION} and gives other numbers: install the code of "
            f"commit {manifest.commit[:12] or 'that time'}, or start a new sweep",
            CANNOT_RESUME,
        )
    digest = data.load(manifest.dataset["name"]).digest
    if manifest.dataset["digest"] != digest:
        raise Refused(
            f"{what} was trained on data with digest {manifest.dataset['digest']}, this "
            f"installation's {manifest.dataset['name']} has {digest}: install scikit-learn "
            f"{manifest.versions.get('scikit-learn')}, or start a new sweep",
            CANNOT_RESUME,
        )
    here = provenance.versions()
    machine = provenance.machine()
    differences = [
        f"{name} {manifest.versions.get(name)} then, {here[name]} now"
        for name in NUMBERS_DEPEND_ON
        if manifest.versions.get(name) != here[name]
    ]
    if manifest.machine.get("cpu") != machine["cpu"]:
        differences.append(f"CPU {manifest.machine.get('cpu')} then, {machine['cpu']} now")
    variables = manifest.machine.get("variables", machine["variables"])  # older ones lack them
    if variables != machine["variables"]:
        differences.append(
            f"{variables or 'nothing'} set then, {machine['variables'] or 'nothing'} now"
        )
    if differences:
        print(
            f"warning: {'; '.join(differences)}: the last bits of numbers may differ from those "
            "recorded so far",
            file=sys.stderr,
        )


def _shown(value: object) -> str:
    return (" ".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)
