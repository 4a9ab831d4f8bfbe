"""An epoch on a GPU as one launch: a CUDA graph of all its kernels.

A step of a pack is some twenty small kernels, and launching one from Python takes longer than
running it. A graph keeps the addresses of what it worked on, so every epoch is run on copies of its
inputs in the same places. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from trainables.pack_inputs import Batches

EAGER_EPOCHS = 2  # before an epoch is captured: libraries get ready, buffers come to be

Epoch = Callable[[Sequence[Batches], Tensor], None]


class EpochGraph:
    """`epoch` captured with inputs shaped like `batches` and results like `curve_KM`.

    Capturing runs nothing. Whatever else `epoch` reads or writes must stay where it is.
    """

    def __init__(self, epoch: Epoch, batches: Sequence[Batches], curve_KM: Tensor) -> None:
        self._batches = [
            Batches(each.x.clone(), each.y.clone(), each.own.clone(), each.start)
            for each in batches
        ]
        self._curve_KM = torch.zeros_like(curve_KM)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            epoch(self._batches, self._curve_KM)

    def run(self, batches: Sequence[Batches], curve_KM: Tensor) -> None:
        """Runs the epoch on `batches`, with its results in `curve_KM`."""
        for held, given in zip(self._batches, batches, strict=True):
            held.x.copy_(given.x)
            held.y.copy_(given.y)
            held.own.copy_(given.own)
        self._graph.replay()
        curve_KM.copy_(self._curve_KM)
