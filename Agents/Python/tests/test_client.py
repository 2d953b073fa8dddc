"""Sessions: exactly once, resuming, typed errors."""

from __future__ import annotations

import time

import numpy as np
import pytest
from protocol_server import ProtocolServer, wait_until

from genie_environments import Disconnected, RetryPolicy, ServerError, Session, SessionLost, TimedOut
from genie_environments.wire import Status

QUICK = RetryPolicy(resend_seconds=0.1, silence_seconds=1.5, timeout_seconds=5)


def test_any_subset_in_any_order(target):
    with Session(*target) as session:
        slots = session.open(3)
        first = session.reset(seeds=[1, 2, 3])
        some = session.reset([slots[2], slots[0]], seeds=[3, 1])
        assert np.array_equal(some.observations, first.observations[[2, 0]])
        stepped = session.step([1, 2], [slots[1], slots[2]])
        assert stepped.observations.shape == (2, *session.specification.observation.shape)
        assert not stepped.faults
        bad = session.step([1, 99, 1])
        assert list(bad.faults) == [1] and bad.faults[1].status == Status.INVALID_ACTION


def test_lost_replies_step_once(server):
    session = Session(server.endpoint, retry=QUICK)
    session.open()
    session.reset(seeds=[0])
    for count in range(1, 6):
        server.mute = 1
        batch = session.step([1])
        assert batch.observations[0, 0, 0, 0] == count
    assert server.executed == 7


def test_what_timed_out_is_resumed(server):
    session = Session(server.endpoint, retry=RetryPolicy(0.1, 0.6, 5))
    session.open(auxiliaries=["count"])
    session.reset(seeds=[0])
    server.mute = 1000
    with pytest.raises(Disconnected):
        session.step([1])
    server.mute = 0
    assert session.step([1]).auxiliaries["count"][0] == 1
    server.mute = 1000
    with pytest.raises(Disconnected):
        session.step([1])
    server.mute = 0
    assert session.step([2]).auxiliaries["count"][0] == 3, "another call first sees the step through"


def test_halves_overlap(server):
    session = Session(server.endpoint, retry=QUICK)
    session.open()
    session.reset(seeds=[0])
    session.send([1])
    wait_until(lambda: server.executed == 3)
    assert session.receive().rewards[0] == 1


def test_nobody_there():
    start = time.monotonic()
    with pytest.raises((Disconnected, TimedOut)):
        Session("tcp://127.0.0.1:9", retry=RetryPolicy(0.1, 0.5, 5))
    assert time.monotonic() - start < 3


def test_another_incarnation_has_lost_the_session(server):
    session = Session(server.endpoint, retry=QUICK)
    session.open()
    session.reset(seeds=[0])
    server.epoch += 1
    with pytest.raises(SessionLost):
        session.step([1])


def test_unknown_environment_names_what_there_is(server):
    with pytest.raises(ServerError) as error:
        Session(server.endpoint, "Nothing-v1")
    assert error.value.detail["offered"] == ["Counting-v1"]


def test_servers_are_independent(server):
    other = ProtocolServer()
    try:
        one, two = Session(server.endpoint), Session(other.endpoint)
        one.open()
        two.open(2)
        assert one.reset(seeds=[5]).observations[0, 0, 0, 0] == 80
        assert two.reset(seeds=[1, 2]).observations[1, 0, 0, 0] == 32
    finally:
        other.stop()
