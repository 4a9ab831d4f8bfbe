"""The Ray that a process's sweeps use: a cluster's, one of their own, or one that was there before.

A process can be connected to one Ray only. Where its user has connected to one already, that is
used, and left as it was found.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from sweeps.cluster.head_watch import HeadWatch
from sweeps.cluster.ray_address import ResourceError, find_cluster, follow_authentication
from sweeps.cluster.session_folder import remove_session
from sweeps.plan.options import Options
from sweeps.plan.ray_choice import AUTO, LOCAL


class RaySession:
    """Starts or joins Ray for a sweep, and ends or leaves it after that.

    `stays`: a Ray of this process's own is kept for the next sweep, with fresh workers: starting
    them takes seconds. A cluster is left after every sweep: Ray ends a process whose cluster goes.
    """

    def __init__(self, stays: bool) -> None:
        self._stays = stays
        self._own = ""  # the address of the Ray that was started here, while it is kept
        self._folder: Path | None = None  # of its session
        self._cpus: int | None = None  # that it was started with; None for all
        self._cluster: str | None = None  # to join
        self._watch: HeadWatch | None = None
        self._afterwards: threading.Thread | None = None
        self.shared = False  # with the user of this process, who connected to it

    def find(self, options: Options, note: Callable[[str], None]) -> None:
        """Decides which Ray to use; nothing is started. Raises `ResourceError` without one."""
        self._wait()
        if self._watch is not None:  # on the cluster of the sweep before, which this one goes on
            return
        connected = _connected()
        self.shared = connected not in ("", self._own)
        if connected != self._own:  # its user has ended the one that was started here
            self._forget()
        if self.shared:
            self._cluster = None
            if options.address not in (AUTO, LOCAL, connected):
                raise ResourceError(
                    f"--address needs the Ray at {connected}, which this process is connected to, "
                    f"got {options.address}: leave it out, or call ray.shutdown() before"
                )
            return
        self._cluster = find_cluster(options.address, note)
        if self._cluster is not None:
            follow_authentication(self._cluster)
        elif (options.expect_nodes or 1) > 1:
            raise ResourceError(
                f"--expect-nodes needs {options.expect_nodes} nodes, and no cluster is used: "
                "start one and name it with --address host:port"
            )

    def start(self, options: Options, useful_workers: int, note: Callable[[str], None]) -> None:
        """Starts Ray or joins the cluster, unless it stands. Raises `ResourceError`.

        `useful_workers`: for what is to be trained now; a Ray that stays is for later sweeps too.
        """
        from sweeps.cluster import ray_start

        if self._watch is not None:
            return
        if self._cluster is not None:
            self.end()
            sent = ray_start.join_cluster(self._cluster)
            self._watch = HeadWatch(self._cluster)
            note(f"on the Ray cluster at {self._cluster}, to which {sent / 1000:.0f} kB of code go")
        elif not self.shared:
            cpus = ray_start.cpus_to_use(options, None if self._stays else useful_workers)
            few = self._cpus is not None and (cpus is None or cpus > self._cpus)
            if _connected() == "" or few:
                self.end()
                self._folder = ray_start.start_ray(cpus)
                self._own, self._cpus = _connected(), cpus

    def check(
        self, options: Options, check: Callable[[], None], note: Callable[[str], None]
    ) -> None:
        """Raises `ResourceError` when nodes cannot run trials; see `preflight.check_nodes`."""
        from sweeps.cluster.ray_start import living_nodes

        if self._cluster is not None or (
            self.shared and max(len(living_nodes()), options.expect_nodes or 1) > 1
        ):
            from sweeps.cluster.preflight import check_nodes

            check_nodes(options, check, note)

    def trained(self, well: bool) -> None:
        """Nothing more is trained: Ray is left, or fresh workers are started, in the background.

        `well`: all has ended, and no trial is left in this process's own Ray.
        """
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if self.shared:
            return
        from sweeps.cluster.ray_start import stand_workers_ready

        keep = well and self._stays and self._own
        self._afterwards = threading.Thread(target=stand_workers_ready if keep else self._shutdown)
        self._afterwards.start()

    def end(self) -> None:
        """Leaves Ray, which ends it if it is this process's own."""
        self._wait()
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if "ray" in sys.modules and not self.shared:
            self._shutdown()

    def _wait(self) -> None:
        if self._afterwards is not None:
            self._afterwards.join()
            self._afterwards = None

    def _shutdown(self) -> None:
        import ray

        ray.shutdown()
        self._forget()

    def _forget(self) -> None:
        """What was started here has ended: nothing of it is to stay."""
        self._own = ""
        if self._folder is not None:
            folder, self._folder = self._folder, None
            remove_session(folder)


def import_ray() -> None:
    """Imports Ray; what it would show in a notebook with ipywidgets is not asked for."""
    logging.getLogger("ray.widgets").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "IProgress not found")
    import ray  # noqa: F401


def _connected() -> str:
    """The address of the Ray that this process is connected to; empty without one."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return ""
    return str(ray.get_runtime_context().gcs_address)
