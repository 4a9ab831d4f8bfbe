"""A configuration with all of its seeds: what is trained, recorded and drawn as one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from trainables.declaration import Range
from trainables.hyperparameters import SOURCES, Hyperparameters


@dataclass(frozen=True)
class Trial:
    """A configuration with all of its seeds: one point on a plot, one MLflow run.

    `name` is how people read it, such as `l2=0.012300`. `folds`: for each seed that many more
    models, each trained without one fold of the seed's training rows and tested on it; 0 for none.

    `vary`: the sources of randomness that come from each seed. Where those that are not in it come
    from, `others` says: from the `first` of the seeds, the same for every model; or from the
    `next` one in `seeds`, after the last the first, which one source can do: it is exchanged, all
    else kept. Comparing a trial with that whose seeds give everything then shows what the source
    adds to the spread. Source: Saltelli et al. (2010), "Variance based sensitivity analysis of
    model output".
    """

    name: str
    hyperparameters: Hyperparameters
    seeds: tuple[int, ...]
    vary: tuple[str, ...] = SOURCES
    others: Literal["first", "next"] = "first"
    folds: int = 0

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"a trial needs seeds, all different, got {self.seeds}")
        if self.folds != 0 and not Range(2, math.inf, whole=True).holds(self.folds):
            raise ValueError(f"a trial needs 0 folds or at least 2, got {self.folds}")
        # In one order, so that equal trials are equal values with one key.
        if not self.vary or self.vary != tuple(one for one in SOURCES if one in self.vary):
            raise ValueError(f"vary needs some of {SOURCES}, in that order, got {self.vary}")
        if self.others not in ("first", "next"):
            raise ValueError(f"others needs first or next, got {self.others}")
        if self.others == "next" and (len(self.vary) != len(SOURCES) - 1 or len(self.seeds) < 2):
            raise ValueError(
                "others=next needs all sources but one in vary and at least two seeds, "
                f"got {self.vary} and {len(self.seeds)} seeds"
            )

    @cached_property
    def key(self) -> str:
        """Names the trial within its sweep, whose trials all have the same seeds."""
        key = self.hyperparameters.key()
        if self.vary == SOURCES:
            return key
        text = " ".join((key, *self.vary, self.others))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def exchanged(self) -> str:
        """The one source that comes from the next seed; empty when there is none."""
        if self.others == "first":
            return ""
        return next(one for one in SOURCES if one not in self.vary)

    def model_seeds(self) -> list[tuple[int, int, int, int]]:
        """For each of `seeds` the seeds of split, initial weights, batch order and dropout."""
        following = (*self.seeds[1:], self.seeds[0])
        others = following if self.others == "next" else self.seeds[:1] * len(self.seeds)
        split, init, order, dropout = (
            self.seeds if one in self.vary else others for one in SOURCES
        )
        return list(zip(split, init, order, dropout, strict=True))

    @property
    def models(self) -> int:
        """How many models are trained for it."""
        return len(self.seeds) * (1 + self.folds)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in a sweep's manifest.

        Where nothing is said of folds and sources there is no word of them, so that older records
        stay what they are.
        """
        values: dict[str, Any] = {
            "key": self.key,
            "name": self.name,
            "hyperparameters": self.hyperparameters.as_dict(),
            "seeds": list(self.seeds),
        }
        if self.folds:
            values["folds"] = self.folds
        if self.vary != SOURCES:
            values |= {"vary": list(self.vary), "others": self.others}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Trial:
        """The inverse of `as_dict`; a `key` that does not fit the values raises `ValueError`."""
        trial = cls(
            values["name"],
            Hyperparameters.from_dict(values["hyperparameters"]),
            tuple(values["seeds"]),
            tuple(values.get("vary", SOURCES)),
            values.get("others", "first"),
            values.get("folds", 0),
        )
        if trial.key != values["key"]:
            raise ValueError(f"trial {trial.name}: key {values['key']} is not that of its values")
        return trial
