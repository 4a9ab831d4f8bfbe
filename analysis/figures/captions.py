"""What is said around a figure: who is shown, how intervals are made, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.comparison import swept, value_text
from analysis.plotting.file_names import file_name
from analysis.plotting.panels import Panel, Plot
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD, SMOOTHING
from trainables.hyperparameters import SOURCES
from trainables.record_format import Curve
from trainables.setting import models_of, setting
from trainables.trial import Trial
from trainables.y_range import row_share

MOST_LINES = 7  # more lines than these cannot be told apart in one panel
_NAMED = 5  # configurations named in one note


def spread(record: SweepRecord, most: int = MOST_LINES) -> tuple[Trial, ...]:
    """At most `most` usable configurations, spread evenly over the ranks of the swept value.

    The least, the greatest and the baseline are among them.
    """
    ordered = sorted(record.configurations, key=lambda trial: swept(record, trial))
    if len(ordered) <= most:
        return tuple(ordered)
    places = {round(place) for place in np.linspace(0, len(ordered) - 1, most)}
    if record.baseline and ordered.index(record.baseline) not in places:
        at = ordered.index(record.baseline)
        inner = sorted(places)[1:-1]
        places.remove(min(inner, key=lambda place: abs(place - at)))
        places.add(at)
    return tuple(ordered[place] for place in sorted(places))


def axes_label(record: SweepRecord) -> str:
    """The swept hyperparameters for people."""
    return ", ".join(axis.label for axis in record.manifest.axes)


def baseline_label(record: SweepRecord) -> str:
    """`l2 = 0`, or that it is missing."""
    if record.baseline is None:
        return "the baseline (missing)"
    return fields_label(record, record.baseline)


def fields_label(record: SweepRecord, trial: Trial) -> str:
    """The trial's swept values with the fields' names: `l1 = 0, l2 = 0.01`."""
    fields = [axis.field for axis in record.manifest.axes]
    values = value_text(record, trial).split(", ")
    return ", ".join(f"{one} = {value}" for one, value in zip(fields, values, strict=True))


def trial_label(record: SweepRecord, trial: Trial) -> str:
    """The trial's swept values, and whether it is the baseline."""
    values = value_text(record, trial)
    return f"{values} (baseline)" if trial == record.baseline else values


def seeds_and_method(record: SweepRecord, drawn: str) -> str:
    """`mean of 10 seeds, band: 95 % t interval`, where `drawn` is how the interval is shown."""
    seeds = len(record.manifest.trials[0].seeds)
    return f"mean of {seeds} seeds, {drawn}: {METHOD}" if seeds > 1 else "1 seed: no interval"


def row_worth(*records: SweepRecord) -> float:
    """Points of mean accuracy that one test row of one seed makes: differences come in steps of it.

    Of several sweeps the most that it is in any.
    """
    return max(100 * row_share(record.manifest) for record in records)


def curve_subtitle(record: SweepRecord, shown: Sequence[Trial]) -> str:
    """How smoothed curves came about, and that only the trials `shown` are there."""
    text = f"{seeds_and_method(record, 'band')}; moving average of {SMOOTHING} epochs"
    if len(shown) < len(record.configurations):
        text += (
            f"; {len(shown)} of {len(record.configurations)} configurations shown, spread evenly"
        )
    return text


def final_subtitle(record: SweepRecord, drawn: str) -> str:
    """How final numbers came about, their intervals shown as `drawn`."""
    window = record.manifest.summary_epochs
    return f"{seeds_and_method(record, drawn)}; mean of epochs {window.start + 1} to {window.stop}"


def final_epoch_subtitle(record: SweepRecord, drawn: str) -> str:
    """How numbers from the models as they end came about, their intervals shown as `drawn`."""
    return f"{seeds_and_method(record, drawn)}; models after their last epoch"


def sweep_plot(
    record: SweepRecord, name: str, title: str, subtitle: str, panels: Sequence[Panel]
) -> Plot:
    """A figure of one sweep, `<sweep>_<name>`, with what is said around each."""
    subtitle = f"{record.manifest.dataset['name']}, {subtitle}"
    return Plot(
        name=f"{file_name(record.manifest.name)}_{name}",
        title=title,
        subtitle=f"{record.partial}; {subtitle}" if record.partial else subtitle,
        panels=tuple(panels),
        notes=notes(record),
        run_ids=(record.run_id,),
    )


def which_seeds(trial: Trial) -> str:
    """`seeds 100 to 109`."""
    seeds = trial.seeds
    if len(seeds) == 1:
        return f"seed {seeds[0]} alone"
    if seeds == tuple(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{len(seeds)} seeds, the first {seeds[0]}"


def held_fixed(record: SweepRecord) -> str:
    """Which sources of randomness all models share; empty where each follows its own seed."""
    vary = record.manifest.trials[0].vary
    fixed = [source for source in SOURCES if source not in vary]
    if not fixed or record.manifest.trials[0].exchanged:
        return ""
    return f"seeds differ in {', '.join(vary)} alone; {', '.join(fixed)}: the first seed's for all"


def notes(record: SweepRecord) -> tuple[str, ...]:
    """What a reader of any figure of this sweep must know: its setting, its run, divergence."""
    return (setting(models_of(record.manifest)), *run_notes(record))


def run_notes(record: SweepRecord) -> tuple[str, ...]:
    """The sweep's run, seeds that do not start at 0, sources held fixed, models that diverged."""
    lines = [f"sweep {record.manifest.run_name}, MLflow run {record.run_id}"]
    if record.confirmed_by:
        lines.append(f"its best were tried on fresh seeds: MLflow run {record.confirmed_by}")
    if (trial := record.manifest.trials[0]).seeds[0] != 0:
        lines.append(which_seeds(trial))
    if text := held_fixed(record):
        lines.append(text)
    lost = []
    for trial in record.configurations:
        diverged = int((~np.isfinite(record.curve(trial, Curve.TEST_LOSS))).any(axis=1).sum())
        if diverged:
            gone = ", not shown" if diverged == len(trial.seeds) else ""
            lost.append(f"{trial.name}: {diverged} of {len(trial.seeds)}{gone}")
    if lost:
        more = f"; and {len(lost) - _NAMED} more configurations" if len(lost) > _NAMED else ""
        lines.append(f"models diverged and left out: {'; '.join(lost[:_NAMED])}{more}")
    return tuple(lines)
