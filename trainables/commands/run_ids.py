"""Which run is meant by what somebody types: a run id, its first digits, or the name of a sweep.

`sweeps` and `analysis` ask their store, each in its own way, and have the answer chosen here. A run
is MLflow's; nothing is imported for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import Any

from trainables.record_format import Kind, Tag, tagged, whose

# What a flag that takes a sweep needs, for messages.
NEEDED = "the run id of a sweep, its first 4 digits or more, or the sweep's name"

_ID = re.compile(r"[0-9a-f]{32}")
_BEGINNING = re.compile(r"[0-9a-f]{4,32}")
_NAME_OF_SWEEP = re.compile(r".+-\d{8}-\d{6}-[0-9a-f]{4}")  # see `sweeps.plan.new_manifest`
_IN_A_FILTER = re.compile(r"[^'\"`\\%]+")  # text that MLflow's filters take as it is
_NAMED = 5  # runs in one line before "and … more"
_DIGITS = 8  # of a run id that are shown where they tell runs apart


class NoSuchRun(ValueError):
    """No run is meant: the message is `TEXT is no run in …`, and names what there is."""


class SeveralRuns(ValueError):
    """More than one run may be meant: the message is `TEXT may be any of …`, and names them."""


def is_whole(text: str) -> bool:
    """Whether the text is a run id and no part of one."""
    return _ID.fullmatch(text) is not None


def may_be_meant(text: object) -> bool:
    """Whether the text may stand for a sweep, as far as can be told without a store."""
    return isinstance(text, str) and any(
        form.fullmatch(text) for form in (_BEGINNING, _NAME_OF_SWEEP)
    )


def meant(
    text: str, kinds: Collection[str], search: Callable[[str], Sequence[Any]], where: str
) -> Any:
    """The run that the text means: of those whose tag `Tag.KIND` is one of `kinds`, if any is.

    `search` gives the store's runs for a filter of MLflow's, deleted ones too, the newest first;
    `where` names the store. A deleted run is meant only where no other can be. Raises `NoSuchRun`
    and `SeveralRuns`.
    """
    found: Sequence[Any] = []
    for filtered in _filters(text):
        found = found or search(filtered)
    fitting = [run for run in found if run.data.tags.get(Tag.KIND) in kinds] or found
    chosen = [run for run in fitting if not is_deleted(run)] or fitting
    if not chosen:
        sweeps = search(tagged({Tag.KIND: Kind.SWEEP}))
        raise NoSuchRun(f"{text} is no run in {where}, {_what_there_is(text, sweeps)}")
    if len(chosen) > 1:
        digits = max(_DIGITS, len(text) + 2) if _BEGINNING.fullmatch(text) else _DIGITS
        named = _some([described(run, digits) for run in chosen])
        raise SeveralRuns(f"{text} may be any of {named}: give more digits of the run id")
    return chosen[0]


def is_deleted(run: Any) -> bool:
    """Whether somebody has deleted the run, which MLflow keeps until `mlflow gc`."""
    deleted: bool = run.info.lifecycle_stage == "deleted"
    return deleted


def described(run: Any, digits: int = _DIGITS) -> str:
    """A run in a list: the first digits of its id, and the sweep's name or what else it is."""
    tags = run.data.tags
    is_sweep = tags.get(Tag.KIND) == Kind.SWEEP and Tag.SWEEP in tags
    gone = ", deleted" if is_deleted(run) else ""
    what = tags[Tag.SWEEP] if is_sweep else f"{run.info.run_name}, {whose(tags)}"
    return f"{run.info.run_id[:digits]} ({what}{gone})"


def _filters(text: str) -> list[str]:
    """MLflow's filters for the runs that the text may mean; a later one if all before find none."""
    filters = []
    if _BEGINNING.fullmatch(text):
        filters.append(f"attributes.run_id LIKE '{text}%'")
    if _IN_A_FILTER.fullmatch(text):
        filters.append(tagged({Tag.KIND: Kind.SWEEP, Tag.SWEEP: text}))
        # In MLflow's UI runs can be renamed.
        filters.append(f"{tagged({Tag.KIND: Kind.SWEEP})} AND attributes.run_name = '{text}'")
    return filters


def _what_there_is(text: str, sweeps: Sequence[Any]) -> str:
    """The sweeps of a store, the newest first, and which of them comes nearest to the text."""
    there = [run for run in sweeps if not is_deleted(run)]
    if not there:
        return "which holds no sweep"
    words = {run.data.tags.get(Tag.SWEEP, ""): run for run in there}
    words |= {run.info.run_id[: max(len(text), _DIGITS)]: run for run in there}
    near = get_close_matches(text, words, 1)
    nearest = f"; the nearest is {described(words[near[0]])}" if near else ""
    return f"which holds {_some(list(map(described, there)))}{nearest}"


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return f"{', '.join(texts[:_NAMED])}{more}"
