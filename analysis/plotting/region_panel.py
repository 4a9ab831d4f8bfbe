"""What a figure of decision boundaries shows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

QUANTILES = (0.05, 0.5, 0.95)


class Row(NamedTuple):
    """A row of the data at its place; `of`: the number of its class."""

    x: float
    y: float
    of: int


@dataclass(frozen=True, eq=False)
class RegionPanel:
    """Which class models give each place of a plane, and the rows of the data on it.

    `shares`: (classes, places of `y`, places of `x`), of `n` models how many, from 0 to 1, give a
    place the class. `margins`: (quantiles, classes, …), over the models the `QUANTILES` of how far
    the class is ahead of the others there, below 0 if it is not: where the middle one is 0, half of
    the models change. `missing`: why there is nothing to show.
    """

    title: str
    x_label: str
    y_label: str
    classes: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    shares: NDArray[np.floating]
    margins: NDArray[np.floating]
    rows: tuple[Row, ...]
    n: int = 1
    diverged: int = 0
    run_id: str = ""
    missing: str = ""

    def table(self) -> pd.DataFrame:
        """One line per place, with a column for each class."""
        if self.missing:
            return pd.DataFrame(columns=["panel", "x", "y"])
        x, y = np.meshgrid(self.x, self.y)
        columns: dict[str, object] = {"panel": self.title, "x": x.ravel(), "y": y.ravel()}
        columns |= {
            f"share {name}": share.ravel()
            for name, share in zip(self.classes, self.shares, strict=True)
        }
        columns |= {"n": self.n, "diverged": self.diverged, "run_id": self.run_id}
        return pd.DataFrame(columns)
