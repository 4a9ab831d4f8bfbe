"""Answers of a stored model: the probability of each class, under its name.

A copy of this file lies in every stored model, where `mlflow.pyfunc.load_model` imports it: also
where this project is not installed, so it imports nothing of it. All models that one process loads
share the first copy: what it reads keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

# Keys of the model's metadata.
COLUMNS = "columns"
CLASSES = "classes"


class NamedProbabilities:
    """A network that takes rows by the names of their columns and gives probabilities by class."""

    def __init__(self, network: nn.Module, columns: Sequence[str], classes: Sequence[str]) -> None:
        self._network = network
        self._columns, self._classes = list(columns), list(classes)

    def predict(self, rows: pd.DataFrame, params: object = None) -> pd.DataFrame:
        """A column per class, float64, on the index of `rows`, whose values are as in the data.

        Other columns are passed over; a row with a missing value has no probabilities (NaN).
        Raises `ValueError` for a column that holds something else than numbers.
        """
        import pandas as pd
        import torch

        values = np.stack([_numbers(rows[name], name) for name in self._columns], axis=1)
        with torch.no_grad():
            shares = self._network(torch.from_numpy(values.astype(np.float32))).numpy()
        return pd.DataFrame(shares.astype(np.float64), index=rows.index, columns=self._classes)


def _load_pyfunc(path: str) -> NamedProbabilities:
    """What MLflow calls with the folder of the model."""
    import mlflow.pytorch
    from mlflow.models import Model

    facts: dict[str, Any] = Model.load(path).metadata or {}
    network = mlflow.pytorch.load_model(path)
    return NamedProbabilities(network, facts[COLUMNS], facts[CLASSES])


def _numbers(column: pd.Series[Any], name: str) -> np.ndarray:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {name} needs numbers: {error}") from error
