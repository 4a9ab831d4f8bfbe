"""The README.txt of an export: what its files and columns are, and how to read them."""

from __future__ import annotations

import textwrap

from analysis.reading.connection import without_password
from analysis.reading.sweep_record import SweepRecord
from analysis.stats.seeds import METHOD
from trainables.hyperparameters import DECLARED
from trainables.record_format import Artifact, Column, Curve, Final
from trainables.result import NEAR_ZERO, recorded_curves

_TEMPLATE = """\
{run_name}

{question}

{counts}
Made with: {command}
MLflow run {run_id}; commit {commit}; versions and machine in meta.json.

Files
-----
trials.csv       a row per trial: a configuration with all of its seeds
seeds.csv        a row per model: a configuration trained with one seed
curves.parquet   a row per model and epoch, every number of training
curves.csv.gz    the same as compressed CSV
weights.parquet  a row per model: its weights after the last epoch
figures/         PNG, SVG, and every number on them as CSV
{manifest:<16} what the sweep promised before it began, as it wrote it
meta.json        what made it: command, commit, versions, machine; SHA-256 of each file here

Reading it with pandas
----------------------
    import pandas as pd
    trials = pd.read_csv("trials.csv")
    print(trials.sort_values("{axis}")[["{config}", "{final}"]])
    curves = pd.read_parquet("curves.parquet")
    print(curves.groupby(["{config}", "{epoch}"], observed=True)["{curve}"].mean())

Columns
-------
{columns}

Text in CSV files that a spreadsheet could take for a formula (it begins with = + - @ or the like)
has an apostrophe in front, and so has text that begins with an apostrophe; take the first one away
to have the text. Numbers are never changed, and Parquet files hold all text as it is.
"""

_OF_BATCHES = (Curve.TRAIN_BATCH_ACCURACY, Curve.TRAIN_BATCH_LOSS)
_ABOUT = {
    Column.TRIAL_KEY: "names the configuration; joins all tables",
    Column.CONFIG: "the configuration for people: what the sweep varied",
    "baseline": "whether the others are compared with this configuration",
    Column.RUN_ID: "the trial's MLflow run",
    **{name: declared.about for name, declared in DECLARED.items()},
    Column.SEED: "gives the split, initial weights, batch order and dropout draws; equal seeds of "
    "different configurations are pairs",
    "diverged": "whether the loss ever was not finite; its numbers are then empty",
    "exchanged": "the source of randomness that comes from the next seed instead of the model's "
    "own, in trials that measure what it adds to the spread; empty in all others. Where the sweep "
    "has no such trial the column is not there",
    Column.EPOCH: "counted from 1",
    ", ".join((Final.TRAIN_ACCURACY, Final.TEST_ACCURACY)): "shares from 0 to 1 with dropout off, "
    "mean of epochs {window}",
    ", ".join((Final.TRAIN_LOSS, Final.TEST_LOSS)): "cross-entropy in nats without the penalty, "
    "the same epochs",
    ", ".join(map(Final.of, _OF_BATCHES)): "means over an epoch's mini-batches as they were "
    "trained on, dropout on",
    Final.GAP: "training minus test accuracy, model by model",
    ", ".join((Final.WEIGHT_NORM, Final.SPARSITY)): "root of the summed squares of all weights, "
    f"and share of weights under {NEAR_ZERO:g} of their layer's largest; _0 for the layer next to "
    "the input",
    f"…{Final.STD}, …{Final.CI_LOW}, …{Final.CI_HIGH}": "standard deviation over seeds and "
    f"{METHOD} of the mean, without models that diverged; empty where there are not two",
    "test_accuracy_minus_baseline": "mean over seeds of the differences seed by seed",
    "seeds, diverged_seeds": "models of the trial, and how many of them diverged",
    f"0.weight, 0.weight{Column.SHAPE}, …": "a layer's weights, row after row, and their shape; "
    "layer 0 is next to the input",
}
_OF_FOLDS = (
    "mean over {folds} folds of the seed's training rows, each fold's rows judged by a model that "
    "was trained on the others; empty where one of these models diverged"
)
_HELD_OUT = "on the {rows} rows of the data that no model of this sweep was trained or tested on"


def readme(record: SweepRecord) -> str:
    """The text of README.txt."""
    manifest = record.manifest
    window = f"{manifest.summary_epochs.start + 1} to {manifest.summary_epochs.stop}"
    about = {name: text.format(window=window) for name, text in _ABOUT.items()}
    if record.has_folds:
        folds = _OF_FOLDS.format(folds=manifest.folds)
        about |= {f"{Final.CV_ACCURACY}, {Final.CV_LOSS}": folds}
    if rows := manifest.held_out_rows:
        held_out = _HELD_OUT.format(rows=rows)
        about |= {f"{Final.HELD_OUT_ACCURACY}, {Final.HELD_OUT_LOSS}": held_out}
    curves = recorded_curves(record.curves.columns)
    about |= {", ".join(curves): "the same quantities at each epoch, in curves"}
    trials = f"{len(record.usable)} of {len(manifest.trials)} trials"
    counts = f"{trials}, {len(manifest.trials[0].seeds)} seeds each, data: "
    lacking = "".join(f"Lacking: {name} ({why})\n" for name, why in record.lacking.items())
    return _TEMPLATE.format(
        run_name=manifest.run_name,
        manifest=Artifact.MANIFEST,
        config=Column.CONFIG,
        epoch=Column.EPOCH,
        final=Final.TEST_ACCURACY,
        curve=Curve.TEST_ACCURACY,
        question=manifest.question,
        counts=f"{counts}{manifest.dataset['name']}\n{lacking}",
        command=without_password(manifest.command),
        run_id=record.run_id,
        commit=manifest.commit or "unknown",
        axis=manifest.axes[0].field,
        columns="\n".join(_entry(name, text) for name, text in about.items()),
    )


def _entry(name: str, text: str) -> str:
    return textwrap.fill(f"{name}: {text}", 98, subsequent_indent="    ")
