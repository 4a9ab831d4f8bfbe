"""All that is used of MLflow without being public in it: why, what it gives, and what if it moves.

The tables of its embedded store are another such thing; `sweeps.record.runs.bulk_writing` alone
knows them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel


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


def can_erase(client: MlflowClient) -> bool:
    """Whether runs and models can be taken out of the client's store, and not only marked deleted.

    Only where it is a database, as `mlflow gc` needs one, too. That command is no way to do it: it
    takes out whatever else is marked deleted, such as experiments that somebody may restore. Gives:
    the room that they take. Moved: they are marked, which is said.
    """
    store = store_of(client)
    return all(hasattr(store, name) for name in ("engine", *_ERASING))


_ERASING = ("_hard_delete_run", "_hard_delete_logged_model", "_get_deleted_logged_models")


def erase_run(client: MlflowClient, run_id: str) -> None:
    """Takes the run out of the database, with its inputs and outputs; see `can_erase`."""
    _unlink(client, run_id)
    store_of(client)._hard_delete_run(run_id)


def erase_model(client: MlflowClient, model_id: str) -> None:
    """Takes the logged model out of the database; see `can_erase`."""
    _unlink(client, model_id)
    store_of(client)._hard_delete_logged_model(model_id)


def deleted_models(client: MlflowClient) -> list[LoggedModel]:
    """The models that are marked deleted, which nothing public lists; see `can_erase`."""
    store = store_of(client)
    return [
        store.get_logged_model(model_id, allow_deleted=True)
        for model_id in store._get_deleted_logged_models()
    ]


def _unlink(client: MlflowClient, entity: str) -> None:
    """Removes the links of a run or model to its data and models, which MLflow leaves behind.

    And the description of the data, where no other run has it. Moved: these rows stay.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    linked = "FROM inputs WHERE source_id = :entity OR destination_id = :entity"
    with suppress(SQLAlchemyError), store_of(client).engine.begin() as connection:
        sources = connection.execute(text(f"SELECT source_id {linked}"), {"entity": entity})
        found = [str(row[0]) for row in sources]
        connection.execute(
            text(f"DELETE FROM input_tags WHERE input_uuid IN (SELECT input_uuid {linked})"),
            {"entity": entity},
        )
        connection.execute(text(f"DELETE {linked}"), {"entity": entity})
        for source in found:
            connection.execute(
                text(
                    "DELETE FROM datasets WHERE dataset_uuid = :source AND NOT EXISTS "
                    "(SELECT 1 FROM inputs WHERE source_id = :source)"
                ),
                {"source": source},
            )


def trust_requirements() -> None:
    """Spares MLflow a look at the files of all installed packages before it logs a model.

    It would compare the model's requirements with what is installed; they are what is installed.
    Gives: 0.7 s of a core at the end of each sweep, when everyone waits. Moved: it looks again.
    """
    with suppress(ImportError):
        from mlflow.utils import requirements_utils

        if getattr(requirements_utils, "_MODULES_TO_PACKAGES", {}) is None:
            vars(requirements_utils)["_MODULES_TO_PACKAGES"] = {}
