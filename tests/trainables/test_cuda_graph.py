"""An epoch can be replayed as a graph of kernels: nothing of it happens in Python anew.

A GPU is not at hand everywhere, so a recording of torch's operations stands in for CUDA's graph: it
too knows tensors by where they are, and runs the same operations on them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.train_pack import Model, Pack, train_pack

CONFIGURATIONS = [
    Hyperparameters(epochs=12, l2=0.1, drop_last=False),
    Hyperparameters(
        epochs=12, dropout=0.5, l1=0.5, label_smoothing=0.2, noise=0.2, drop_last=False
    ),
]
MODELS = [Model(each, Seed.of(seed)) for each in CONFIGURATIONS for seed in range(3)]


class Recording(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every operation, its operands and outcomes, and what the operands held before the first."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []
        self.before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = {id(each) for *_, outcome in self.calls for each in outcome}
        for each in tree_leaves((args, kwargs)):
            if isinstance(each, torch.Tensor) and id(each) not in made:
                self.before.setdefault(id(each), (each, each.clone()))
        outcome = func(*args, **(kwargs or {}))
        kept = [each for each in tree_leaves(outcome) if isinstance(each, torch.Tensor)]
        self.calls.append((func, args, kwargs or {}, kept))
        return outcome

    def replay(self) -> None:
        for func, args, kwargs, outcomes in self.calls:
            again = tree_leaves(func(*args, **kwargs))
            for each, new in zip(outcomes, again, strict=False):
                if each.data_ptr() != new.data_ptr():
                    each.copy_(new)


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[Recording]:
    """Graphs of torch's operations on the CPU in place of CUDA's; those that were captured."""
    captured: list[Recording] = []

    @contextmanager
    def capture(recording: Recording) -> Iterator[None]:
        with recording:
            yield
        # Capturing runs nothing. Backwards: a view may first be seen when its tensor has changed.
        for each, content in reversed(recording.before.values()):
            each.copy_(content)
        captured.append(recording)

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Recording)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    monkeypatch.setattr(Pack, "_on_gpu", property(lambda _: True))
    return captured


def test_epochs_run_as_a_graph_give_the_same_numbers(recordings: list[Recording]) -> None:
    dataset = data.load("iris")
    pack = Pack(MODELS, dataset)
    pack.train(5)
    pack.train()
    by_graph = pack.trained()
    assert len(recordings) == 1
    assert len(recordings[0].calls) > 100
    with pytest.MonkeyPatch.context() as undo:
        undo.setattr(Pack, "_on_gpu", property(lambda _: False))
        plain = train_pack(MODELS, dataset)
    assert len(recordings) == 1
    for name, curve in plain.curves.items():
        np.testing.assert_array_equal(by_graph.curves[name], curve, err_msg=name)
    for name, values in plain.parameters.items():
        np.testing.assert_array_equal(by_graph.parameters[name], values, err_msg=name)
