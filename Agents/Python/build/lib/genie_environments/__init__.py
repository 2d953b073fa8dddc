"""Worlds of a Genie server as Gymnasium environments, and the client under them."""

from __future__ import annotations

import gymnasium

from .client import Client, RetryPolicy
from .env import GenieEnv
from .fleet import Fleet
from .keys import Keys
from .server import Server
from .session import Session
from .specification import Batch, Box, Specification
from .vector import GenieVectorEnv
from .wire import Disconnected, GenieError, MalformedMessage, Refused, ServerError, SessionLost, TimedOut

__all__ = [
    "Batch", "Box", "Client", "Disconnected", "Fleet", "GenieEnv", "GenieError", "GenieVectorEnv", "Keys",
    "MalformedMessage", "Refused", "RetryPolicy", "Server", "ServerError", "Session", "SessionLost", "Specification",
    "TimedOut",
]  # fmt: skip


def _register() -> None:
    for name, environment in {"Platformer-v1": "Platformer-v1", "Noop-v1": "Noop-v1", "World-v1": None}.items():
        gymnasium.register(
            id=f"genie/{name}",
            entry_point="genie_environments.env:GenieEnv",
            vector_entry_point="genie_environments.vector:GenieVectorEnv",
            kwargs={"environment": environment},
        )


_register()
