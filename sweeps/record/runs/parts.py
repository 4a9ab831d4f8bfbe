"""The Parquet files of a sweep's run: every epoch and weight of every model, a part per write.

A part is written before the runs of its trials, each of which names it and its checksums. Parts are
numbered from 1; one that no run names was written by a process that died, and is written over.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.record.runs.tables import results_from_tables, write_part
from sweeps.record.store.patience import http_status
from sweeps.record.store.recorded_sweep import CannotResume
from trainables.record_format import Artifact, Tag, part_name
from trainables.result import Array, TrialResult
from trainables.trial import Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient

KINDS = (Artifact.CURVES, Artifact.WEIGHTS)
PART_TAGS = (Tag.PART, *(Tag.sha256(kind) for kind in KINDS))


class Parts:
    """The parts of one sweep; `written` of them are named by runs."""

    def __init__(self, client: MlflowClient, run_id: str, written: int = 0) -> None:
        self._client, self._run_id = client, run_id
        self.written = written

    def write(
        self,
        results: Sequence[TrialResult],
        finals: Sequence[Mapping[str, Array]],
        means: pa.Table | None,
    ) -> dict[str, str]:
        """Stores the next part, see `tables.write_part`; the tags for the runs of its trials.

        The part counts as written only once `written` is raised: until then a repeated call stores
        the same part again.
        """
        name = part_name(self.written + 1)
        tags = {Tag.PART: name}
        with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
            write_part(Path(folder), name, results, finals, means)
            for kind in KINDS:
                content = Path(folder, kind, f"{name}{Artifact.TABLE}").read_bytes()
                tags[Tag.sha256(kind)] = hashlib.sha256(content).hexdigest()
                for path in sorted(
                    Path(folder, kind).iterdir()
                ):  # each a call that can be repeated
                    self._client.log_artifact(self._run_id, str(path), kind)
        return tags

    def read_all(
        self, tags_of_runs: Sequence[Mapping[str, str]], trials: Sequence[Trial]
    ) -> Iterator[list[TrialResult]]:
        """What `read` gives, for each part that the runs' tags name.

        Raises `CannotResume` at the first that is not what was written.
        """
        named = {tags[Tag.PART]: tags for tags in tags_of_runs if Tag.PART in tags}
        for curves, weights in self._opened(named):
            yield results_from_tables(curves, weights, trials)

    def read(self, tags: Mapping[str, str], trials: Sequence[Trial]) -> list[TrialResult]:
        """The results of those of `trials` that are in the part that the run's `tags` name."""
        (results,) = self.read_all([tags], trials)
        return results

    def _opened(self, named: Mapping[str, Mapping[str, str]]) -> Iterator[list[pa.Table]]:
        from mlflow.exceptions import MlflowException

        with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
            for name, tags in sorted(named.items()):
                tables = []
                for kind in KINDS:
                    file = f"{kind}/{name}{Artifact.TABLE}"
                    try:
                        path = self._client.download_artifacts(self._run_id, file, folder)
                        content = Path(path).read_bytes()
                    except (OSError, MlflowException) as error:
                        if isinstance(error, MlflowException) and (http_status(error) >= 500):
                            raise
                        raise CannotResume(f"{file} of run {self._run_id} is missing") from error
                    if hashlib.sha256(content).hexdigest() != tags.get(Tag.sha256(kind)):
                        raise CannotResume(
                            f"{file} of run {self._run_id} is damaged: its content does not fit "
                            "the checksum in its trials' tags; bring it back from a backup, or "
                            "start a new sweep"
                        )
                    tables.append(pq.read_table(path))
                yield tables
