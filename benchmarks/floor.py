"""The arithmetic that training cannot do without, and how fast one core does arithmetic at best."""

from __future__ import annotations

import time
from itertools import pairwise

import torch

from trainables.dataset_facts import DATASETS
from trainables.hyperparameters import Hyperparameters


def flops_a_model_epoch(hyperparameters: Hyperparameters) -> int:
    """Floating-point operations of one epoch of one model, its evaluation included.

    Every addition, multiplication, division, comparison, exponential and logarithm counts 1. With
    T steps of B rows, R rows to evaluate, layers of (I inputs, O outputs) of which the first has
    I = F and the last O = C, and H the sum over hidden layers of their units:

      forward, a row        Σ 2·I·O, biases included, + H for ReLU
      dropout, a row        2·H going up (compare, scale) and H coming down, where it is on
      loss gradient, a row  5·C - 1: softmax 5·C - 2 (maximum, differences, exponentials, sum,
                            quotients), 1 for the row's own class
      backward, a row       Σ 2·I·O for weights, Σ O for biases, Σ I·(2·O - 1) over all layers but
                            the first for the deltas, H for the gates of ReLU
      update, a step        2 for each weight and bias, 3 with L2; L1 adds 2 for each weight
      evaluation, a row     forward + C (the likeliest class, is it the right one)

    an epoch: T · (B · (forward + dropout + loss + backward) + update) + R · evaluation

    An epoch's smaller last batch, where it is kept, counts its rows. Random numbers, and losses
    other than their gradients, which a trainer may leave out, are not counted.
    """
    facts = DATASETS[hyperparameters.dataset]
    widths = [facts.features, *hyperparameters.hidden, facts.classes]
    layers = list(pairwise(widths))
    weights = sum(inputs * outputs for inputs, outputs in layers)
    biases, hidden, classes = sum(widths[1:]), sum(hyperparameters.hidden), facts.classes
    forward = 2 * weights + hidden
    dropout = 3 * hidden if hyperparameters.dropout > 0 else 0
    deltas = sum(inputs * (2 * outputs - 1) for inputs, outputs in layers[1:])
    backward = 2 * weights + biases + deltas + hidden
    update = (3 if hyperparameters.l2 > 0 else 2) * (weights + biases)
    update += 2 * weights if hyperparameters.l1 > 0 else 0
    steps, left = divmod(facts.train, hyperparameters.batch_size)
    rows = facts.train - (left if hyperparameters.drop_last else 0)
    steps += 1 if left and not hyperparameters.drop_last else 0
    trained = rows * (forward + dropout + 5 * classes - 1 + backward) + steps * update
    return trained + facts.rows * (forward + classes)


def peak_flops(side: int = 2048, tries: int = 5) -> float:
    """Operations per second of the fastest of `tries` float32 products of (side, side) matrices."""
    a, b, out = (torch.rand(side, side) for _ in range(3))
    torch.mm(a, b, out=out)
    best = float("inf")
    for _ in range(tries):
        began = time.perf_counter()
        torch.mm(a, b, out=out)
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best
