"""Gymnasium environments, served."""

from __future__ import annotations

import os
import subprocess
import time

import gymnasium
import numpy as np
import pytest
from protocol_server import Counting, ProtocolServer, wait_until

from genie_environments import (
    Client,
    GenieEnv,
    GenieError,
    GenieVectorEnv,
    RetryPolicy,
    Server,
    ServerError,
    Session,
    SessionLost,
)
from genie_environments.served import Slots
from genie_environments.wire import Status


@pytest.mark.skipif("GENIE" not in os.environ, reason="GENIE does not name the genie command")
def test_keeps_the_protocol(server):
    done = subprocess.run(
        [os.environ["GENIE"], "conform", server.endpoint, "--quiet"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and " 0 failed" in done.stdout, done.stdout


def test_an_episode_goes_as_the_environment_says(server):
    with Session(server.endpoint) as session:
        session.open(2, auxiliaries=["count"], horizon=3)
        assert session.reset(seeds=[4, 6]).observations[:, 0, 0, 0].tolist() == [64, 96]
        for count in (1, 2, 3):
            batch = session.step([2, 5])
            assert batch.rewards.tolist() == [2, 5] and batch.auxiliaries["count"].tolist() == [count, count]
            assert batch.truncated.tolist() == [count == 3] * 2 and not batch.terminated.any()
        assert {fault.status for fault in session.step([0, 0]).faults.values()} == {Status.NEEDS_RESET}
        # Without a seed an environment goes on as it does by itself.
        assert session.reset().observations[:, 0, 0, 0].tolist() == [80, 112]


def test_an_environment_that_breaks_costs_its_own_slot_only(server):
    with Session(server.endpoint) as session:
        slots = session.open(2)
        session.reset(seeds=[13, 1])
        batch = session.step([5, 5])
        assert list(batch.faults) == [0] and batch.faults[0].status == Status.FAULT and batch.rewards[1] == 5
        with pytest.raises(ServerError, match="UNKNOWN_SLOT"):
            session.step([1], slots[:1])
        assert session.step([1]).rewards.tolist() == [1]


def test_a_vector_opens_again_what_broke(server):
    envs = GenieVectorEnv(3, server.endpoint)
    envs.reset(seed=[1, 13, 2])
    with pytest.raises(ServerError, match="FAULT"):
        envs.step([1, 5, 1])
    first, _ = envs.reset(seed=[4, 5, 6])
    assert first[:, 0, 0, 0].tolist() == [64, 80, 96]
    assert envs.step([1, 2, 3])[1].tolist() == [1, 2, 3]
    envs.close()
    env = GenieEnv(server.endpoint)
    env.reset(seed=13)
    with pytest.raises(ServerError, match="FAULT"):
        env.step(5)
    assert env.reset(seed=4)[0][0, 0, 0] == 64 and env.step(2)[1] == 2
    env.close()


def test_what_an_environment_tells_may_be_no_number(server):
    class Vague(Counting):
        def step(self, action):
            return *super().step(action)[:4], {"count": [None, "many", 10**400][self.count - 1]}

        def close(self):
            raise BrokenPipeError

    server._make = Vague
    with Session(server.endpoint) as session:
        slots = session.open(1, auxiliaries=["count"])
        session.reset(seeds=[1])
        for action in (3, 4, 5):
            batch = session.step([action])
            assert batch.rewards.tolist() == [action] and np.isnan(batch.auxiliaries["count"]).all()
        assert batch.observations[0, 0, 0, 0] == 19
        session.close_slots(slots)
        assert len(session.open(1)) == 1


def test_what_fails_half_way_is_not_done_again(server, monkeypatch):
    def fail(*arguments):
        batch(*arguments)
        raise MemoryError

    batch = Slots._batch
    with Session(server.endpoint) as session:
        session.open(1, auxiliaries=["count"])
        session.reset(seeds=[1])
        with monkeypatch.context() as patch:
            patch.setattr(Slots, "_batch", fail)
            with pytest.raises(ServerError) as error:
                session.step([1])
        assert error.value.status == Status.FAULT and session._sequence == 3
        assert session.step([1]).auxiliaries["count"].tolist() == [2]


def test_what_is_told_is_no_dictionary(server):
    class Broken(Counting):
        def step(self, action):
            return *super().step(action)[:4], None if action else {}

    server._make = Broken
    with Session(server.endpoint) as session:
        session.open(2, auxiliaries=["count"])
        session.reset(seeds=[1, 2])
        batch = session.step([1, 0])
        assert list(batch.faults) == [0] and batch.faults[0].status == Status.FAULT
        assert batch.observations[1, 0, 0, 0] == 33


def test_a_slow_environment_is_not_a_dead_server(server):
    class Slow(Counting):
        def step(self, action):
            time.sleep(1)
            return super().step(action)

    server._make = Slow
    retry = RetryPolicy(resend_seconds=0.2, silence_seconds=0.5, timeout_seconds=5)
    with Session(server.endpoint, retry=retry) as session:
        session.open(1)
        session.reset(seeds=[1])
        session.send([1])
        wait_until(lambda: server._busy_seconds() > 0.1)
        assert session.ping()["busyMilliseconds"] > 100
        assert session.receive().observations[0, 0, 0, 0] == 17
        assert session.step([1]).observations[0, 0, 0, 0] == 18 and server.executed == 4


def test_no_more_slots_than_a_reply_holds(monkeypatch):
    monkeypatch.setattr("genie_environments.server._REPLY_BYTES", 5 * 4 * 5 * 3)
    server = ProtocolServer()
    try:
        session = Session(server.endpoint)
        assert session.specification.slot_limit == 5
        session.open(4)
        with pytest.raises(ServerError, match="TOO_MANY_SLOTS") as error:
            session.open(2)
        assert error.value.detail["limit"] == 5
    finally:
        server.stop()


def test_no_slots_are_not_all_of_them(server):
    with Session(server.endpoint) as session:
        session.open(2, auxiliaries=["count"])
        session.reset(seeds=[1, 2])
        session.step([1, 1])
        assert session.reset([]).observations.shape == (0, 4, 5, 3)
        assert session.step([], []).auxiliaries["count"].shape == (0,)
        assert session.snapshot([]) == [] and session.restore([], []) is None and session.fork(0, 0) == []
        with pytest.raises(ValueError):
            session.restore([b"x"], [])
        assert session.step([1, 1]).auxiliaries["count"].tolist() == [2, 2]


def test_a_close_that_was_not_answered_is_carried_out(server):
    retry = RetryPolicy(resend_seconds=0.1, silence_seconds=0.4, timeout_seconds=5)
    with Session(server.endpoint, retry=retry) as session:
        slots = session.open(3)
        session.reset(seeds=[1, 2, 3])
        server.mute = 1000
        with pytest.raises(GenieError):
            session.close_slots(slots[2:])
        server.mute = 0
        assert session.step([1, 1]).rewards.tolist() == [1, 1] and session.slots == slots[:2]


def test_a_session_that_is_silent_ends_and_makes_room():
    server = ProtocolServer(slot_limit=2, session_seconds=0.5)
    try:
        session = Session(server.endpoint)
        session.open(2)
        with pytest.raises(ServerError, match="TOO_MANY_SLOTS"):
            Session(server.endpoint).open()
        wait_until(lambda: not server._sessions)
        with pytest.raises(SessionLost):
            session.reset()
        assert len(Session(server.endpoint).open(2)) == 2
    finally:
        server.stop()


def test_says_what_cannot_be_served():
    with pytest.raises(GenieError, match="loopback"):
        Server(Counting, "Counting-v1", "tcp://0.0.0.0:*")
    with pytest.raises(GenieError, match="observations"):
        Server(lambda: gymnasium.make("CartPole-v1"), "CartPole-v1")
    taken = Server(Counting, "Counting-v1").start()
    try:
        with pytest.raises(GenieError, match="cannot bind"):
            Server(Counting, "Counting-v1", taken.endpoint)
    finally:
        taken.stop()


def test_levels_and_names_are_told():
    server = ProtocolServer(levels=3, action_names=["a", "b", "c", "d", "e", "f"])
    try:
        specification = Client(server.endpoint).describe()[0]
        assert specification.levels == 3 and specification.action_names[1] == "b" and specification.frame_rate == 20
        envs = GenieVectorEnv(2, server.endpoint, "Counting-v1")
        observations, _ = envs.reset(seed=[1, 2])
        assert observations.shape == (2, 4, 5, 3) and observations.dtype == np.uint8
        envs.close()
    finally:
        server.stop()
