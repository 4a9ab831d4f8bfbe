"""Whether a cluster answers to the token that this user has, asked before Ray joins it.

`ray.init` asks for 20 seconds, prints a warning for each, and does not say in the end what was
wrong. What is used here is not a public interface: should it have moved, that is how it ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ray.exceptions import AuthenticationError

from sweeps.cluster.ray_address import ResourceError

_THERE = "its head has it in ~/.ray/auth_token"


def check_token(address: str) -> None:
    """Raises `ResourceError` if the cluster at `address` wants another token, or one at all."""
    with suppress(ImportError, AttributeError, TypeError):
        from ray._private.authentication import authentication_token_setup as setup

        try:
            setup.ensure_token_if_auth_enabled(None, create_token_if_missing=False)
        except (AuthenticationError, RuntimeError) as error:
            raise ResourceError(
                f"no token for the Ray cluster at {address} in {_source()}: {_THERE}, copy it"
            ) from error
        from ray._raylet import GcsClient  # type: ignore[attr-defined]

        try:
            with _without_rays_warning():
                GcsClient(address=address)
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
