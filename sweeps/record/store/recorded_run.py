"""A run of the store, by its id, the beginning of that, or the name of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sweeps.plan.provenance import without_credentials
from sweeps.record.store.patience import http_status
from trainables.commands.run_ids import is_whole, meant

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_MOST = 1000  # runs: MLflow's limit


def recorded_run(client: MlflowClient, text: str, *kinds: str) -> Run:
    """The run that the text means, a deleted one too; of those of the `kinds`, if any is.

    Raises `NoSuchRun` and `SeveralRuns`, see `run_ids`, and what the store raises.
    """
    from mlflow.entities import ViewType
    from mlflow.exceptions import MlflowException

    if is_whole(text):
        try:
            return client.get_run(text)
        except MlflowException as error:
            if http_status(error) >= 500:
                raise

    def search(where: str) -> list[Run]:
        ids = [each.experiment_id for each in client.search_experiments()]
        newest = ["attributes.start_time DESC"]
        return list(client.search_runs(ids, where, ViewType.ALL, _MOST, newest))

    return cast("Run", meant(text, kinds, search, without_credentials(client.tracking_uri)))
