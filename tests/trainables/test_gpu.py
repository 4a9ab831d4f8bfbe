"""The same trainer on CUDA. Skipped where torch finds no CUDA device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainables import data
from trainables.draws import Seed
from trainables.hyperparameters import Hyperparameters
from trainables.train_pack import Model, train_pack

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device"),
]


def test_cuda_gives_the_numbers_of_the_cpu() -> None:
    configurations = [
        Hyperparameters(epochs=100),
        Hyperparameters(epochs=100, l2=0.1, l1=0.5),
        Hyperparameters(epochs=100, dropout=0.5),
        Hyperparameters(epochs=100, dropout=1.0, lr=0.05),
    ]
    models = [Model(each, Seed.of(seed)) for each in configurations for seed in range(3)]
    cpu = train_pack(models, data.load("iris"), dtype=torch.float64)
    cuda = train_pack(models, data.load("iris"), device="cuda", dtype=torch.float64)
    for name, curve in cpu.curves.items():
        np.testing.assert_allclose(cuda.curves[name], curve, rtol=1e-6, atol=1e-6)
    for name, values in cpu.parameters.items():
        np.testing.assert_allclose(cuda.parameters[name], values, rtol=1e-9, atol=1e-9)
