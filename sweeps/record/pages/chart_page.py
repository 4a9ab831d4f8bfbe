"""A sweep's trials as one HTML page to explore: all of them, where MLflow's own charts show 100.

Plotly draws it. Its script, which Plotly's package brings, is copied into the page (4.8 MB), since
MLflow shows artifacts in a frame that may load nothing and a machine may be off the network. The
package itself is never imported.

The report draws with Plotly too (`analysis/plotting/draw_plotly.py`), from values of figures. This
page stays apart: the recorder writes it while a sweep ends, and sweeps and analysis never import
each other; and it shows thousands of trials, so it holds columns of numbers that its own script
turns into marks, texts and curves, where the report lays out each mark with its words beforehand.
What both show of y, and what they draw once, follows the same rules: `trainables/y_range.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from sweeps.plan.ranking import Summaries, find_answer
from sweeps.record.pages.chart_ranges import coinciding, range_of_curves, range_of_trials
from trainables.manifest import Manifest
from trainables.record_format import Artifact, Column, Curve, Final
from trainables.setting import models_of, setting
from trainables.y_range import APART

_TEMPLATE = Path(__file__).with_suffix(".html")
_BOUNDS = ("mean", "low", "high")
_DIGITS = 5  # after the point: what can be told apart on a screen, with room for zooming


def chart_page(
    manifest: Manifest, summaries: Summaries, run_ids: Mapping[str, str], means: Sequence[pa.Table]
) -> str:
    """The page's text.

    `summaries` and `run_ids` by trial key; a trial without a summary is not drawn. `means`: tables
    as `record.runs.tables.mean_curves` makes them; a trial in none of them has no curves to show.
    """
    trials = [trial for trial in manifest.configurations if trial.key in summaries]
    answer = find_answer(manifest, summaries)
    place = {trial.key: number for number, trial in enumerate(trials)}
    values = [trial.hyperparameters.as_dict() for trial in trials]
    epochs, curves = _curves([trial.name for trial in trials], means)
    content: dict[str, Any] = {
        "configs": [trial.name for trial in trials],
        "runs": [run_ids[trial.key] for trial in trials],
        "seeds": len(manifest.trials[0].seeds),
        "axes": [
            {
                "label": axis.label,
                "log": axis.log,
                "values": [each[axis.field] for each in values],
            }
            for axis in manifest.axes
        ],
        "best": place[answer.best.key] if answer.best else None,
        "baseline": place.get(answer.baseline.key),
        "epochs": epochs,
        "curves": curves,
        "curve_range": range_of_curves(manifest, epochs, curves),
        "apart": APART,
    }
    for kind in ("test", "train", *(["cv"] if manifest.folds else [])):
        found = [summaries[trial.key][Final.accuracy(kind)] for trial in trials]
        content[kind] = {n: _numbers([getattr(i, n) for i in found]) for n in _BOUNDS}
    content["range"] = range_of_trials(manifest, content)
    content["together"] = coinciding(content, content["range"])
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(manifest.run_name),
        question=escape(manifest.question),
        facts=escape(_facts(manifest, sum(y is not None for y in content["test"]["mean"]))),
        data=_json(content),
        plotly=_plotly().read_text(encoding="utf-8"),
    )


def _facts(manifest: Manifest, drawn: int) -> str:
    seeds = len(manifest.trials[0].seeds)
    window = manifest.summary_epochs
    count = len(manifest.configurations)
    lacking = count - drawn
    return (
        f"{count} configurations × {seeds} seeds; {setting(models_of(manifest))}. "
        f"Accuracies are means of epochs {window.start + 1} to {window.stop}, intervals are "
        "Student's 95 % over seeds."
        + (f" Not drawn, since failed, diverged or not recorded: {lacking}." * (lacking > 0))
    )


def _curves(
    names: Sequence[str], means: Sequence[pa.Table]
) -> tuple[list[int], dict[str, list[list[float | None] | None]]]:
    """The epochs, and for train and test the accuracies there of each of `names`, or None."""
    epochs: list[int] = []
    found: dict[str, dict[str, list[float | None]]] = {"train": {}, "test": {}}
    for table in means:
        all_epochs = table[Column.EPOCH].to_numpy()
        length = len(np.unique(all_epochs))
        epochs = all_epochs[:length].tolist()
        configs = table[Column.CONFIG].take(np.arange(0, len(table), length)).to_pylist()
        for kind, by_name in found.items():
            values = _numbers(table[Curve.accuracy(kind)].to_numpy())
            for number, config in enumerate(configs):
                by_name[config] = values[number * length : (number + 1) * length]
    return epochs, {kind: [by_name.get(n) for n in names] for kind, by_name in found.items()}


def _numbers(values: ArrayLike) -> list[float | None]:
    """Rounded, with None for what is no number, which JSON cannot hold."""
    rounded = np.round(np.asarray(values, dtype=np.float64), _DIGITS)
    return [value if value == value else None for value in rounded.tolist()]


def _json(content: Mapping[str, Any]) -> str:
    """JSON that no name in it can end: within a script element HTML reads `<` and nothing else."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _plotly() -> Path:
    package = find_spec("plotly")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(f"{Artifact.CHART} needs the package plotly: pip install -e .")
    return Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
