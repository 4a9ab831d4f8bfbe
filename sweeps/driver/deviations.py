"""What differs between a recorded trial and the same trial trained again, and the likely reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sweeps.record.runs.finished_run import FinishedRun, MetricPoint
from sweeps.record.runs.run_numbers import in_a_run
from trainables.hyperparameters import DECLARED, TRAINER_VERSION, Hyperparameters
from trainables.installation import NUMBERS_DEPEND_ON, VARIABLES, package_version
from trainables.manifest import Manifest
from trainables.record_format import Metric
from trainables.result import TrialResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_WORDS = {"cpu": "CPU", "instructions": "vector instructions", "libc": "C library"}


class Deviation(NamedTuple):
    """A value, or a series of `values` numbers, that came out otherwise; the first as text.

    `largest`: the largest absolute difference, NaN where a value is missing or is no number.
    """

    what: str
    where: str
    recorded: str
    now: str
    largest: float
    values: int


def in_arrays(recorded: TrialResult, again: TrialResult) -> list[Deviation]:
    """Of curves and weights, number by number; NaN equals NaN."""
    found = []
    before, after = recorded.trained, again.trained
    now = {**after.curves, **after.parameters}
    for name, old in {**before.curves, **before.parameters}.items():
        new = now[name]
        other = ~((old == new) | (np.isnan(old) & np.isnan(new)))
        if not other.any():
            continue
        seed, *place = (int(index) for index in np.argwhere(other)[0])
        where = f"epoch {place[0] + 1}" if name in before.curves else f"place {place}"
        found.append(
            Deviation(
                f"{name} (Parquet)",
                f"seed {recorded.trial.seeds[seed]}, {where}",
                str(old[seed, *place]),
                str(new[seed, *place]),
                float(np.abs(old.astype(np.float64) - new)[other].max()),
                int(other.sum()),
            )
        )
    return found


def as_recorded(run: Run, made: FinishedRun) -> FinishedRun:
    """`made`, which has every final number, with those that the run is to hold or does."""
    points = [p for p in made.points if in_a_run(p.name) or p.name in run.data.metrics]
    return replace(made, points=points)


def in_run(client: MlflowClient, run: Run, made: FinishedRun) -> list[Deviation]:
    """Of what MLflow holds of a run and what it would be given now: params and every metric."""
    found = []
    of = f" of {run.info.run_name}"
    usual = Hyperparameters().as_row()
    later = {name: str(usual[name]) for name, declared in DECLARED.items() if declared.since}
    for name, value in made.params.items():
        # A run from before a hyperparameter was introduced was trained at its default.
        old = run.data.params.get(name, later.get(name, "missing"))
        if old != value:
            found.append(Deviation(f"param {name}{of}", "", old, value, np.nan, 1))
    points: dict[str, list[MetricPoint]] = {}
    for point in made.points:
        if not point.name.startswith(Metric.TIME):
            points.setdefault(point.name, []).append(point)
    for name in sorted({*points, *run.data.metrics}):
        if not name.startswith(Metric.TIME):
            found += _in_metric(client, run, name, points.get(name, []), of)
    return found


def _in_metric(
    client: MlflowClient, run: Run, name: str, points: Sequence[MetricPoint], of: str
) -> list[Deviation]:
    if len(points) > 1:
        history = client.get_metric_history(run.info.run_id, name)
        old = sorted((metric.step, metric.value) for metric in history)
    else:  # one call for each of these would take a server minutes
        old = [(0, run.data.metrics[name])] if name in run.data.metrics else []
    new = sorted((point.step if len(points) > 1 else 0, point.value) for point in points)
    if old == new:
        return []
    first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    if first is None or [step for step, _ in old] != [step for step, _ in new]:
        texts = f"{len(old)} points", f"{len(new)} points"
        return [Deviation(f"{name}{of}", "", *texts, np.nan, abs(len(old) - len(new)) or 1)]
    gaps = [abs(a[1] - b[1]) for a, b in zip(old, new, strict=True)]
    where = f"epoch {old[first][0]}" if len(points) > 1 else ""
    texts = str(old[first][1]), str(new[first][1])
    return [Deviation(f"{name}{of}", where, *texts, max(gaps), sum(gap > 0 for gap in gaps))]


def reasons(
    manifest: Manifest, digest: str, device: str, then: Mapping[str, str], now: Mapping[str, str]
) -> list[str]:
    """What is not as it was when the trial was recorded, and can change numbers.

    `digest`: that of the data now. `device`: the one it was trained on. `then` and `now`: what
    decides last bits, see `trainables.installation.arithmetic`; `then` is empty for records of
    before it was kept.
    """
    pairs = [
        ("data digest", manifest.dataset["digest"], digest),
        ("version of the trainer", manifest.trainer_version, TRAINER_VERSION),
        *(_arithmetic(then, now) if then else _of_the_driver(manifest, now)),
        ("device", device, "cpu"),
    ]
    found = [
        f"other {what}: {was} then, {is_now} now" for what, was, is_now in pairs if was != is_now
    ]
    if not then:
        found += [
            f"{name}={now[name]} is set now; whether it was then, this record does not say"
            for name in VARIABLES
            if name in now
        ]
    return found


def _arithmetic(
    then: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[tuple[str, object, object]]:
    for name in dict.fromkeys([*then, *now]):
        yield _WORDS.get(name, name), then.get(name, "not set"), now.get(name, "not set")


def _of_the_driver(
    manifest: Manifest, now: Mapping[str, str]
) -> Iterator[tuple[str, object, object]]:
    for name in NUMBERS_DEPEND_ON:
        yield name, manifest.versions.get(name), package_version(name)
    yield "CPU of the driver", manifest.machine.get("cpu"), now["cpu"]
