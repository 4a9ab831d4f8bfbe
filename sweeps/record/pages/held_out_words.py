"""What a sweep says of the rows that no seed of it trains on."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.plan.against_baseline import differences
from sweeps.plan.ranking import Summaries, find_answer
from sweeps.record.pages.words import at_once, percent, points, verdict
from trainables.manifest import Manifest
from trainables.record_format import Final
from trainables.result import Array


def on_held_out(manifest: Manifest, summaries: Summaries, accuracies: Mapping[str, Array]) -> str:
    """The baseline there, and minus it the best, or all that another sweep chose; a sentence.

    `accuracies`: each trial's on those rows, one for each seed, (S,), by trial key. Empty where no
    rows are held out or nothing has a result.
    """
    best, baseline = find_answer(manifest, summaries).best, manifest.baseline_trial
    if not manifest.held_out_rows or best is None:
        return ""
    all_of_them = manifest.configurations if manifest.options.get("from_run") else (best,)
    chosen = [trial for trial in all_of_them if trial.key in summaries and trial != baseline]
    found = differences(manifest, accuracies, chosen)
    texts = []
    for trial in (baseline, *chosen):
        accuracy = percent(summaries.get(trial.key, {}).get(Final.HELD_OUT_ACCURACY))
        minus = found.get(trial.key)
        difference = f", {points(minus)} points, {verdict(minus)}" if minus else ""
        of_it = "the baseline " if trial == baseline else ""
        texts.append(f"{of_it}{trial.name} {accuracy}{difference}")
    if found:
        texts.append(f"differences seed by seed, intervals {at_once(manifest)}")
    return (
        f"On the {manifest.held_out_rows} rows that no model of this sweep was trained on and "
        f"nothing in it was chosen by: {'; '.join(texts)}. Intervals are over seeds: of other rows "
        "they say nothing."
    )
