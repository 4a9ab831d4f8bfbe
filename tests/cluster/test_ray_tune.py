"""The driver's memory: what it keeps of each pack and of each trial while a sweep runs."""

from __future__ import annotations

from typing import Any

from ray.tune.experiment import Trial as TuneTrial

from support.made_up_results import made_up, summaries
from sweeps.cluster.ray_tune import _PackCallback
from sweeps.cluster.waiting_packs import WaitingPacks
from sweeps.l2 import SWEEP
from sweeps.plan.ranking import find_answer, judged
from trainables.result import to_bytes


def _reported(content: bytes) -> dict[str, Any]:
    """A result as the trainable and Tune make it."""
    return {
        "results": content,
        "models": 2.0,
        "done": True,
        "training_iteration": 1,
        "time_total_s": 1.5,
        "trial_id": "1",
        "pid": 1,
        "node_ip": "127.0.0.1",
        "config": {"pack": 0},
    }


def test_tune_keeps_neither_results_nor_numbers_of_a_pack_that_was_handed_over() -> None:
    manifest, results = made_up(SWEEP, "--num-samples", "2", "--seeds", "2", "--epochs", "5")
    content = to_bytes(results)
    handed_over: list[bytes] = []
    waiting = WaitingPacks(print)
    callback = _PackCallback([list(manifest.trials)], handed_over.append, print, print, waiting)
    trial = TuneTrial("PackTrainable", config={"pack": 0}, stub=True)
    result = _reported(content)
    callback.on_trial_result(0, [trial], trial, result)
    trial.update_last_result(result)  # type: ignore[no-untyped-call]  # as Tune does next
    assert handed_over == [content]
    assert set(trial.metric_analysis) <= {"done"}
    assert not any(isinstance(value, bytes | float) for value in trial.last_result.values())
    assert trial.get_ray_actor_ip() == "127.0.0.1"


def test_what_the_launcher_keeps_of_a_trial_is_enough_for_the_answer() -> None:
    manifest, results = made_up(SWEEP, "--num-samples", "4", "--seeds", "3", "--epochs", "5")
    whole = summaries(manifest, results)
    kept = {key: judged(summary) for key, summary in whole.items()}
    assert find_answer(manifest, kept) == find_answer(manifest, whole)
    assert all(len(kept[key]) < len(whole[key]) / 2 for key in whole)
