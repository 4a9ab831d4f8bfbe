"""How a recorded sweep is written down: the name of everything that a record holds.

The writer (`sweeps/record/`) and the readers (`analysis/reading/`, resume, reproduce, upload) take
every name from here, so that none of them can spell it otherwise. The one file with a schema,
`sweep.json`, is `trainables.manifest`. Nothing but the standard library is imported.

`VERSION` is that of the whole record. Raise it with any change after which a program that knows
only the version before would read a record wrongly: a name that changes or comes to mean something
else. A field, tag, metric or file that is merely added does not raise it: readers pass over what
they do not know, and give a field that a record lacks the default that says what was meant before
there was the field. Never to change, in no version, are the names that a program needs to refuse a
record that it cannot read: the tags of `Tag.KIND`, `Tag.NAME` and `Tag.MANIFEST_SHA256`, the file
`Artifact.MANIFEST`, and in it `version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

VERSION = 1


class Kind:
    """What a run is: values of the tag `Tag.KIND`."""

    SWEEP = "sweep"
    TRIAL = "trial"
    SEED = "seed"


class Tag:
    """Tags of runs."""

    # of every run
    KIND = "kind"
    SWEEP = "sweep"  # the run name of the sweep
    NAME = "sweep.name"  # what was swept, as in sweeps/NAME.py
    # of a sweep's run
    PROMISE = "sweep.promise"  # equal for sweeps that would record the same numbers
    MANIFEST_SHA256 = "manifest.sha256"
    LOCK = "lock"  # the processes that work on it, while they do
    FAILED_TRIALS = "failed_trials"  # how many; absent when none
    COMMAND = "command"
    DIRTY = "git.dirty"
    SOURCE = "from"  # run id of the sweep that the configurations come from
    CONFIRMS = "confirms"  # run id of the sweep whose best are tried again on fresh seeds,
    CONFIRMED_BY = "confirmed_by"  # and, on that sweep's run, of the sweep that has done so
    # of a trial's run and those of its seeds
    CONFIG = "config"  # the trial's name for people
    TRIAL_KEY = "trial.key"
    SEED = "seed"
    PART = "curves.part"  # name of the Parquet files with its curves and weights
    DEVICE = "device"
    ARITHMETIC = "arithmetic"  # JSON: what decided the last bits where it was trained
    DIVERGED = "diverged"
    ERROR = "error"  # why a trial failed
    # MLflow's own
    PARENT = "mlflow.parentRunId"
    RUN_NAME = "mlflow.runName"
    NOTE = "mlflow.note.content"
    SOURCE_NAME = "mlflow.source.name"
    SOURCE_TYPE = "mlflow.source.type"
    COMMIT = "mlflow.source.git.commit"
    EXPERIMENT_KIND = "mlflow.experimentKind"  # of an experiment, which may have a NOTE, too

    @staticmethod
    def sha256(folder: str) -> str:
        """The checksum of the part in that folder of the sweep's run, see `Artifact`."""
        return f"{folder}.sha256"


class Parameter:
    """Params of a trial's run besides its hyperparameters, and what others begin with."""

    OPTION = "sweep."  # an option of the command line, on the sweep's run
    LOG10 = "log10_"  # the logarithm of a hyperparameter that was swept on a log axis
    SEEDS = "seeds"
    SEED = "seed"
    VARY = "vary"
    EXCHANGED = "exchanged"


class Curve:
    """Metrics by epoch: metrics of MLflow and columns of Parquet."""

    TRAIN_ACCURACY = "train/accuracy"
    TEST_ACCURACY = "test/accuracy"
    TRAIN_LOSS = "train/loss"
    TEST_LOSS = "test/loss"
    TRAIN_BATCH_ACCURACY = "train/batch_accuracy"
    TRAIN_BATCH_LOSS = "train/batch_loss"
    HELD_OUT_ACCURACY = "held_out/accuracy"
    HELD_OUT_LOSS = "held_out/loss"
    CV_ACCURACY = "cv/accuracy"
    CV_LOSS = "cv/loss"

    @staticmethod
    def accuracy(part: str) -> str:
        """The accuracy on `train`, `test`, `held_out` or `cv` rows."""
        return f"{part}/accuracy"

    @staticmethod
    def loss(part: str) -> str:
        """The loss on `train`, `test`, `held_out` or `cv` rows."""
        return f"{part}/loss"


class Final:
    """A trial's final numbers: metrics under `Metric.FINAL`, columns of CSV files."""

    TRAIN_ACCURACY = "train_accuracy"
    TEST_ACCURACY = "test_accuracy"
    TRAIN_LOSS = "train_loss"
    TEST_LOSS = "test_loss"
    HELD_OUT_ACCURACY = "held_out_accuracy"
    HELD_OUT_LOSS = "held_out_loss"
    CV_ACCURACY = "cv_accuracy"
    CV_LOSS = "cv_loss"
    GAP = "generalization_gap"
    WEIGHT_NORM = "weight_norm"
    SPARSITY = "sparsity"
    # what is appended to a number's name for its spread over seeds
    STD, CI_LOW, CI_HIGH = "_std", "_ci_low", "_ci_high"

    @staticmethod
    def of(curve: str) -> str:
        """The name of a curve's mean over the summary epochs."""
        return curve.replace("/", "_")

    @staticmethod
    def accuracy(part: str) -> str:
        """The final accuracy on `train`, `test`, `held_out` or `cv` rows."""
        return f"{part}_accuracy"

    @staticmethod
    def loss(part: str) -> str:
        """The final loss on `train`, `test`, `held_out` or `cv` rows."""
        return f"{part}_loss"


class Metric:
    """What the names of metrics begin with, and those that are neither curves nor final numbers."""

    FINAL = "final/"
    BEST = "best/"  # the best trial's final numbers and swept values, on the sweep's run
    MODEL = "model/"  # the stored best model's own accuracies, on the sweep's run and the model
    TIME = "time/"  # the only numbers that are not the same when a trial is trained again
    SEEDS = "final/seeds"  # in records of earlier versions; `Parameter.SEEDS` is the same number
    DIVERGED_SEEDS = "final/diverged_seeds"  # where there are any
    TRAIN_SECONDS = "time/train_seconds"


class Artifact:
    """Files and folders of a sweep's run."""

    MANIFEST = "sweep.json"
    CURVES = "curves"
    WEIGHTS = "weights"
    RESULTS = "results.csv"
    CHART = "chart.html"
    BEST_MODEL = "best_model"
    MODEL_WEIGHTS = "weights.safetensors"  # in the folder of the model
    FIGURES = "figures"
    TABLE = ".parquet"  # what the names of tables end with in `CURVES` and `WEIGHTS`,
    PREVIEW = ".csv"  # and those of their twins for people


class Column:
    """Columns of the tables in `Artifact.CURVES` and `Artifact.WEIGHTS`, besides the metrics'."""

    TRIAL_KEY = "trial_key"
    CONFIG = "config"
    SEED = "seed"
    EPOCH = "epoch"  # counted from 1
    RUN_ID = "run_id"  # in tables for people
    SHAPE = ".shape"  # what is appended to a parameter's name for the column of its shape


class Kept:
    """Results that wait on disk until they stand in the store: a folder per sweep."""

    FOLDER = "unrecorded"
    PROMISE = "sweep.promise"  # the file that says which run they belong to, with its manifest


# What the other files in such a folder hold, and what their names end with.
KeptKind = Literal["results", "failures"]


def tagged(tags: Mapping[str, str]) -> str:
    """MLflow's filter for the runs with these tags."""
    return " AND ".join(
        f"tags.{f'`{name}`' if '.' in name else name} = '{value}'" for name, value in tags.items()
    )


def sweeps_called(name: str) -> str:
    """MLflow's filter for the runs of sweeps of that name."""
    return tagged({Tag.KIND: Kind.SWEEP, Tag.NAME: name})


def whose(tags: Mapping[str, str]) -> str:
    """What a run with these tags is, in words: such as `a trial of sweep l2-20261130-101500-3f2a`.

    `no sweep's` for one that this project did not write.
    """
    kind, sweep = tags.get(Tag.KIND), tags.get(Tag.SWEEP)
    return f"a {kind} of sweep {sweep}" if kind and sweep else "no sweep's"


def part_name(number: int) -> str:
    """The value of `Tag.PART` for the part of that number, counted from 1."""
    return f"part-{number:05}"


def part_number(name: str) -> int:
    """The inverse of `part_name`."""
    return int(name.rpartition("-")[2])


def short(value: float) -> float:
    """Six significant digits, so that people can read them; the full ones are in Parquet."""
    return float(f"{value:.6g}")
