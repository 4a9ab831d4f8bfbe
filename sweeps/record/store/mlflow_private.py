"""All that is used of MLflow without being public in it: why, what it gives, and what if it moves.

The tables of its embedded store are another such thing; `sweeps.record.runs.bulk_writing` alone
knows them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient


def store_of(client: MlflowClient) -> Any:
    """What the client writes to, or None.

    Gives: whether that is a database, and its connections. Moved: runs are written one at a time
    through MLflow's public interface.
    """
    return getattr(getattr(client, "_tracking_client", None), "store", None)


def close_database(client: MlflowClient) -> None:
    """Closes the client's connections to its database; MLflow has no public way to.

    Gives: SQLite puts everything into the one file that people copy. Moved: a second file, the
    write-ahead log, stays beside it until this process ends.
    """
    with suppress(AttributeError):
        store_of(client).engine.dispose()


def trust_requirements() -> None:
    """Spares MLflow a look at the files of all installed packages before it logs a model.

    It would compare the model's requirements with what is installed; they are what is installed.
    Gives: 0.7 s of a core at the end of each sweep, when everyone waits. Moved: it looks again.
    """
    with suppress(ImportError):
        from mlflow.utils import requirements_utils

        if getattr(requirements_utils, "_MODULES_TO_PACKAGES", {}) is None:
            vars(requirements_utils)["_MODULES_TO_PACKAGES"] = {}
