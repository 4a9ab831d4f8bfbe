"""What a sweep's own page says once its best were tried again on fresh seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sweeps.plan.against_baseline import BaselineDifference
from sweeps.record.pages.words import at_once, points, verdict
from trainables.manifest import Manifest
from trainables.record_format import Tag
from trainables.trial import Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BEGINS = "**On fresh seeds:**"
_CHOSEN = "Chosen on the seeds of this sweep, which flatters it: "
_JUDGED = "Judged on "
_LINE_BREAK, _PARAGRAPH = "  ", "\n\n"  # of Markdown, the former at a line's end


def tell_source(
    client: MlflowClient,
    run_id: str,
    manifest: Manifest,
    differences: Mapping[str, BaselineDifference],
    held_out: str = "",
) -> None:
    """Says on the page of the sweep that `manifest` confirms what was found, and in which run.

    May be repeated, also with another sweep that confirms the same one: the last counts. Of a sweep
    that was deleted meanwhile there is no page to write on. `held_out`: as in `confirmed`.
    """
    from mlflow.exceptions import MlflowException

    try:
        source = client.get_run(manifest.confirms)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return
        raise
    if source.info.lifecycle_stage != "active":
        return
    before = source.data.tags.get(Tag.NOTE, "")
    client.set_tag(manifest.confirms, Tag.NOTE, confirmed(before, manifest, differences, held_out))
    client.set_tag(manifest.confirms, Tag.CONFIRMED_BY, run_id)


def confirmed(
    note: str,
    manifest: Manifest,
    differences: Mapping[str, BaselineDifference],
    held_out: str = "",
) -> str:
    """The description `note` of a sweep, with what its confirmation found in the first line.

    That line is short, and the links of the second stay where they can be clicked: see
    `words.note`. A paragraph below has the rest; `held_out`: a sentence on the rows that are held
    out, which ends it.
    """
    baseline = manifest.baseline_trial
    first, *others = [
        _gain(trial, baseline, differences.get(trial.key))
        for trial in manifest.configurations
        if trial != baseline
    ] or ["no configuration but the baseline had a result"]
    seeds = baseline.seeds
    judged = (
        f"{_JUDGED}{len(seeds)} seeds ({seeds[0]} to {seeds[-1]}) that had no part in the choice, "
        f"intervals: {at_once(manifest)}."
    )
    if others:
        judged += f" Tried too: {'; '.join(others)}."
    if held_out:
        judged += f" {held_out}"
    answer, *rest = note.split(_PARAGRAPH)
    before, _, links = answer.partition("\n")
    if not before.startswith(_BEGINS):
        rest.insert(0, f"{_CHOSEN}{before.rstrip()}")
    elif rest and rest[0].startswith(_JUDGED):
        del rest[0]
    head = f"{_BEGINS} {first}."
    if links:
        head += f"{_LINE_BREAK}\n{links}"
    return _PARAGRAPH.join([head, judged, *rest])


def _gain(trial: Trial, baseline: Trial, difference: BaselineDifference | None) -> str:
    if difference is None:
        return f"{trial.name} has no result"
    return f"{trial.name} {points(difference)} points to {baseline.name}, {verdict(difference)}"
