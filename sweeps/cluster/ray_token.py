"""Whether a cluster answers to the token that this user has, asked before Ray joins it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ray.exceptions import AuthenticationError

from sweeps.cluster.ray_address import ResourceError
from sweeps.cluster.ray_private import token_and_head

_THERE = "its head has it in ~/.ray/auth_token"


def check_token(address: str) -> None:
    """Raises `ResourceError` if the cluster at `address` wants another token, or one at all."""
    calls = token_and_head()
    if calls is None:
        return
    ensure_token, reach = calls
    try:
        ensure_token()
    except (AuthenticationError, RuntimeError) as error:
        raise ResourceError(
            f"no token for the Ray cluster at {address} in {_source()}: {_THERE}, copy it"
        ) from error
    except TypeError:  # Ray's has moved
        return
    try:
        with _without_rays_warning():
            reach(address)
    except AuthenticationError as error:
        raise ResourceError(_refusal(address)) from error
    except Exception:  # not of the token: `ray.init` meets it too, and tries for longer
        return


def _refusal(address: str) -> str:
    mode = os.environ.get("RAY_AUTH_MODE", "")
    if mode.lower() != "token":
        return (
            f"the Ray cluster at {address} asks for a token and RAY_AUTH_MODE is "
            f"{mode or 'not set'}: set RAY_AUTH_MODE=token"
        )
    return f"the Ray cluster at {address} has another token than {_source()}: {_THERE}, copy it"


def _source() -> str:
    """Where Ray takes the token from."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        if os.environ.get(name):
            return name
    return "~/.ray/auth_token"


@contextmanager
def _without_rays_warning() -> Iterator[None]:
    """Ray's C++ code writes to this descriptor, whatever Python's `sys.stderr` is."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
