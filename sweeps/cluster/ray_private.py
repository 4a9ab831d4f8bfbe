"""All that is used of Ray without being public in it: why, what it gives, and what if it moves.

Nothing here is needed for a sweep to be right. Where Ray no longer has something, a sweep does
without, as is said at each. What a saving is worth on another machine or with another Ray,
`benchmarks/private_hooks.py` measures.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ray.exceptions import RayActorError, RayError, RayTaskError

from trainables.trial import Trial

_MOVED = (ImportError, AttributeError)


def keep_our_signal_handlers() -> None:
    """Stops Ray from answering SIGTERM in place of `interrupts` while it starts.

    Gives: a sweep that is stopped in these seconds ends as one that is stopped later; Ray's answer
    ends the process with code 15 and leaves the sweep's run behind. Moved: it does that again.
    """
    with suppress(*_MOVED):
        from ray._private import utils

        utils.set_sigterm_handler = lambda _: None


def start_no_helpers() -> None:
    """Stops Ray from starting processes that serve nothing here.

    They are the autoscaler of machines that come and go, the collector of workers' output, which
    `log_to_driver=False` throws away, and the server of the dashboard that is not shown. Ray has no
    setting for this. Gives: two seconds of a core for each sweep. Moved: sweeps start later.
    """
    with suppress(*_MOVED):
        from ray._private.node import Node

        kind: Any = Node
        for name in ("start_monitor", "start_log_monitor"):
            setattr(kind, name, lambda _: None)

        def no_server(node: Any, **_: Any) -> None:
            node._webui_url = ""

        kind.start_api_server = no_server


def cpus_found() -> int:
    """How many CPUs Ray would use if it was not told; 0 when that cannot be asked.

    Gives: with `--max-concurrent`, Ray starts no workers for CPUs that will have no work; each
    takes 200 MB and three seconds of a core. Moved: these are started.
    """
    with suppress(*_MOVED):
        from ray._private.utils import get_num_cpus

        return int(get_num_cpus())
    return 0


@contextmanager
def no_environment_asked() -> Iterator[None]:
    """Lets Tune's actors run as Ray's workers are, instead of with variables of their own.

    Tune asks for every actor to have `PL_DISABLE_FORK` set, and such an actor fits no worker that
    was started without the wish. `ray_start` sets the variable for all workers, so the wish can go.
    It also hands the driver's cloud credentials to every actor, which Ray then writes into its
    logs; a trial reads and writes nothing, so it needs none. Gives: the workers' imports, two
    seconds of a core each, are not done twice. Moved: they are.
    """
    places: list[Any] = []
    with suppress(*_MOVED):
        from ray.tune.execution import class_cache

        places = [class_cache.DEFAULT_ENV_VARS, class_cache.ENV_VARS_TO_PROPAGATE]
    before = [each.copy() for each in places]
    for each in places:
        each.clear()
    try:
        yield
    finally:  # others of this process may use Tune, too
        for each, content in zip(places, before, strict=True):
            each.update(content)


def repeat_what_was_lost() -> None:
    """Lets every loss of a worker cost its pack a repetition, and never the sweep.

    Tune repeats a trial whose actor died. Of losses that Ray reports as something else, such as a
    result whose node died before it was fetched or a worker that was killed for want of memory, it
    knows nothing, and gives everything up. Gives: such a sweep goes on. Moved: it ends, and can be
    resumed.
    """
    with suppress(*_MOVED):
        from ray.air.execution._internal import actor_manager

        kind: Any = actor_manager.RayActorManager
        decide = kind._actor_task_failed
        if decide.__module__ == __name__:
            return  # of an earlier sweep of this process

        # Tune names these arguments.
        def _failed(manager: Any, tracked_actor_task: Any, exception: Exception) -> None:
            known = RayActorError | RayTaskError
            if isinstance(exception, RayError) and not isinstance(exception, known):
                exception = RayActorError(error_msg=f"{type(exception).__name__}: {exception}")
            decide(manager, tracked_actor_task, exception)

        kind._actor_task_failed = _failed


def token_and_head() -> tuple[Callable[[], None], Callable[[str], object]] | None:
    """Two calls: one that raises if this user lacks a token that Ray is set to ask for, and one
    that raises if the head at an address refuses it. None if Ray no longer has them.

    `ray.init` asks for 20 seconds, prints a warning for each, and does not say in the end what was
    wrong. Gives: one line that says it, at once. Moved: that is how it ends.
    """
    with suppress(*_MOVED):
        from ray._private.authentication import authentication_token_setup as setup
        from ray._raylet import GcsClient  # type: ignore[attr-defined]

        ensure = setup.ensure_token_if_auth_enabled
        return (
            lambda: ensure(None, create_token_if_missing=False),
            lambda address: GcsClient(address=address),
        )
    return None


def notes_work() -> bool:
    """Whether this Ray has what notes to its workers are made of.

    Gives: what is decided when a sweep is trained is trained by the workers that are there. Moved:
    by others, whose start takes seconds.
    """
    with suppress(*_MOVED):
        from ray.experimental import internal_kv

        return all(hasattr(internal_kv, f"_internal_kv_{name}") for name in ("put", "get", "del"))
    return False


def write_note(name: str, shares: Sequence[Sequence[Sequence[Trial]]]) -> None:
    """Tells workers, which `read_note`, what to train: for each that waits for it a list of packs.

    See `notes_work`.
    """
    from ray.experimental.internal_kv import _internal_kv_put

    _internal_kv_put(name, pickle.dumps([[list(pack) for pack in share] for share in shares]))


def remove_note(name: str) -> None:
    """Takes the note away; see `notes_work`."""
    from ray.experimental.internal_kv import _internal_kv_del

    _internal_kv_del(name)
