"""Servers to test against: the one in Python, and the real one where GENIE_ENDPOINT names it."""

from __future__ import annotations

import os

import pytest
from protocol_server import ProtocolServer


@pytest.fixture
def server():
    """A fresh protocol server."""
    server = ProtocolServer()
    yield server
    server.stop()


@pytest.fixture(params=["protocol", "real"])
def target(request):
    """Endpoint and environment: of the protocol server, and of the real one if there is one."""
    if request.param == "protocol":
        yield request.getfixturevalue("server").endpoint, "Counting-v1"
    elif "GENIE_ENDPOINT" not in os.environ:
        pytest.skip("GENIE_ENDPOINT is not set")
    else:
        yield os.environ["GENIE_ENDPOINT"], os.environ.get("GENIE_ENVIRONMENT", "Platformer-v1")
