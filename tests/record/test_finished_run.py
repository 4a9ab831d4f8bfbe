"""What a run is given: its hyperparameters as params, on a log axis with their logarithm."""

from __future__ import annotations

from dataclasses import replace

from support.made_up_results import made_up
from sweeps import batch_size, l2
from sweeps.record.runs.finished_run import trial_params
from trainables.hyperparameters import SOURCES


def test_a_log_axis_adds_the_logarithm() -> None:
    manifest = made_up(batch_size.SWEEP)[0]
    logarithms = {trial_params(trial, manifest)["log10_batch_size"] for trial in manifest.trials}
    assert logarithms == {"0.30103", "0.60206", "0.90309", "1.20412", "1.50515", "1.80618"}


def test_a_linear_axis_and_the_value_0_have_no_logarithm() -> None:
    manifest = made_up(l2.SWEEP)[0]
    assert not any("log10_l2" in trial_params(trial, manifest) for trial in manifest.trials)
    logarithmic = replace(manifest, axes=(replace(manifest.axes[0], log=True),))
    with_it = [trial for trial in manifest.trials if "log10_l2" in trial_params(trial, logarithmic)]
    assert with_it == [trial for trial in manifest.trials if trial.hyperparameters.l2 > 0]
    assert len(with_it) == len(manifest.trials) - 1


def test_only_where_not_everything_varies_is_that_a_param() -> None:
    manifest = made_up(l2.SWEEP, "--seeds", "3")[0]
    trial = manifest.trials[1]
    usual = trial_params(trial, manifest)
    assert not {"vary", "exchanged"} & set(usual)
    held = trial_params(replace(trial, vary=("split", "init")), manifest)
    assert held == usual | {"vary": "split init"}
    exchanged = replace(trial, vary=("split", "order", "dropout"), others="next")
    more = {"vary": "split order dropout", "exchanged": "init"}
    assert set(more["vary"].split()) | {more["exchanged"]} == set(SOURCES)
    assert trial_params(exchanged, manifest) == usual | more
