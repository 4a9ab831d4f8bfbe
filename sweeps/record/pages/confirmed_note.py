"""What a sweep's own page says once its best were tried again on fresh seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sweeps.plan.against_baseline import BaselineDifference
from sweeps.record.pages.words import at_once, points, verdict
from trainables.manifest import Manifest
from trainables.record_format import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BEGINS = "**On fresh seeds:**"
_CHOSEN = "Chosen on the seeds of this sweep, which flatters it: "
_LINE_BREAK = "  "  # of Markdown, at a line's end


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

    The second line stays where it is: see `words.note`. `held_out`: a sentence on the rows that are
    held out, which comes after it.
    """
    first, _, rest = note.partition("\n")
    head = " ".join(filter(None, (_BEGINS, found(manifest, differences), held_out)))
    if first.startswith(_BEGINS):
        return f"{head}{_LINE_BREAK}\n{rest}"
    if not first.endswith(_LINE_BREAK):  # without links
        return f"{head}{_LINE_BREAK}\n\n{_CHOSEN}{note}"
    links, _, rest = rest.partition("\n")
    return f"{head}{_LINE_BREAK}\n{links}\n\n{_CHOSEN}{first.rstrip()}\n{rest}"


def found(manifest: Manifest, differences: Mapping[str, BaselineDifference]) -> str:
    """The gain of each configuration that was chosen, the best first, in a sentence."""
    baseline = manifest.baseline_trial
    texts = []
    for trial in manifest.configurations:
        if trial == baseline:
            continue
        difference = differences.get(trial.key)
        said = f"{points(difference)} points, {verdict(difference)}" if difference else "no result"
        texts.append(f"{trial.name} {said}")
    seeds = baseline.seeds
    return (
        f"minus {baseline.name}, {len(seeds)} seeds ({seeds[0]} to {seeds[-1]}) that had no part "
        f"in the choice, {at_once(manifest)}: {'; '.join(texts)}."
    )
