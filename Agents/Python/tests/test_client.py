"""Sessions: exactly once, resuming, typed errors."""

from __future__ import annotations

import socket
import threading
import time

import numpy as np
import pytest
from protocol_server import ProtocolServer, wait_until

from genie_environments import Client, Disconnected, Refused, RetryPolicy, ServerError, Session, SessionLost, TimedOut
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


def test_a_message_too_large_is_told_and_not_sent(server):
    session = Session(server.endpoint, retry=QUICK)
    session.open(2)
    session.reset(seeds=[0, 1])
    session.send([1, 1])
    with pytest.raises(ServerError, match="name fewer slots") as error:
        session.reset([0], prompts=[np.zeros((1, 2400, 2400, 3), np.uint8)])
    assert error.value.status == Status.TOO_LARGE and error.value.detail["limit"] == 16 << 20
    assert session.receive().rewards.tolist() == [1, 1], "what was on its way is as it was"


def test_a_refusal_leaves_the_old_socket(server, monkeypatch):
    session = Session(server.endpoint, retry=QUICK)
    session.open()
    session.reset(seeds=[0])

    def refuse():
        raise Refused("the server does not know this client's key")

    server.mute = 1
    with monkeypatch.context() as patch:
        patch.setattr(session.client, "_connect", refuse)
        with pytest.raises(Refused):
            session.step([1])
    assert session.step([1]).observations[0, 0, 0, 0] == 1


def test_who_hangs_up_without_keys_does_not_refuse():
    def hang_up():
        try:
            while True:
                listener.accept()[0].close()
        except OSError:
            pass  # The listener is closed.

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(Disconnected):
            Client(f"tcp://127.0.0.1:{listener.getsockname()[1]}", RetryPolicy(0.2, 0.8, 5)).hello()
        listener.shutdown(socket.SHUT_RDWR)


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
